"""Both engines give the same safe answer to thousands of random, spoilt and hostile fact sheets."""

import copy
import json
from functools import reduce
from operator import getitem

import pytest
from hypothesis import settings
from hypothesis import strategies as st

from policies.engines.embedded import EmbeddedEngine
from policies.engines.opa import OpaEngine
from tests.helpers.fact_sheets import (
    BASE,
    HOSTILE,
    MODEL_SHAPE,
    RANDOM_FACTS,
    SHAPE,
    assert_safe,
    drawn_facts,
    place_of,
    well_formed,
)
from tests.helpers.policy_engines import REGISTER, Ask, Facts, asking, bundle_of
from tests.helpers.scale import property_test


def test_random_facts_are_answered_safely(ask_embedded: Ask) -> None:
    permits = 0

    for facts in drawn_facts():
        answer = ask_embedded(facts)
        assert_safe(facts, answer)
        permits += answer["decision"]

    assert permits > RANDOM_FACTS // 40, "too few permits for the test to mean anything"


def test_random_facts_are_answered_alike_by_both_engines(ask_embedded: Ask, ask_opa: Ask) -> None:
    for facts in drawn_facts():
        assert ask_opa(facts) == ask_embedded(facts), json.dumps(facts)


def test_one_spoilt_fact_is_answered_alike_and_never_permitted(ask_embedded: Ask, ask_opa: Ask) -> None:
    for dotted in [
        *SHAPE,
        *MODEL_SHAPE,
        "model",
        "requested_level",
        "consent",
        "subject",
        "processing",
        "engine",
    ]:
        for hostile in HOSTILE:
            facts = copy.deepcopy(BASE)
            place, last = place_of(facts, dotted)
            place[last] = hostile

            answer = ask_embedded(facts)

            assert_safe(facts, answer)
            assert ask_opa(facts) == answer, json.dumps(facts)


def test_only_adults_without_a_signal_under_an_opt_out_law_are_served_unasked(ask_embedded: Ask) -> None:
    served = 0

    for facts in drawn_facts(10 * RANDOM_FACTS):
        if well_formed(facts):
            facts["consent"]["state"], facts["ancestors"] = "never_asked", {}
            answer = ask_embedded(facts)
            if answer["decision"] and answer["legal_basis"] == "consent":
                served += 1
                assert facts["action"] == "personalize"
                assert facts["subject"]["jurisdiction"] == "us-co"
                assert facts["subject"]["age_band"] == "adult"
                assert not facts["signals"]["gpc"]
                assert not facts["signals"]["gpp_opt_out"]
                assert not facts["objection"]
                assert answer["level"] in ("segment", "behavioral")

    assert served > 0


def test_a_stored_refusal_is_never_permitted(ask_embedded: Ask) -> None:
    for number, facts in enumerate(drawn_facts()):
        if well_formed(facts):
            facts["consent"]["state"] = ("refused", "withdrawn")[number % 2]
            answer = ask_embedded(facts)
            assert not answer["decision"]
            assert not answer["requestable"]


def parts_of_the_data() -> list[list[str]]:
    purpose = [["purposes", "recommendations", field] for field in REGISTER["purposes"]["recommendations"]]
    laws = REGISTER["jurisdictions"]
    law = [["jurisdictions", slug, field] for slug in ("gdpr", "us-co") for field in laws[slug]]
    residency = [["residency", key] for key in REGISTER["residency"]]
    return [*([key] for key in REGISTER if key != "revision"), *residency, *purpose, *law]


@pytest.mark.parametrize("path", parts_of_the_data(), ids="/".join)
def test_data_with_a_part_missing_permits_nothing_new(
    path: list[str], opa_engine: OpaEngine, ask_embedded: Ask
) -> None:
    data = copy.deepcopy(REGISTER) | {"revision": "sha256:without-" + "-".join(path)}
    del reduce(getitem, path[:-1], data)[path[-1]]
    incomplete = bundle_of(data)
    ask_incomplete, ask_incomplete_opa = asking(EmbeddedEngine(), incomplete), asking(opa_engine, incomplete)

    for facts in drawn_facts(100):
        answer = ask_incomplete(facts)
        assert answer["decision"] <= ask_embedded(facts)["decision"]
        assert ask_incomplete_opa(facts) == answer, json.dumps(facts)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
parts = st.dictionaries(st.sampled_from([path.split(".")[-1] for path in SHAPE]), json_values, max_size=6)
shapes = st.dictionaries(st.sampled_from([*BASE, "unheard_of"]), json_values | parts, max_size=len(BASE))
SETTINGS = settings(derandomize=True)


@property_test(300, 20_000, like=SETTINGS, changes=shapes)
def test_facts_of_any_shape_are_answered_alike_and_safely(changes: Facts, ask_embedded: Ask, ask_opa: Ask) -> None:
    for facts in (changes, BASE | changes):
        answer = ask_embedded(facts)
        assert_safe(facts, answer)
        assert ask_opa(facts) == answer
