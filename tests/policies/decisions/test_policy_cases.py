"""The decision policy, asked through the embedded engine and through OPA itself.

The cases are tables a lawyer can read (``tests/cases``). Both of our engines must give the expected answer to every
one of them, and the same one; OPA is the authority, a difference is a bug.
"""

import copy
from typing import Any

import pytest
import yaml

from policies.bundles import publishing
from tests.helpers.fact_sheets import BASE, place_of
from tests.helpers.policy_engines import CASES, REGISTER, Ask, Facts


def all_cases() -> list[Any]:
    files = [path for path in sorted(CASES.glob("*.yaml")) if path.stem != "base"]
    return [
        pytest.param(case, id=f"{path.stem}: {case['description']}")
        for path in files
        for case in yaml.safe_load(path.read_text())["cases"]
    ]


def facts_of(case: dict[str, Any]) -> Facts:
    facts = copy.deepcopy(BASE)
    for dotted, value in case["given"].items():
        place, last = place_of(facts, dotted)
        place[last] = value
    for dotted in case.get("missing", []):
        place, last = place_of(facts, dotted)
        del place[last]
    return facts


def reason(written: str | dict[str, str]) -> dict[str, str]:
    """Turn ``consent_refused`` or ``consent_refused: channel`` into the reason the policy answers."""
    if isinstance(written, str):
        return {"code": written}
    ((code, detail),) = written.items()
    return {"code": code, "detail": detail}


def obligation(written: dict[str, dict[str, Any]]) -> dict[str, Any]:
    ((kind, properties),) = written.items()
    return {"type": kind, "properties": properties}


def check(case: dict[str, Any], answer: dict[str, Any]) -> None:
    expected = case["expected"]

    assert answer["decision"] is expected["decision"]
    assert answer["level"] == expected.get("level")
    assert answer["reasons"] == [reason(written) for written in expected["reasons"]]
    assert answer["obligations"] == [obligation(written) for written in expected["obligations"]]
    for optional in ("legal_basis", "requestable"):
        assert answer[optional] == expected.get(optional, answer[optional])


@pytest.mark.parametrize("case", all_cases())
def test_embedded_engine_answers_the_case(case: dict[str, Any], ask_embedded: Ask) -> None:
    check(case, ask_embedded(facts_of(case)))


@pytest.mark.parametrize("case", all_cases())
def test_opa_answers_the_case_like_the_embedded_engine(case: dict[str, Any], ask_embedded: Ask, ask_opa: Ask) -> None:
    facts = facts_of(case)

    answer = ask_opa(facts)

    check(case, answer)
    assert answer == ask_embedded(facts)


def test_every_code_of_the_policy_has_a_case() -> None:
    source = publishing.read_policies()["reasons.rego"]
    table = source.split("precedence := {")[1].split("}")[0]
    codes = {line.split('"')[1] for line in table.splitlines() if '"' in line}

    given_in_cases = {
        reason(written)["code"] for case in all_cases() for written in case.values[0]["expected"]["reasons"]
    }

    assert codes == given_in_cases


def test_the_revision_of_the_data_is_in_the_answer(ask_embedded: Ask) -> None:
    assert ask_embedded(BASE)["revision"] == REGISTER["revision"]
