"""Which fields of items are masked for whom, as a table a lawyer can read (``tests/cases/masking``): both engines."""

import copy
import itertools
import json
from typing import Any

import pytest
import yaml

from policies.engines.embedded import EmbeddedEngine
from policies.engines.opa import OpaEngine
from tests.helpers.fact_sheets import BASE, drawn_facts
from tests.helpers.policy_engines import CASES, REGISTER, Ask, asking, bundle_of

SAID = yaml.safe_load((CASES / "masking" / "rules.yaml").read_text())
BUNDLE = bundle_of(REGISTER | {"revision": "sha256:masking", "mask_rules": SAID["rules"]})
LINES = [line.split() for line in SAID["table"].strip().splitlines()]


@pytest.fixture(params=["embedded", "opa"])
def ask_either(request: pytest.FixtureRequest) -> Ask:
    return asking(EmbeddedEngine() if request.param == "embedded" else request.getfixturevalue("opa_engine"), BUNDLE)


def masked_by(answer: dict[str, Any]) -> set[str]:
    said = [each["properties"] for each in answer["obligations"] if each["type"] == "mask_fields"]
    return {field for each in said for field in each["fields"]}


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_an_answer_masks_what_the_table_says(ask_either: Ask, line: list[str]) -> None:
    age, region, purpose, *fields = line

    for action, state in itertools.product(["personalize", "price"], ["given", "refused"]):
        facts = copy.deepcopy(BASE) | {"action": action, "purpose": purpose}
        facts["subject"] |= {"age_band": age, "region": region}
        facts["consent"]["state"] = state
        assert masked_by(ask_either(facts)) == set(fields) - {"nothing"}


def test_the_table_has_every_rule_fire_and_not_fire() -> None:
    for rule in SAID["rules"].values():
        fires = [set(rule["item_fields"]) <= set(fields) for *_, fields in ((line[2], line[3:]) for line in LINES)]
        assert any(fires)
        assert not all(fires)


def test_a_rule_changes_nothing_else_in_either_engine(opa_engine: OpaEngine, ask_embedded: Ask) -> None:
    embedded, opa = asking(EmbeddedEngine(), BUNDLE), asking(opa_engine, BUNDLE)
    masking = 0

    for facts in drawn_facts(300):
        answer = embedded(facts)
        assert opa(facts) == answer, json.dumps(facts)
        rest = [each for each in answer["obligations"] if each["type"] != "mask_fields"]
        assert answer | {"obligations": rest, "revision": REGISTER["revision"]} == ask_embedded(facts)
        masking += bool(masked_by(answer))
        assert not masked_by(answer) or facts["action"] in ("personalize", "price")

    assert masking > 15
