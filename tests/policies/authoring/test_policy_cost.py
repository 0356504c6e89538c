"""A policy that is slow at its worst is refused before it is published, and again over the registers of the day."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError

from policies.authoring import checks, cost
from policies.authoring.folder import read_folder
from policies.engines.embedded import EmbeddedEngine
from policies.models import Policy
from tests.helpers.policy_engines import REGISTER, bundle_of
from tests.policies.authoring.test_policy_command import _publish, _replace, folder, officers  # noqa: F401 (fixtures)
from tests.policies.engines.test_engine_limits import LOOP

# Nothing the lint knows as large, and 191 million combinations of what one question may say.
MANY = "; ".join(f"some {name} in input.signals.tcf_purposes" for name in "abcdef") + "; a + b + c + d + e + f == 0"


def test_the_sheets_lead_into_the_policy_and_the_first_holds_all_there_can_be() -> None:
    bundle, sheets = bundle_of(REGISTER), cost.sheets(REGISTER)
    engine = EmbeddedEngine()

    verdicts = [engine.evaluate(bundle, json.dumps(sheet).encode()) for sheet in sheets]

    assert len(sheets) == cost.SHEETS
    assert sheets == cost.sheets(REGISTER), "the same every time"
    assert len({verdict.reasons[0].code for verdict in verdicts if verdict.reasons}) > 4
    assert {verdict.decision for verdict in verdicts} == {True, False}
    assert len(sheets[0]["signals"]["tcf_purposes"]) == 24
    assert set(sheets[0]["ancestors"]) == set(REGISTER["purposes"])


def test_a_combinatorial_loop_that_no_test_reaches_is_refused_at_publishing(folder: Path, officers: None) -> None:  # noqa: F811
    slow = f"slow if {{\n\tcount(input.signals.tcf_purposes) > 20\n\t{MANY}\n}}\n"
    _replace(folder / "decision.rego", "permitted if {\n", f"{slow}\npermitted if {{\n\tnot slow\n")
    report = checks.check(read_folder(folder))

    assert report.findings == []
    assert [problem for problem in report.problems if "used up the time" in problem]
    with pytest.raises(CommandError):
        _publish(folder)
    assert not Policy.objects.exclude(author="system").exists()


def _timed(policies: dict[str, str]) -> list[str]:
    return checks._too_slow(policies, REGISTER)


def test_what_takes_long_without_being_endless_is_told_in_milliseconds() -> None:
    slow = "count([1 | some a in numbers.range(1, 400); some b in numbers.range(1, 400); a * b == 0]) > 0"
    policies = {"decision.rego": f"package governance.decision\n\nanswer := 1 if {{\n\t{slow}\n}}\n"}

    [problem] = _timed(policies)

    assert problem.startswith("governance.decision.answer takes ")
    assert problem.endswith(f"{cost.MAX_MS} ms are allowed.")


def test_what_does_not_end_ends_the_child_and_is_refused() -> None:
    policies = {"decision.rego": f"package governance.decision\n\nanswer := 1 if {{\n\t{LOOP}\n}}\n"}

    [problem] = _timed(policies)

    assert "used up the time" in problem
