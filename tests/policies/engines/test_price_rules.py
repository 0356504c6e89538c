"""Bounds of personal prices, as a table a lawyer can read (``tests/cases/prices``), by both engines."""

import copy
import json
from typing import Any

import pytest
import yaml

from policies.engines.embedded import EmbeddedEngine
from policies.engines.opa import OpaEngine
from tests.helpers.fact_sheets import BASE, drawn_facts
from tests.helpers.policy_engines import CASES, REGISTER, Ask, Facts, asking, bundle_of

SAID = yaml.safe_load((CASES / "prices" / "rules.yaml").read_text())
BUNDLE = bundle_of(REGISTER | {"revision": "sha256:prices", "price_rules": SAID["rules"]})
LAWS = {"DE": "gdpr", "GB": "uk-gdpr", "US-CA": "us-ca", "US-CO": "us-co"}
PROCESSED = {"DE": "eu-central", "GB": "uk-south"}


@pytest.fixture(params=["embedded", "opa"])
def ask_either(request: pytest.FixtureRequest) -> Ask:
    return asking(EmbeddedEngine() if request.param == "embedded" else request.getfixturevalue("opa_engine"), BUNDLE)


def of_person(age: str, region: str, state: str) -> Facts:
    facts = copy.deepcopy(BASE)
    facts |= {"action": "price", "purpose": "personal_pricing", "model": None}
    facts["processing"] |= {"data_categories": ["purchases"], "region": PROCESSED.get(region, "us-east")}
    facts["subject"] |= {"age_band": age, "region": region, "jurisdiction": LAWS.get(region, "unknown")}
    facts["consent"]["state"] = state
    if state == "never_asked":
        facts["ancestors"] = {}  # a yes to a broader purpose is one
    return facts


def bounds(answer: dict[str, Any]) -> str:
    """Return the bounds of an answer in the words of the table."""
    if not answer["decision"]:
        return "list"
    said = [each["properties"] for each in answer["obligations"] if each["type"] == "price_bounds"]
    return f"{100 - min(each['most_below'] for each in said)}-{100 + min(each['most_above'] for each in said)}"


@pytest.mark.parametrize("line", SAID["table"].strip().splitlines())
def test_a_price_keeps_to_what_the_table_says(ask_either: Ask, line: str) -> None:
    age, region, state, expected = line.split()

    answer = ask_either(of_person(age, region, state))

    assert bounds(answer) == expected, answer["reasons"]
    disclosed = any(each["type"] == "disclose_personal_price" for each in answer["obligations"])
    assert disclosed is answer["decision"]


def test_both_engines_bound_alike_and_nothing_but_prices(opa_engine: OpaEngine) -> None:
    embedded, opa = asking(EmbeddedEngine(), BUNDLE), asking(opa_engine, BUNDLE)
    bounded = 0

    for facts in drawn_facts(400):
        answer = embedded(facts)
        assert opa(facts) == answer, json.dumps(facts)
        said = any(each["type"] == "price_bounds" for each in answer["obligations"])
        assert said is (answer["decision"] and facts["action"] == "price")
        bounded += said

    assert bounded
