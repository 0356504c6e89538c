"""What a schedule does when the time is over, other than deleting: counts of groups, and profiles anonymised."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from consent.ledger import sealed_people, verification
from consent.models import DataSubject, Purpose
from consent.pseudonyms import subject_ref
from oversight import guard
from personalization.event_store import stores
from personalization.models import Event, EventCount, Item
from privacy import tasks
from privacy.erasures import replaying
from privacy.models import DisclosureLimits, Disposal, RetentionSchedule
from privacy.retention import disposal, manifest
from privacy.retention.data_sets.counted import end_of_day
from privacy.retention.pacing import Pace

pytestmark = pytest.mark.django_db
SMALLEST = 20


@pytest.fixture(autouse=True)
def no_worker(monkeypatch):
    monkeypatch.setattr(tasks.run_disposals, "apply_async_on_commit", lambda **message: None)


@pytest.fixture
def counting(register_in_force):
    """Recommendations are counted after 100 days, in place of the demonstration's schedules."""
    RetentionSchedule.objects.all().delete()
    of = Purpose.objects.get(slug="recommendations")
    return RetentionSchedule.objects.create(purpose=of, retain_for=timedelta(days=100), action="aggregate")


@pytest.fixture
def anonymising(register_in_force):
    """Profiles are anonymised 100 days after the last permission was withdrawn."""
    RetentionSchedule.objects.all().delete()
    said = {"data_set": "profiles", "trigger": "withdrawal", "action": "anonymise"}
    return RetentionSchedule.objects.create(slug="profiles", retain_for=timedelta(days=100), **said)


def _night():
    runs = disposal.queue_for_retention(actor="job:retention")
    return [disposal.run(run.id, pace=Pace(gentle=False)) for run in runs]


def _used(remember, item, people, days, *, kind="view"):
    Item.objects.get_or_create(slug=item, defaults={"title": item})
    keys = [key for number in range(people) for key in remember(f"{item}-{number}", 2, days=days)]
    Event.objects.filter(pk__in=keys).update(item=item, kind=kind)


def _counts():
    return sorted(
        EventCount.objects.values_list("item_id", "kind", "entries", "people"), key=lambda row: (row[0] or "", row[1])
    )


def test_groups_of_enough_people_are_counted_and_all_events_go(counting, remember):
    _used(remember, "lamp", SMALLEST, days=200)
    _used(remember, "oven", SMALLEST - 1, days=200)
    _used(remember, "sofa", 3, days=200)
    young = remember("young", 1, days=99)

    (run,) = _night()

    assert (run.status, run.total_removed) == ("done", 2 * (SMALLEST + SMALLEST - 1 + 3))
    assert _counts() == [(None, "view", 44, 22), ("lamp", "view", 40, SMALLEST)]
    assert [str(event.pk) for event in Event.objects.all()] == young
    assert {row.day for row in EventCount.objects.all()} == {(timezone.now() - timedelta(days=200)).date()}


def test_too_few_people_leave_no_count(counting, remember):
    _used(remember, "lamp", SMALLEST - 1, days=200)
    _used(remember, "lamp", 1, days=200, kind="like")

    _night()

    assert (EventCount.objects.count(), Event.objects.count()) == (0, 0)


def test_a_group_is_of_one_day(counting, remember):
    _used(remember, "lamp", SMALLEST - 1, days=200)
    _used(remember, "lamp", SMALLEST - 1, days=201)

    _night()

    assert not EventCount.objects.exists()


def test_people_are_counted_over_batches_as_a_day_is_whole(counting, remember, monkeypatch):
    monkeypatch.setattr(disposal, "BATCH", 7)
    for days in (200, 201, 203):
        _used(remember, "lamp", SMALLEST, days=days)

    (run,) = _night()

    assert [batch.rows for batch in run.batches.order_by("number") if batch.rows] == [40, 40, 40]
    assert _counts() == [("lamp", "view", 40, SMALLEST)] * 3


def test_the_day_that_is_not_over_waits(counting, remember):
    before = timezone.now() - timedelta(days=100)
    day = end_of_day(before)
    assert (day.astimezone(UTC).date(), day < before) == (before.astimezone(UTC).date() - timedelta(days=1), True)
    remember("today", 1, days=100)
    Event.objects.update(received_at=datetime(before.year, before.month, before.day, tzinfo=UTC))

    assert _night() == []
    assert Event.objects.count() == 1


def test_people_under_a_hold_are_neither_counted_nor_deleted(counting, choose, remember):
    _used(remember, "lamp", SMALLEST, days=200)
    choose("lamp-0", "give")
    DataSubject.objects.update(held=True)

    _night()

    assert not EventCount.objects.exists()
    assert {event.subject_ref for event in Event.objects.all()} == {subject_ref("lamp-0")}


