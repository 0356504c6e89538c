"""docs/policy-lifecycle.md, walked on the shell: from an edited rule to the roll-back that comes by itself."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from audit.models import AuditEvent
from policies import rego, tasks
from policies.bundles import publishing
from policies.decision_log import chain, drainer
from policies.models import ActiveBundle, Policy, Rollout, SimulationReport
from tests.helpers.policy_engines import CASES
from tests.helpers.wsgi_calls import call, question

REGO = rego.FOLDER
Ask = Callable[[int], list[bool]]


@pytest.fixture(autouse=True)
def officers(shop_token: str) -> None:
    for name in ("anna", "berta"):
        get_user_model().objects.create_superuser(name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped policies with one more condition, which the tests beside them do not notice."""
    made = tmp_path / "policies"
    shutil.copytree(REGO, made)
    shutil.copy(CASES / "data.json", made / "sample.json")
    decision = made / "decision.rego"
    held = "\tinput.held == false\n"
    assert held in decision.read_text()
    decision.write_text(decision.read_text().replace(held, f'{held}\tinput.subject.region != "DE-XX"\n', 1))
    return made


@pytest.fixture
def ask(shop_token: str, own_spool: Path) -> Ask:
    def asking(times: int) -> list[bool]:
        told = [call(question(), shop_token).json()["decision"] for _ in range(times)]
        drainer.drain(own_spool)
        return told

    return asking


def _run(*arguments: Any) -> str:
    said = io.StringIO()
    call_command(*map(str, arguments), stdout=said, stderr=said)
    return said.getvalue()


def _rollout(*arguments: Any) -> str:
    return _run("policy", "rollout", *arguments)


def _published(folder: Path) -> str:
    _run("policy", "publish", folder, "--as", "anna", "--note", "closed in Germany")
    return str(Policy.objects.exclude(author=publishing.SYSTEM).get())


def _strict(digest: str) -> Policy:
    """The same, gone wrong as no test of the folder noticed."""
    policy = Policy.objects.get(digest__startswith=f"sha256:{digest}")
    modules = {**policy.modules, "decision.rego": policy.modules["decision.rego"].replace('"DE-XX"', '"DE"')}
    return Policy.objects.create(
        digest=publishing.policy_digest(modules, {}), modules=modules, author=policy.author, note=policy.note
    )


def test_what_is_printed_can_be_run_as_it_stands(folder: Path, ask: Ask, settings: Any) -> None:
    settings.HOME_OPTION = " --home '/srv/a shop'"
    ask(30)
    policy = _published(folder)

    with pytest.raises(CommandError, match=f"Run ./assent manage simulate {policy} --home '/srv/a shop', or"):
        _rollout("start", policy, "--as", "anna")
    _run("simulate", policy)

    said = _rollout("start", policy, "--as", "anna")
    assert "./assent policy rollout share 10 --as NAME --home '/srv/a shop'" in said


def test_from_an_edited_rule_to_the_roll_back_that_comes_by_itself(folder: Path, ask: Ask) -> None:
    assert ask(30) == [True] * 30
    _run("policy", "lint", folder)
    policy = _strict(_published(folder))
    with pytest.raises(CommandError, match=f"manage simulate {policy}"):
        _rollout("start", policy, "--as", "anna")
    assert "Of 30 decisions 30 would come out differently" in _run("simulate", policy)

    said = _rollout("start", policy, "--as", "anna", "--at-least", "20", "--window", "30")
    assert "beside the active one" in said
    assert "The embedded engine evaluates both." in said
    with pytest.raises(CommandError, match="its author"):
        _rollout("share", "10", "--as", "anna")
    assert "answers nobody" in _rollout("status")
    assert "rolling out" in _run("policy", "list")
    assert ask(10) == [True] * 10
    tasks.watch_rollout()
    assert "judge after 10 more decisions" in _rollout("status")

    assert "answers 100 % of the people" in _rollout("share", "100", "--as", "berta")
    assert ask(25) == [False] * 25
    tasks.watch_rollout()

    assert ask(5) == [True] * 5
    said = _rollout("status")
    assert "rolled back by a guard" in said
    assert "100.0 % of the decisions of the candidate were denials, 0.0 % of the active one's" in said
    told = list(AuditEvent.objects.filter(object=policy.digest).order_by("position").values_list("action", "actor"))
    assert [entry for entry in told if entry[0].startswith("rollout")] == [
        ("rollout.started", "officer:anna"),
        ("rollout.widened", "officer:berta"),
        ("rollout.rolled_back", "job:rollout"),
    ]
    assert chain.verify().broken is None


def test_from_an_edited_rule_into_force(folder: Path, ask: Ask) -> None:
    digest = _published(folder)
    _run("simulate", digest)
    _rollout("start", digest, "--as", "anna", "--at-least", "20")
    ask(25)
    tasks.watch_rollout()
    _rollout("share", "12.5", "--as", "berta")
    assert ActiveBundle.objects.get().candidate_share == 1_250

    said = _rollout("promote", "--as", "berta", "--because", "seen for a day")

    assert f"policy {digest}" in said
    assert "DE-XX" in ActiveBundle.objects.select_related("bundle").get().bundle.policies["decision.rego"]
    assert ask(1) == [True]
    assert "in force for everybody" in _rollout("status")


def test_stopping_takes_its_reason_and_one_person(folder: Path) -> None:
    digest = _published(folder)
    _run("simulate", digest)
    _rollout("start", digest, "--as", "berta")
    with pytest.raises(CommandError):
        _rollout("stop", "--as", "anna")

    assert "answers nobody" in _rollout("stop", "--as", "anna", "--because", "not now")

    assert Rollout.objects.get().why == "not now"
    assert "not now" in _rollout("status")


def test_an_emergency_needs_no_simulation_and_a_reason(folder: Path) -> None:
    digest = _published(folder)
    assert not SimulationReport.objects.exists()
    with pytest.raises(CommandError, match="reason"):
        _rollout("start", digest, "--as", "anna", "--emergency")

    _rollout("start", digest, "--as", "anna", "--emergency", "--because", "people are harmed")

    assert AuditEvent.objects.get(action="rollout.started_in_emergency").details["reason"] == "people are harmed"


@pytest.mark.parametrize(
    "arguments",
    [("share", "10"), ("promote",), ("stop", "--because", "x")],
)
def test_without_a_rollout_there_is_nothing_to_do(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="No rollout is running"):
        _rollout(*arguments, "--as", "anna")
    assert "no rollout yet" in _rollout("status")


@pytest.mark.parametrize("percent", ["101", "nan", "inf", "ten"])
def test_a_share_that_makes_no_sense_is_refused(percent: str) -> None:
    with pytest.raises(CommandError):
        _rollout("share", percent, "--as", "anna")


def test_limits_that_make_no_sense_are_refused(folder: Path) -> None:
    digest = _published(folder)
    _run("simulate", digest)

    with pytest.raises(CommandError, match="make no sense"):
        _rollout("start", digest, "--as", "anna", "--deny-points", "0")
    assert not Rollout.objects.exists()
