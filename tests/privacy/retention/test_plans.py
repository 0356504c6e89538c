"""A deletion plan: counted, frozen, signed, approved as it is; a run deletes what it says or stops."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit import jws, trail
from audit.models import AuditEvent
from common.actors import Officer
from common.http.problems import Problem
from consent.models import DataSubject
from oversight.models import Approval, WorkItem
from oversight.officers import single
from oversight.problems import ChangeRefused, Outdated, SecondOfficerNeeded
from personalization.models import Event
from privacy import tasks
from privacy.models import DeletionPlan, Disposal, RetentionSchedule
from privacy.retention import control, disposal, manifest, plans, schedules
from privacy.retention.pacing import Pace
from tests.helpers.officers import make_accounts

pytestmark = pytest.mark.django_db
ANN, BEN = Officer.of("ann", 1001), Officer.of("ben", 1002)


@pytest.fixture(autouse=True)
def no_worker(monkeypatch):
    monkeypatch.setattr(tasks.run_disposals, "apply_async_on_commit", lambda **message: None)


@pytest.fixture
def schedule(register_in_force):
    """Recommendations are kept 365 days; Ann and Ben have accounts that are independent."""
    make_accounts(ANN, BEN)
    return RetentionSchedule.objects.select_related("purpose").get(purpose__slug="recommendations")


@pytest.fixture
def approved(schedule):
    """Make a plan of what is due and approve it by another officer; return its run."""

    def prepare():
        plan = plans.make(schedule, actor=ANN)
        return disposal.run_of(plans.approve(plan, actor=BEN, seen=plan.digest))

    return prepare


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(disposal, "BATCH", 4)


class _Killed(Exception):
    pass


def _left_off(run):
    """Run one batch as if the worker had died after it."""

    def die(_seconds):
        raise _Killed

    with pytest.raises(_Killed):
        disposal.run(run.id, pace=Pace(gentle=False, rows_per_s=1, sleep=die))
    return Disposal.objects.get(pk=run.id)


def test_a_plan_counts_what_is_due_held_and_stored(schedule, choose, remember):
    choose("customer-1", "give")
    remember("customer-1", 2, days=400)
    remember("customer-2", 3, days=500)
    remember("customer-2", 1, days=3)
    DataSubject.objects.update(held=True)

    plan = plans.make(schedule, actor=ANN)

    found = plan.document["data_sets"]["events"]
    assert (found["due"], found["held"], found["stored"], len(found["sample_sha256"])) == (3, 2, 6, 3)
    assert plan.blockers == []
    assert Event.objects.count() == 6


def test_a_plan_shows_no_key_and_no_person(schedule, remember):
    keys = remember("customer-2", 3, days=500)

    document = str(plans.make(schedule, actor=ANN).document)

    assert not [key for key in keys if key in document or key.replace("-", "") in document]
    assert str(Event.objects.first().subject_ref) not in document


def test_a_plan_is_signed_and_sealed(schedule, remember):
    remember("customer-2", 3, days=500)

    plan = plans.make(schedule, actor=ANN)

    payload, _ = jws.verify(plan.signature, typ="assent-deletion-plan")
    assert payload.decode() == plan.digest
    assert AuditEvent.objects.get(action="plan.made").details["digest"] == plan.digest


def test_a_run_deletes_what_its_plan_says(schedule, remember, approved):
    remember("customer-2", 3, days=500)
    young = remember("customer-2", 2, days=3)

    done = disposal.run(approved().id, pace=Pace(gentle=False))

    assert (done.status, done.removed) == ("done", {"events": 3})
    assert sorted(str(pk) for pk in Event.objects.values_list("pk", flat=True)) == sorted(young)
    assert done.plan.digest in manifest.manifest(done).decode()


def test_a_plan_without_approval_deletes_nothing(schedule, remember):
    remember("customer-2", 3, days=500)

    with pytest.raises(plans.PlanRefused, match="not approved"):
        disposal.run_of(plans.make(schedule, actor=ANN))

    assert Event.objects.count() == 3


@pytest.mark.parametrize(
    ("actor", "reason"), [(ANN, "Another officer"), ("operator", "signed in"), ("officer:ben", "signed in")], ids=str
)
def test_only_another_officer_approves(schedule, remember, actor, reason):
    remember("customer-2", 3, days=500)
    plan = plans.make(schedule, actor=ANN)

    with pytest.raises(Problem) as refused:
        plans.approve(plan, actor=actor, seen=plan.digest)

    assert reason in refused.value.detail
    assert DeletionPlan.objects.get().state == "proposed"


def _waiting():
    return list(WorkItem.objects.filter(state="open").values_list("kind", "object"))


def test_a_plan_waits_in_the_queue_until_it_is_decided(schedule):
    first = plans.make(schedule, actor=ANN)
    assert _waiting() == [("plan-approval", str(first.pk))]
    second = plans.make(schedule, actor=ANN)
    assert _waiting() == [("plan-approval", str(second.pk))]
    with pytest.raises(ChangeRefused, match="Say why"):
        plans.refuse(second, actor=BEN, seen=second.digest, reason=" ")

    plans.refuse(second, actor=BEN, seen=second.digest, reason="Too many.")

    assert _waiting() == []
    refused = DeletionPlan.objects.get(pk=second.pk)
    assert (refused.state, refused.decision.actor, refused.decision.reason) == ("refused", BEN, "Too many.")


def test_an_account_that_the_author_set_up_does_not_approve(schedule):
    plan = plans.make(schedule, actor=ANN)
    details = {"account": BEN.account, "by": ANN.account}
    trail.record("officer.password_set", f"account:{BEN.account}", actor=ANN, details=details)

    with pytest.raises(SecondOfficerNeeded, match="do not count as two persons"):
        plans.approve(plan, actor=BEN, seen=plan.digest)

    assert DeletionPlan.objects.get().state == "proposed"
    assert not Approval.objects.exists()


def test_its_author_withdraws_a_plan(schedule):
    plan = plans.make(schedule, actor=ANN)

    plans.refuse(plan, actor=ANN, seen=plan.digest, reason="")

    assert (DeletionPlan.objects.get().state, _waiting()) == ("refused", [])
    assert AuditEvent.objects.filter(action="plan.withdrawn").exists()


def test_the_only_officer_approves_an_own_plan(schedule, remember):
    remember("customer-2", 3, days=500)
    plan = plans.make(schedule, actor=ANN)
    single.switch(on=True)

    approved = plans.approve(plan, actor=ANN, seen=plan.digest)

    assert (approved.state, approved.decision.is_single) == ("approved", True)


def test_the_database_refuses_an_approval_without_a_verdict(schedule, remember, settings):
    settings.RETENTION_MAX_SHARE_PERCENT = 1
    remember("customer-2", plans.GUARDED_FROM, days=500)
    plan = plans.make(schedule, actor=ANN)

    with pytest.raises(IntegrityError, match="privacy_plan_approved"), transaction.atomic():
        DeletionPlan.objects.filter(pk=plan.pk).update(state="approved")


def test_the_database_refuses_one_account_for_both(schedule, remember):
    plan = plans.make(schedule, actor=ANN)

    with pytest.raises(IntegrityError, match="oversight_two_persons"), transaction.atomic():
        Approval.objects.create(
            subject="plan", object=str(plan.pk), digest=plan.digest, verdict="approved",
            actor="officer:another", account=ANN.account, author_name=ANN, author=ANN.account,
        )  # fmt: skip


def test_a_plan_that_was_not_seen_is_not_approved(schedule):
    plan = plans.make(schedule, actor=ANN)

    with pytest.raises(Outdated) as refused:
        plans.approve(plan, actor=BEN, seen="0" * 64)

    assert "has changed since you opened it" in refused.value.detail


def test_a_refused_plan_cannot_be_approved(schedule):
    plan = plans.make(schedule, actor=ANN)
    plans.refuse(plan, actor=BEN, seen=plan.digest, reason="Too many.")

    with pytest.raises(plans.PlanRefused) as refused:
        plans.approve(plan, actor=BEN, seen=plan.digest)

    assert "refused already" in refused.value.detail


def _changed_document():
    plan = DeletionPlan.objects.get()
    plan.document["data_sets"]["events"]["due"] = 1_000_000
    plan.save()


def _gone_data_set(monkeypatch):
    monkeypatch.setattr(schedules, "_stores", {})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_changed_document, "changed after it was signed"),
        (lambda: RetentionSchedule.objects.update(is_active=False), "not in use any more"),
        (lambda: RetentionSchedule.objects.update(retain_for=timedelta(days=366)), "longer now"),
        (lambda: DeletionPlan.objects.update(made_at=timezone.now() - timedelta(days=8)), "older than 7 days"),
        (None, "events is not registered any more"),
    ],
    ids=["document", "schedule off", "longer period", "old plan", "data set gone"],
)
def test_a_plan_that_no_longer_holds_stops_its_run(remember, approved, monkeypatch, change, reason):
    remember("customer-2", 3, days=500)
    run = approved()
    change() if change else _gone_data_set(monkeypatch)

    stopped = disposal.run(run.id, pace=Pace(gentle=False))

    assert (stopped.status, Event.objects.count()) == ("stopped", 3)
    assert reason in stopped.why_stopped
    assert stopped.manifest_sha256
    assert AuditEvent.objects.get(action="disposal.stopped").details["reason"] == stopped.why_stopped


def test_a_shorter_period_leaves_the_plan_as_it_was(remember, approved):
    remember("customer-2", 3, days=500)
    remember("customer-2", 2, days=300)
    run = approved()
    RetentionSchedule.objects.update(retain_for=timedelta(days=30))

    assert disposal.run(run.id, pace=Pace(gentle=False)).removed == {"events": 3}
    assert Event.objects.count() == 2


def test_a_run_that_finds_more_than_its_plan_stops(small_batches, remember, approved):
    remember("customer-2", 6, days=500)
    run = approved()
    remember("customer-3", 4, days=600)  # restored, or imported: older than the plan saw

    stopped = disposal.run(run.id, pace=Pace(gentle=False))

    assert (stopped.status, stopped.removed, Event.objects.count()) == ("stopped", {"events": 4}, 6)
    assert "more to delete in events than the 6 rows of the plan" in stopped.why_stopped


def test_the_largest_share_blocks_a_nightly_run(schedule, remember, settings):
    settings.RETENTION_MAX_SHARE_PERCENT = 30
    remember("customer-2", plans.GUARDED_FROM, days=500)
    remember("customer-2", plans.GUARDED_FROM, days=3)

    assert disposal.queue_for_retention(actor="job:retention") == []

    plan = DeletionPlan.objects.get()
    assert (plan.state, plan.blockers, _waiting()) == ("proposed", ["share"], [("plan-approval", str(plan.pk))])
    with pytest.raises(plans.PlanRefused):
        plans.approve_by_schedule(plan, actor="job:retention")
    assert Event.objects.count() == 2 * plans.GUARDED_FROM

    run = disposal.run_of(plans.approve(plan, actor=BEN, seen=plan.digest))
    assert disposal.run(run.id, pace=Pace(gentle=False)).removed == {"events": plans.GUARDED_FROM}


def test_a_share_within_the_largest_goes_ahead(schedule, remember, settings):
    settings.RETENTION_MAX_SHARE_PERCENT = 50
    remember("customer-2", plans.GUARDED_FROM, days=500)
    remember("customer-2", plans.GUARDED_FROM, days=3)

    assert len(disposal.queue_for_retention(actor="job:retention")) == 1
    assert (_waiting(), Approval.objects.count()) == ([], 0)


def test_a_night_makes_no_second_plan_for_what_waits(schedule, remember, settings):
    settings.RETENTION_MAX_SHARE_PERCENT = 1
    remember("customer-2", plans.GUARDED_FROM, days=500)

    for _night in range(2):
        disposal.queue_for_retention(actor="job:retention")

    assert DeletionPlan.objects.count() == 1


def test_a_schedule_of_no_days_is_refused_by_the_database(register_in_force):
    for period in (timedelta(0), timedelta(seconds=1), timedelta(hours=23)):
        with pytest.raises(IntegrityError), transaction.atomic():
            RetentionSchedule.objects.update(retain_for=period)


def test_a_paused_run_rests_and_goes_on_where_it_was(small_batches, remember, approved):
    remember("customer-2", 10, days=500)
    run = _left_off(approved())
    control.pause(run.id, actor=ANN)

    assert disposal.run(run.id, pace=Pace(gentle=False)).removed == {"events": 4}
    disposal.sweep()

    control.resume(run.id, actor=ANN)
    done = disposal.run(run.id, pace=Pace(gentle=False))
    assert (done.status, done.removed) == ("done", {"events": 10})
    assert [batch.number for batch in done.batches.order_by("pk")] == [1, 2, 3]


def test_a_stopped_run_ends_with_a_manifest(small_batches, remember, approved):
    remember("customer-2", 10, days=500)
    run = _left_off(approved())

    stopped = control.stop(run.id, actor=ANN, reason="Wrong period")

    assert (stopped.status, Event.objects.count()) == ("stopped", 6)
    assert '"removed":{"events":4}' in manifest.manifest(stopped).decode()
    assert disposal.run(run.id, pace=Pace(gentle=False)).removed == {"events": 4}
    with pytest.raises(control.NotNow):
        control.resume(run.id, actor=ANN)


def test_the_switch_stops_every_retention_run(small_batches, remember, approved):
    remember("customer-2", 10, days=500)
    run = _left_off(approved())
    control.switch_off(actor=ANN, reason="Wrong data")

    assert disposal.run(run.id, pace=Pace(gentle=False)).removed == {"events": 4}

    control.switch_on(actor=BEN)
    assert disposal.run(run.id, pace=Pace(gentle=False)).removed == {"events": 10}


def test_the_switch_never_holds_up_a_withdrawal(choose, remember):
    control.switch_off(actor=ANN, reason="Wrong data")
    choose("customer-1", "give")
    remember("customer-1", 2)
    disposal.queue_for_withdrawals([choose("customer-1", "withdraw")])
    owed = Disposal.objects.get()

    with pytest.raises(control.NotNow):
        control.pause(owed.id, actor=ANN)

    assert disposal.run(owed.id).removed == {"events": 2}