def test_the_smallest_group_is_the_one_of_the_register(counting, remember):
    with guard.writing("test"):
        DisclosureLimits.objects.update_or_create(defaults={"smallest_group": 5})
    _used(remember, "lamp", 5, days=200)

    _night()

    assert _counts() == [("lamp", "view", 10, 5)]
    assert stores.COUNTED.smallest() == 5


def test_a_run_that_counts_has_a_plan_and_a_manifest(counting, remember):
    _used(remember, "lamp", SMALLEST, days=200)

    (run,) = _night()

    assert run.plan.document["terms"]["action"] == "aggregate"
    assert run.manifest_sha256
    assert b'"roots":{"events":' in manifest.manifest(run)
    done = AuditEvent.objects.get(action="disposal.done")
    assert (done.details["schedule"], done.details["action"]) == ("recommendations", "aggregate")


def _person(choose, name, *choices, days=200, **described):
    for choice in choices:
        choose(name, choice, **described)
    DataSubject.objects.filter(ref=subject_ref(name)).update(updated_at=timezone.now() - timedelta(days=days))


def _profile(name):
    return DataSubject.objects.values_list("region", "age_band").get(ref=subject_ref(name))


def test_a_profile_is_anonymised_once_nothing_is_in_force(anonymising, choose):
    _person(choose, "gone", "give", "withdraw")
    _person(choose, "child", "refuse", region="FR", age_band="child")
    _person(choose, "minor", "give", "withdraw", region="IE", age_band="minor")
    _person(choose, "back", "give", "withdraw", "give")
    _person(choose, "young", "give", "withdraw", days=99)

    (run,) = _night()

    assert run.removed == {"profiles": 2}
    assert (_profile("gone"), _profile("minor")) == (("", "unknown"), ("", "minor"))
    assert (_profile("child"), _profile("back"), _profile("young")) == (
        ("FR", "child"), ("DE", "adult"), ("DE", "adult"),
    )  # fmt: skip
    assert _night() == []


def test_an_anonymised_profile_is_what_the_trail_says(anonymising, choose):
    _person(choose, "gone", "give", "withdraw")
    sealed_people.seal_existing(actor="test")

    _night()

    assert sealed_people.broken() is None
    assert verification.verify_ledger().ok
    said = AuditEvent.objects.get(action="person.anonymised")
    assert (said.object, said.details) == (str(subject_ref("gone")), {"person": {"region": "", "age_band": "unknown"}})
    DataSubject.objects.update(region="US")
    assert "not as the audit trail says" in (sealed_people.broken() or "")


def test_any_hold_keeps_a_profile(anonymising, choose):
    _person(choose, "held", "give", "withdraw")
    DataSubject.objects.update(limits={"usage_statistics": ["held"]})

    assert _night() == []
    assert _profile("held") == ("DE", "adult")


def test_the_last_activity_anonymises_people_who_only_refused(anonymising, choose):
    RetentionSchedule.objects.update(trigger="last_activity")
    _person(choose, "refused", "refuse")
    _person(choose, "allowed", "give")

    _night()

    assert (_profile("refused"), _profile("allowed")) == (("", "unknown"), ("DE", "adult"))


def test_a_person_who_comes_back_states_a_region_again(anonymising, choose):
    _person(choose, "gone", "give", "withdraw")
    _night()

    choose("gone", "give", region="FR")

    assert _profile("gone") == ("FR", "adult")
    assert verification.verify_ledger().ok


@pytest.mark.parametrize(("trigger", "again"), [("received", 2), ("last_activity", 0), ("window", 0)])
def test_a_replay_repeats_what_the_terms_of_a_run_made_due(counting, remember, trigger, again):
    remember("customer-1", 2, days=200)
    (run,) = disposal.queue_for_retention(actor="job:retention")
    line = {
        "kind": "retention", "purpose": "recommendations", "schedule": "recommendations",
        "terms": {**run.terms, "trigger": trigger, "action": "delete"}, "cut_off": run.before.isoformat(),
    }  # fmt: skip

    assert replaying._delete_again(line) == again
    assert Disposal.objects.filter(plan=None).count() == (1 if again else 0)
    assert Event.objects.count() == 2 - again


def test_keys_of_a_manifest_say_nothing_about_people(anonymising, choose):
    _person(choose, "gone", "give", "withdraw")

    (run,) = _night()

    (batch,) = [batch for batch in run.batches.all() if batch.rows]
    assert len(bytes(batch.keys)) == 16
    assert UUID(bytes=bytes(batch.keys)) != subject_ref("gone")
