"""A rollout's way: who may do what, what ends it, and that the candidate follows the registers."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from audit.models import AuditEvent
from common.http.problems import Conflict, InvalidRequest
from common.rollouts.shares import FULL
from consent.models import Purpose
from consent.register import register
from model_registry import services
from model_registry.models import Model
from oversight.models import Approval
from oversight.problems import ChangeRefused, SecondOfficerNeeded
from oversight.rollouts.service import WATCH
from policies.authoring import lifecycle, simulated
from policies.authoring.lifecycle import PolicyRefused
from policies.authoring.simulated import SimulationNeeded
from policies.bundles import candidates, publishing
from policies.models import ActiveBundle, Policy, Rollout, RolloutStep, SimulationReport
from policies.registers import defaults
from policies.rollout import service
from policies.rollout.guards import Guards, read_guards
from tests.helpers import models
from tests.helpers.rollouts import ANNA, BERTA, BROKEN, SAME, STRICT, publish, roll_back, simulate, start
from tests.helpers.wsgi_calls import call, changed, question

pytestmark = pytest.mark.usefixtures("shop_token")


def _row() -> ActiveBundle:
    return ActiveBundle.objects.get()


def _actions(policy: Policy) -> list[tuple[str, str]]:
    events = AuditEvent.objects.filter(object=policy.digest).order_by("position")
    return list(events.values_list("action", "actor"))


def test_the_way_into_force_is_told_step_by_step() -> None:
    policy = publish(STRICT)
    simulate(policy)

    rollout = service.start(policy, actor=ANNA, reason="fewer profiles")
    service.set_share(rollout.pk, 1_000, actor=BERTA)
    service.set_share(rollout.pk, 500, actor=ANNA)
    bundle = service.promote(rollout.pk, actor=BERTA)

    rollout.refresh_from_db()
    assert (rollout.state, rollout.started_by) == ("completed", ANNA)
    assert rollout.approval is not None
    assert (rollout.approval.actor, rollout.approval.author_name) == (BERTA, ANNA)
    assert [(step.kind, step.share) for step in rollout.steps.all()] == [
        ("started", 0), ("widened", 1_000), ("narrowed", 500), ("ended", 500),
    ]  # fmt: skip
    assert [action for action, _ in _actions(policy) if action.startswith("rollout")] == [
        "rollout.started", "rollout.widened", "rollout.narrowed", "rollout.completed",
    ]  # fmt: skip
    row, last = _row(), publishing.last_activation()
    assert (row.bundle, row.candidate_id, row.candidate_share, row.rollout_id) == (bundle, None, 0, None)
    assert last is not None
    assert (last.policy, last.kind, last.author, last.actor) == (policy, "approved", ANNA, BERTA)


@pytest.mark.parametrize("who", [ANNA, "officer:Anna"])
def test_the_author_may_start_and_stop_but_not_let_it_answer_anybody(who: str) -> None:
    rollout = start(STRICT)

    with pytest.raises(SecondOfficerNeeded):
        service.set_share(rollout.pk, 1, actor=who)
    with pytest.raises(SecondOfficerNeeded):
        service.promote(rollout.pk, actor=who)
    assert _row().candidate_share == 0
    service.stop(rollout.pk, actor=who, reason="a second thought")
    assert _row().candidate is None


def test_the_database_refuses_one_person_too() -> None:
    rollout = start(STRICT)

    with pytest.raises(IntegrityError, match="policies_rollout_approved"), transaction.atomic():
        Rollout.objects.filter(pk=rollout.pk).update(share=1)
    with pytest.raises(IntegrityError, match="oversight_two_persons"), transaction.atomic():
        Approval.objects.create(
            subject="rollout", object=str(rollout.pk), digest="", actor=ANNA, author_name=ANNA, verdict="approved"
        )


def test_at_most_one_rollout_runs() -> None:
    rollout = start(STRICT)

    with pytest.raises(Conflict, match="is running"):
        start(SAME)
    with pytest.raises(IntegrityError, match="policies_one_open_rollout"), transaction.atomic():
        Rollout.objects.create(policy=rollout.policy, started_by=ANNA, reason="")


def test_a_candidate_without_its_rollout_is_refused_by_the_database() -> None:
    with pytest.raises(IntegrityError, match="policies_candidate_of_a_rollout"), transaction.atomic():
        ActiveBundle.objects.update(candidate=_row().bundle)


def test_what_is_in_force_needs_no_rollout() -> None:
    with pytest.raises(Conflict, match="in force"):
        service.start(publishing.shipped_policy(), actor=ANNA, reason="")


@pytest.mark.parametrize("share", [-1, FULL + 1])
def test_a_share_is_between_nobody_and_everybody(share: int) -> None:
    with pytest.raises(ChangeRefused):
        service.set_share(start(STRICT).pk, share, actor=BERTA)


def test_a_share_that_is_there_already_is_a_conflict() -> None:
    with pytest.raises(Conflict, match="already"):
        service.set_share(start(STRICT, share=10).pk, 10, actor=BERTA)


def test_a_rollout_that_ended_cannot_be_acted_on_nor_the_next_one_in_its_place() -> None:
    first = start(STRICT)
    service.stop(first.pk, actor=ANNA, reason="wrong")
    start(SAME)

    for act in (
        lambda: service.set_share(first.pk, 1, actor=BERTA),
        lambda: service.promote(first.pk, actor=BERTA),
        lambda: service.stop(first.pk, actor=BERTA, reason="again"),
    ):
        with pytest.raises(Conflict, match="has ended"):
            act()
    assert roll_back(first, why="late") is False
    assert _row().candidate is not None


def test_stopping_says_why() -> None:
    with pytest.raises(ChangeRefused, match="why"):
        service.stop(start(STRICT).pk, actor=ANNA, reason=" ")


def test_a_guard_takes_back_once_and_says_why() -> None:
    rollout = start(STRICT, share=100)

    assert roll_back(rollout, why="7 % and 3 %", figures={"candidate": 7}) is True
    assert roll_back(rollout, why="again") is False

    rollout.refresh_from_db()
    assert (rollout.state, rollout.ended_by, rollout.why) == ("rolled_back", WATCH, "7 % and 3 %")
    ended = rollout.steps.last()
    assert ended is not None
    assert ended.figures == {"candidate": 7}
    assert _actions(rollout.policy)[-1] == ("rollout.rolled_back", WATCH)


@pytest.mark.parametrize("statement", ["UPDATE {} SET share = 1", "DELETE FROM {}", "TRUNCATE {}"])
def test_steps_cannot_be_rewritten(statement: str) -> None:
    start(STRICT)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format("policies_rolloutstep"))


# What happens to it when other things come into force.


def _roll_back() -> Any:
    return lifecycle.roll_back(actor=ANNA, reason="wrong")


def _emergency() -> Any:
    return lifecycle.activate_policy(publish(SAME), actor=ANNA, reason="harm", emergency=True)


def _release() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        policies = {**publishing.read_policies(), "more.rego": "package governance.decision\n"}
        patch.setattr(publishing, "read_policies", lambda: policies)
        assert defaults.ensure_defaults() is True
    return None


@pytest.mark.parametrize("other", [_roll_back, _emergency, _release])
def test_another_policy_in_force_ends_the_rollout(other: Any) -> None:
    if other is _roll_back:
        lifecycle.activate_policy(
            publish({"# The answer to": "# An answer to"}), actor=ANNA, reason="x", emergency=True
        )
    rollout = start(STRICT, share=100)

    other()

    rollout.refresh_from_db()
    assert rollout.state == "overtaken"
    assert "brought into force meanwhile" in rollout.why
    assert _row().candidate is None


def test_activating_the_candidate_itself_ends_the_rollout_too() -> None:
    rollout = start(STRICT)

    lifecycle.activate_policy(rollout.policy, actor=ANNA, reason="harm", emergency=True)

    rollout.refresh_from_db()
    assert rollout.state == "overtaken"
    assert _row().candidate is None


def test_confirming_an_emergency_keeps_the_rollout() -> None:
    alone = publish(SAME)
    lifecycle.activate_policy(alone, actor=ANNA, reason="harm", emergency=True)
    rollout = start(STRICT)

    lifecycle.confirm(alone, actor=BERTA)

    rollout.refresh_from_db()
    assert rollout.is_open


def test_an_upgrade_that_leaves_an_own_policy_in_force_keeps_the_rollout() -> None:
    lifecycle.activate_policy(publish(SAME), actor=ANNA, reason="harm", emergency=True)
    rollout = start(STRICT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing, "read_policies", lambda: {"decision.rego": "package governance.decision\n"})
        assert defaults.ensure_defaults() is False

    rollout.refresh_from_db()
    assert rollout.is_open


# The registers change.


def test_a_change_of_the_registers_makes_the_candidate_anew() -> None:
    rollout = start(STRICT, share=100)
    before = _row()

    register.save_purpose(Purpose(slug="loyalty", name="Loyalty", benefit="x"), actor="test")

    after = _row()
    assert after.candidate is not None
    assert after.candidate_id != before.candidate_id
    assert after.bundle_id != before.bundle_id
    assert "loyalty" in json.loads(after.candidate.data)["purposes"]
    assert after.candidate.policies == rollout.policy.modules
    assert after.candidate_share == 100
    assert set(candidates.candidate_revisions(rollout)) == {before.candidate_id, after.candidate_id}


def test_both_bundles_are_over_the_same_registers() -> None:
    start(STRICT)
    register.save_purpose(Purpose(slug="loyalty", name="Loyalty", benefit="x"), actor="test")

    row = _row()
    assert row.candidate is not None
    assert row.bundle.data == row.candidate.data


def test_registers_nobody_published_are_in_both_bundles_from_the_start() -> None:
    Purpose.objects.filter(slug="newsletter").update(data_categories=["views"])

    start(STRICT)

    row = _row()
    assert row.candidate is not None
    assert row.bundle.data == row.candidate.data
    assert json.loads(row.bundle.data)["purposes"]["newsletter"]["data_categories"] == ["views"]


def test_a_model_suspended_during_a_rollout_is_suspended_for_the_candidate(shop_token: str) -> None:
    version = services.register_version(
        model=Model.objects.create(slug="basket", name="Basket"),
        purposes=[Purpose.objects.get(slug="recommendations")],
        actor="test",
    )
    models.go_live(version)
    start(SAME, share=FULL)
    asked = changed("resource.properties.model", "basket@1")
    assert call(asked, shop_token).json()["decision"] is True

    models.take(version, "suspended")

    answer = call(asked, shop_token).json()
    assert answer["context"]["bundle_revision"] == _row().candidate_id
    assert [reason["code"] for reason in answer["context"]["reasons"]] == ["model_not_live"]


# Publishing asks for a simulation.


def test_without_a_simulation_nothing_starts_and_nothing_is_activated() -> None:
    policy = publish(STRICT)

    for act in (
        lambda: service.start(policy, actor=BERTA, reason=""),
        lambda: lifecycle.activate_policy(policy, actor=BERTA, reason=""),
    ):
        with pytest.raises(SimulationNeeded, match=f"manage simulate {policy}"):
            act()
    assert not Rollout.objects.exists()


def test_an_empty_log_makes_a_report_that_counts() -> None:
    policy = publish(STRICT)

    simulate(policy)

    assert SimulationReport.objects.get().decisions_read == 0
    assert service.start(policy, actor=ANNA, reason="").is_open


def test_a_report_outlasts_changes_of_the_registers_but_not_of_the_rules_in_force() -> None:
    policy = publish(STRICT)
    simulate(policy)
    register.save_purpose(Purpose(slug="loyalty", name="Loyalty", benefit="x"), actor="test")
    assert simulated.recent_report(policy) is not None

    lifecycle.activate_policy(publish(SAME), actor=ANNA, reason="harm", emergency=True)

    assert simulated.recent_report(policy) is None


def test_a_report_grows_old() -> None:
    policy = publish(STRICT)
    simulate(policy)

    SimulationReport.objects.update(finished_at=timezone.now() - simulated.RECENT - timedelta(seconds=1))

    assert simulated.recent_report(policy) is None


@pytest.mark.parametrize("state", ["waiting", "running", "failed"])
def test_a_simulation_that_is_not_done_is_no_report(state: str) -> None:
    policy = publish(STRICT)
    simulate(policy)

    SimulationReport.objects.update(state=state)

    assert simulated.recent_report(policy) is None


def test_another_policys_report_is_none_of_this_one() -> None:
    simulate(publish(SAME))

    assert simulated.recent_report(publish(STRICT)) is None


def test_an_emergency_starts_without_a_simulation_and_is_loud() -> None:
    policy = publish(STRICT)
    with pytest.raises(ChangeRefused, match="reason"):
        service.start(policy, actor=ANNA, reason=" ", emergency=True)

    service.start(policy, actor=ANNA, reason="people are harmed", emergency=True)

    assert ("rollout.started_in_emergency", ANNA) in _actions(policy)


def test_a_policy_that_does_not_run_is_no_candidate() -> None:
    with pytest.raises(PolicyRefused):
        start({"answer := {\n": "answer := {{\n"})
    assert not RolloutStep.objects.exists()


@pytest.mark.parametrize(
    "document",
    [{"deny_points": 0}, {"deny_points": 101}, {"at_least": 1}, {"latency_ratio": 1}, {"window_minutes": 0}, {"x": 1}],
)
def test_guards_that_make_no_sense_are_refused(document: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="make no sense"):
        read_guards(document)


def test_guards_come_back_as_they_were_set() -> None:
    rollout = start(BROKEN, guards=Guards(window_minutes=3, deny_points=0.5))

    rollout.refresh_from_db()
    assert read_guards(rollout.guards) == Guards(window_minutes=3, deny_points=0.5)


def test_a_question_asked_before_anything_is_in_force_is_no_candidates() -> None:
    start(STRICT, share=FULL)
    ActiveBundle.objects.all().delete()

    from policies.decisions import information
    from policies.endpoints.authzen import question_of

    assert information.read(question_of(question()).subject_ref).bundle_revision is None
