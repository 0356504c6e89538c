"""The rolling window as a schedule, from plan to manifest, and the check of segments."""

from uuid import UUID

import pytest
from django.db.models import Count
from django.utils import timezone

from audit.models import AuditEvent
from common.actors import Officer
from consent.ledger import ledger
from consent.models import DataSubject
from consent.pseudonyms import subject_ref
from personalization import engine, tasks, windows
from personalization.event_store import shipping
from personalization.models import Event
from personalization.recommender.levels import BEHAVIORAL_WINDOW
from policies.decisions import evaluate
from privacy import tasks as retention_tasks
from privacy.models import Disposal, RetentionSchedule
from privacy.retention import disposal, plans, restoring
from privacy.retention.pacing import Pace
from privacy.retention.subjects import of_undo
from tests.helpers import models
from tests.helpers.officers import make_accounts

pytestmark = pytest.mark.django_db


@pytest.fixture
def busy(remember, shop):
    """Give a person 104 events, oldest first; return the items of the newest hundred."""

    def fill(person, **fields):
        events = remember(person, [shop.items[number % 120].id for number in range(BEHAVIORAL_WINDOW + 4)], **fields)
        return {event.pk for event in events[4:]}

    return fill


def _kept(person, purpose="recommendations"):
    return set(Event.objects.filter(subject_ref=subject_ref(person), purpose=purpose).values_list("pk", flat=True))


def _limit_to_behavioral():
    from consent.models import Purpose
    from consent.register import register

    purpose = Purpose.objects.get(slug="recommendations")
    purpose.max_level = "behavioral"
    register.save_purpose(purpose, actor="test")


@pytest.fixture(autouse=True)
def window(register_in_force, monkeypatch):
    """The schedule of the window, as an installation begins with it, and no worker."""
    monkeypatch.setattr(retention_tasks.run_disposals, "apply_async_on_commit", lambda **message: None)
    shipping.ensure_window(actor="system")
    return RetentionSchedule.objects.get(slug=shipping.SLUG)


def _night():
    """Plan and run as a night does; return how many events went by the window."""
    queued = disposal.queue_for_retention(actor="job:retention")
    runs = [disposal.run(run.id, pace=Pace(gentle=False)) for run in queued if run.schedule == shipping.SLUG]
    assert all(run.status == "done" for run in runs)
    return sum(run.total_removed for run in runs)


def test_without_leave_for_the_full_history_the_newest_hundred_are_kept(api, busy):
    api.save("customer-1", "give")
    _limit_to_behavioral()
    newest = busy("customer-1")

    assert _night() == 4

    assert _kept("customer-1") == newest


def test_people_who_allow_the_full_history_keep_it(api, busy):
    api.save("customer-1", "give")
    busy("customer-1")

    assert _night() == 0

    assert len(_kept("customer-1")) == BEHAVIORAL_WINDOW + 4


@pytest.mark.parametrize("choice", [None, "refuse"])
def test_people_who_allow_nothing_keep_no_more_than_the_window(api, busy, choice):
    if choice:
        api.save("customer-1", choice)
    newest = busy("customer-1")

    _night()

    assert _kept("customer-1") == newest


def test_nothing_goes_where_no_decision_can_be_made(api, busy, monkeypatch):
    busy("customer-1")
    monkeypatch.setattr(evaluate.information, "read", _unavailable)

    assert _night() == 0

    assert len(_kept("customer-1")) == BEHAVIORAL_WINDOW + 4


def _unavailable(_ref):
    raise evaluate.InformationUnavailable


def test_a_window_of_exactly_a_hundred_is_left_alone(api, remember, shop):
    remember("customer-1", [item.id for item in shop.items[:BEHAVIORAL_WINDOW]])

    assert _night() == 0


def test_a_legal_hold_keeps_what_the_window_would_drop(api, busy):
    api.save("customer-1", "give")
    _limit_to_behavioral()
    busy("customer-1")
    DataSubject.objects.update(held=True)

    assert _night() == 0

    assert len(_kept("customer-1")) == BEHAVIORAL_WINDOW + 4


def test_every_person_and_purpose_has_a_window_of_its_own(api, busy):
    first, second = busy("customer-1"), busy("customer-2")
    other = busy("customer-1", purpose="usage_statistics")

    assert _night() == 12

    assert (_kept("customer-1"), _kept("customer-2")) == (first, second)
    assert _kept("customer-1", "usage_statistics") == other


def test_a_window_goes_in_batches_of_people(api, busy, monkeypatch):
    monkeypatch.setattr(disposal, "BATCH", 5)
    for number in range(4):
        busy(f"customer-{number}")

    assert _night() == 16

    run = Disposal.objects.get(schedule=shipping.SLUG)
    assert [batch.rows for batch in run.batches.order_by("number") if batch.rows] == [4, 4, 4, 4]
    assert Event.objects.count() == 4 * BEHAVIORAL_WINDOW


