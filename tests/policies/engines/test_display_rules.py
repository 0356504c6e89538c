"""What is hidden from whom, as a table a lawyer can read (``tests/cases/display``), by both engines."""

import copy
import json
from typing import Any

import pytest
import yaml

from policies.engines.embedded import EmbeddedEngine
from policies.engines.opa import OpaEngine
from tests.helpers.fact_sheets import BASE, drawn_facts
from tests.helpers.policy_engines import CASES, REGISTER, Ask, Facts, asking, bundle_of

SAID = yaml.safe_load((CASES / "display" / "rules.yaml").read_text())
BUNDLE = bundle_of(REGISTER | {"revision": "sha256:display", "display_rules": SAID["rules"]})


@pytest.fixture(params=["embedded", "opa"])
def ask_either(request: pytest.FixtureRequest) -> Ask:
    return asking(EmbeddedEngine() if request.param == "embedded" else request.getfixturevalue("opa_engine"), BUNDLE)


def of_person(age: str, region: str, purpose: str, state: str = "given") -> Facts:
    facts = copy.deepcopy(BASE)
    facts["subject"] |= {"age_band": age, "region": region}
    facts["consent"]["state"], facts["purpose"] = state, purpose
    return facts


DUTIES = {"hide_items", "hide_flagged", "hide_promotions"}


def hidden_by(answer: dict[str, Any]) -> set[str]:
    """Return what is hidden in the words of the table."""
    return {word for each in answer["obligations"] if each["type"] in DUTIES for word in _words(**each)}


def _words(type: str, properties: dict[str, Any]) -> list[str]:  # noqa: A002 (as the answer calls it)
    flags = [f"flag:{flag}" for flag in properties.get("flags", [])]
    if type == "hide_promotions":
        return [f"ad:{name}" for name in [*properties["categories"], *properties["flags"]]] or ["ads"]
    return properties["categories"] if type == "hide_items" else flags


@pytest.mark.parametrize("line", SAID["table"].strip().splitlines())
@pytest.mark.parametrize("state", ["given", "refused"])
def test_a_person_is_not_shown_what_the_table_says(ask_either: Ask, line: str, state: str) -> None:
    age, region, purpose, *hidden = line.split()

    answer = ask_either(of_person(age, region, purpose, state))

    assert hidden_by(answer) == set(hidden) - {"nothing"}
    assert not answer["decision"] or state == "given", "a permit and a denial hide the same"


def test_the_table_has_every_rule_fire_and_not_fire() -> None:
    answers = [line.split()[3:] for line in SAID["table"].strip().splitlines()]

    for rule in SAID["rules"].values():
        if rule.get("effect") == "show":
            continue
        kind = "hide_promotions" if rule.get("promotions_only") else "hide_items"
        said = {"categories": rule["item_categories"], "flags": rule.get("item_flags", [])}
        words = {*_words(kind, said), *([] if rule.get("promotions_only") else _words("hide_flagged", said))}
        fires = [words <= set(answer) for answer in answers]
        assert any(fires)
        assert not all(fires)


def test_a_rule_changes_nothing_else(ask_either: Ask, ask_embedded: Ask) -> None:
    for facts in drawn_facts(300):
        answer = ask_either(facts)
        rest = [each for each in answer["obligations"] if each["type"] not in DUTIES]
        assert answer | {"obligations": rest, "revision": REGISTER["revision"]} == ask_embedded(facts), facts


def test_both_engines_hide_the_same(opa_engine: OpaEngine) -> None:
    embedded, opa = asking(EmbeddedEngine(), BUNDLE), asking(opa_engine, BUNDLE)
    hiding = 0

    for number, facts in enumerate(drawn_facts(400)):
        idle = [["alcohol-us"], "alcohol-eea", None][number % 3]
        answer = embedded(facts | {"idle_display_rules": idle})
        assert opa(facts | {"idle_display_rules": idle}) == answer, json.dumps(facts)
        hiding += bool(hidden_by(answer))

    assert hiding > 15
