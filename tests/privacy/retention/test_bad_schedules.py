"""Schedules that no run could carry out, holds that overlap, plans that data overtook: refused, and nothing lost."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from common.registers.lint import Finding
from consent.models import Purpose
from consent.pseudonyms import subject_ref
from oversight import registers, rows
from oversight.problems import ChangeRefused
from personalization.models import Event
from privacy import tasks
from privacy.holds import members
from privacy.models import DeletionPlan, Disposal, Hold, RetentionSchedule
from privacy.retention import disposal, lint, plans, schedules
from privacy.retention.data_sets import conflicts, refusals
from privacy.retention.pacing import Pace

pytestmark = pytest.mark.django_db
FORM = "/admin/privacy/retentionschedule/add/"


@pytest.fixture(autouse=True)
def no_worker(monkeypatch):
    monkeypatch.setattr(tasks.run_disposals, "apply_async_on_commit", lambda **message: None)


def _schedule(purpose="newsletter", **members):
    of = Purpose.objects.get(slug=purpose) if purpose else None
    said = {"slug": "other", "data_set": "events", "retain_for": timedelta(days=10), **members}
    return RetentionSchedule(purpose=of, **said)


BAD = [
    ({"retain_for": timedelta(0)}, "A retention period is at least one day."),
    ({"retain_for": timedelta(hours=23)}, "A retention period is at least one day."),
    ({"retain_for": None}, "A retention period is at least one day."),
    ({"keep_last": 5}, "Only a window keeps a number of entries."),
    ({"trigger": "window"}, "A window has a number of entries to keep"),
    ({"trigger": "window", "retain_for": None, "keep_last": 0}, "A window has a number of entries to keep"),
    (
        {"data_set": "orders"},
        "The data set “orders” is gone. There are: profiles, outputs under review, events, model_training, showings.",
    ),
    ({"action": "crypto_shred"}, "No data set is encrypted under a key of each person"),
    ({"action": "anonymise"}, "An event without its person is a count."),
    ({"trigger": "last_activity", "action": "aggregate"}, "Counts are made of whole days of receipt."),
    ({"trigger": "withdrawal"}, "Events go at once when their purpose is withdrawn."),
    ({"action": "aggregate", "undo_days": 3}, "Only a deletion can be undone"),
    ({"data_set": "profiles"}, "is anonymised and not deleted"),
    ({"data_set": "profiles", "trigger": "withdrawal", "action": "anonymise"}, "belong to no single purpose"),
    ({"data_set": "profiles", "action": "anonymise", "purpose": ""}, "Count from the last activity"),
    ({"jurisdiction": "Mars"}, "“Mars” is neither a law"),
    ({"kinds": ["purchase"]}, "Only a legal minimum names single kinds"),
    ({"action": "keep", "ground": "a law"}, "People can withdraw or object to"),
    ({"action": "keep", "ground": "a law", "purpose": "usage_statistics"}, "People can withdraw or object to"),
    ({"action": "keep", "ground": "a law", "purpose": ""}, "A legal minimum is about one purpose."),
    ({"action": "keep", "purpose": "order_fulfilment"}, "names the law that asks for it"),
    (
        {"action": "keep", "purpose": "order_fulfilment", "ground": "a law", "kinds": ["return"]},
        "“events” has no kind “return”. There are: view, click, dwell, like, rating, purchase, skip, dismiss, undo.",
    ),
    ({"action": "keep", "trigger": "window", "retain_for": None, "keep_last": 5}, "A legal minimum counts from when"),
]


@pytest.mark.parametrize(("members", "reason"), BAD)
def test_what_no_run_could_do_is_refused_in_a_sentence(register_in_force, members, reason):
    schedule = _schedule(**members)

    assert reason in refusals.why_not(schedule)
    document = rows.document_of(registers.find("retention_schedule"), schedule)
    with pytest.raises(ChangeRefused) as refused:
        rows.write_document(registers.find("retention_schedule"), "other", document)
    assert refused.value.detail
    with pytest.raises(plans.PlanRefused):
        plans.make(schedule, actor="officer:ann")


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"jurisdiction": "gdpr"},
        {"jurisdiction": "US-CA"},
        {"trigger": "last_activity"},
        {"trigger": "contract_end"},
        {"trigger": "window", "retain_for": None, "keep_last": 1},
        {"action": "aggregate"},
        {"undo_days": 31},
        {"purpose": ""},
        {"action": "keep", "purpose": "order_fulfilment", "ground": "a law", "kinds": ["purchase"]},
        {"data_set": "profiles", "purpose": "", "trigger": "withdrawal", "action": "anonymise"},
        {"data_set": "profiles", "purpose": "", "trigger": "last_activity", "action": "anonymise"},
    ],
)
def test_what_a_run_can_do_is_accepted(register_in_force, members):
    assert refusals.why_not(_schedule(**members)) == ""


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"retain_for": "0"}, "greater than or equal to 1"),
        ({"action": "crypto_shred"}, "there is no key to destroy"),
        ({"trigger": "withdrawal"}, "Events go at once when their purpose is withdrawn"),
        ({"purpose": "", "slug": ""}, "Name the schedule"),
        ({"slug": "newsletter"}, "already exists"),
    ],
)
def test_the_form_says_what_it_refuses(officer, fields, reason):
    own = Purpose.objects.get(slug="order_fulfilment").pk
    said = {"slug": "other", "purpose": own, "data_set": "events", "trigger": "received", "retain_for": "10",
            "keep_last": "", "action": "delete", "undo_days": "0", "is_active": "on", **fields}  # fmt: skip

    answer = officer.post(FORM, said)

    assert answer.status_code == 200
    assert reason in answer.content.decode()


def test_a_schedule_beside_another_of_the_same_data_is_refused(register_in_force):
    register = registers.find("retention_schedule")

    with pytest.raises(ChangeRefused, match="Change that one"):
        rows.write_document(register, "other", rows.document_of(register, _schedule()))


@pytest.fixture
def gone(register_in_force, remember, monkeypatch):
    """The schedule of recommendations, whose data set a release no longer has."""
    remember("customer-1", 3, days=500)
    monkeypatch.setattr(schedules, "_stores", {"profiles": schedules.find("profiles")})
    return RetentionSchedule.objects.get(slug="recommendations")


def test_a_schedule_whose_data_set_is_gone_says_so_and_deletes_nothing(gone):
    assert conflicts.state(gone).label == "Cannot run"
    assert "The data set “events” is gone" in conflicts.state(gone).reasons[0]
    assert Finding(
        "retention_schedule", "recommendations", "retention_impossible",
        "The data set “events” is gone. There are: profiles.",
    ) in list(lint.check())  # fmt: skip
    assert disposal.queue_for_retention(actor="job:retention") == []
    assert (DeletionPlan.objects.count(), Disposal.objects.count(), Event.objects.count()) == (0, 0, 3)


def test_a_schedule_whose_data_set_is_gone_has_its_pages(gone, officer):
    shown = officer.get(f"/admin/privacy/retentionschedule/{gone.pk}/change/").content.decode()

    assert "The data set “events” is gone" in shown
    assert officer.get("/admin/privacy/retentionschedule/").status_code == 200
    assert officer.get("/admin/privacy/disposal/").status_code == 200


def test_a_schedule_whose_data_set_is_gone_can_be_switched_off(gone):
    register = registers.find("retention_schedule")
    document = rows.document_of(register, gone)

    rows.write_document(register, "recommendations", {**document, "is_active": False})

    assert conflicts.state(RetentionSchedule.objects.get(slug="recommendations")).label == "Inactive"


def test_overlapping_holds_keep_until_the_last_is_released(register_in_force, choose, remember):
    choose("customer-1", "give")
    remember("customer-1", 3, days=500)
    remember("customer-2", 2, days=500)
    holds = [_hold("one", purposes=[]), _hold("two", purposes=["recommendations"])]

    _night()
    assert {event.subject_ref for event in Event.objects.all()} == {subject_ref("customer-1")}
    for hold, left in zip(holds, (3, 0), strict=True):
        hold.is_released = True
        hold.save()
        members.write(hold)
        _night()
        assert Event.objects.count() == left


def _hold(slug, **said):
    hold = Hold.objects.create(slug=slug, matter="M", reason="R", people=[str(subject_ref("customer-1"))], **said)
    members.write(hold)
    return hold


def _night():
    for run in disposal.queue_for_retention(actor="job:retention"):
        disposal.run(run.id, pace=Pace(gentle=False))


def test_a_plan_that_older_data_overtook_stops_and_loses_nothing(register_in_force, remember):
    remember("customer-1", 3, days=500)
    (run,) = disposal.queue_for_retention(actor="job:retention")
    remember("customer-2", 1, days=900)

    stopped = disposal.run(run.id, pace=Pace(gentle=False))

    assert (stopped.status, stopped.removed, Event.objects.count()) == ("stopped", {}, 4)
    assert "Make a new plan for the rest" in stopped.why_stopped
    assert AuditEvent.objects.filter(action="disposal.stopped").count() == 1


def test_a_plan_of_last_week_is_not_approved(register_in_force, remember):
    remember("customer-1", 3, days=500)
    plan = plans.make(RetentionSchedule.objects.get(slug="recommendations"), actor="officer:ann")
    DeletionPlan.objects.update(made_at=timezone.now() - timedelta(days=8))

    with pytest.raises(plans.PlanRefused) as refused:
        plans.approve_by_schedule(plan, actor="job:retention")

    assert "older than 7 days" in refused.value.detail
    assert Event.objects.count() == 3


def test_lint_warns_where_a_law_outlasts_a_schedule(register_in_force):
    RetentionSchedule.objects.filter(purpose__slug="order_fulfilment").delete()
    RetentionSchedule.objects.create(
        slug="tax", purpose=Purpose.objects.get(slug="order_fulfilment"), retain_for=timedelta(days=4000),
        action="keep", ground="§ 147 AO",
    )  # fmt: skip
    RetentionSchedule.objects.create(
        purpose=Purpose.objects.get(slug="order_fulfilment"), retain_for=timedelta(days=365)
    )

    found = [each for each in lint.check() if each.code == "retention_below_legal_minimum"]

    assert [(each.key, each.is_error) for each in found] == [("order_fulfilment", False)]
    assert "keeps all events for 4000 days" in found[0].detail