def test_a_window_has_a_signed_plan_and_a_manifest_and_names_no_person(api, busy):
    busy("customer-1")
    gone = set(Event.objects.order_by("occurred_at").values_list("pk", flat=True)[:4])

    _night()
    _night()

    run = Disposal.objects.get(schedule=shipping.SLUG)
    assert (run.plan.document["data_sets"]["events"]["due"], run.removed) == (4, {"events": 4})
    assert {
        UUID(bytes=bytes(batch.keys)[at : at + 16]) for batch in run.batches.all() for at in range(0, 64, 16)
    } == gone
    done = AuditEvent.objects.get(action="disposal.done", details__schedule=shipping.SLUG)
    assert (done.object, done.details["manifest_sha256"]) == (shipping.SLUG, run.manifest_sha256)
    assert str(subject_ref("customer-1")) not in str(done.details) + str(run.plan.document)


def test_events_after_the_plan_push_nothing_more_out(api, busy, remember, shop, window):
    newest = busy("customer-1")
    plan = plans.approve_by_schedule(plans.make(window, actor="job:retention"), actor="job:retention")
    late = remember("customer-1", [item.id for item in shop.items[:3]], newest=timezone.now())

    run = disposal.run(disposal.run_of(plan).id, pace=Pace(gentle=False))

    assert (run.status, run.removed) == ("done", {"events": 4})
    assert _kept("customer-1") == newest | {event.pk for event in late}


ANN, BEN = Officer.of("ann", 1), Officer.of("ben", 2)


def test_a_window_is_restored_bit_for_bit(api, busy, settings, tmp_path):
    settings.ASSENT_HOME = tmp_path
    RetentionSchedule.objects.filter(slug=shipping.SLUG).update(undo_days=3)
    busy("customer-1")
    _night()
    run = Disposal.objects.get(schedule=shipping.SLUG)

    make_accounts(ANN, BEN)
    restoring.propose(run.id, actor=ANN, reason="Too few")
    restoring.approve(run.id, actor=BEN, seen=of_undo(run).digest)

    assert restoring.undo_run(run.id) == {"events": 4}
    assert len(_kept("customer-1")) == BEHAVIORAL_WINDOW + 4


def test_the_window_is_shipped_once_and_stays_as_officers_left_it(window):
    RetentionSchedule.objects.filter(slug=shipping.SLUG).update(keep_last=50)

    assert not shipping.ensure_window(actor="system")
    assert RetentionSchedule.objects.get(slug=shipping.SLUG).keep_last == 50


def test_events_of_one_moment_are_trimmed_to_the_window_all_the_same(api, busy):
    busy("customer-1")
    Event.objects.update(occurred_at="2026-01-05T10:00:00Z")

    _night()
    _night()

    assert list(Event.objects.values_list("subject_ref").annotate(Count("id"))) == [
        (subject_ref("customer-1"), BEHAVIORAL_WINDOW)
    ]


def _register_people(region, count):
    for number in range(count):
        ledger.save_choices(
            ledger.Request(
                subject_ref=subject_ref(f"{region}-{number}"),
                choices=[ledger.Choice(purpose="recommendations", choice="give")],
                source="api",
                actor="test",
                region=region,
                age_band="adult",
            )
        )


def test_the_smallest_segment_is_counted_in_the_register(deployed, trained_model):
    served = {key.split("|")[0].removeprefix("region=") for key in trained_model.segments if key.endswith("adult")}
    for region in served:
        _register_people(region, 21 if region == "DE" else 25)
    _register_people("IS", 2)  # no segment of the model, so nobody is served from it

    details = windows.check_segments()

    segments = len(trained_model.segments)
    assert details == {"segments": segments, "smallest": 21, "required": 20, "stopped": 0}
    event = AuditEvent.objects.get(action="segments.checked")
    assert (event.object, event.actor, event.details) == ("house-recommender@1", "job:segments", details)


def test_a_segment_that_has_grown_too_small_is_seen(deployed):
    _register_people("DE", 3)

    assert windows.check_segments()["smallest"] < windows.smallest_group()


def test_a_segment_that_everybody_left_is_seen(deployed):
    _register_people("DE", 25)  # and nobody in the model's other segments

    assert windows.check_segments()["smallest"] == 0


def test_without_a_model_in_use_there_is_nothing_to_check(draft):
    assert windows.check_segments() == {}
    assert not AuditEvent.objects.filter(action="segments.checked").exists()


def test_a_suspended_model_is_checked_too(deployed):
    models.take(deployed, "suspended")

    tasks.check_segments()

    assert AuditEvent.objects.filter(action="segments.checked", object="house-recommender@1").count() == 1


def test_the_key_of_a_segment_is_the_one_the_model_was_trained_with(deployed, trained_model):
    assert engine.segment_key("DE", "adult") in trained_model.segments
