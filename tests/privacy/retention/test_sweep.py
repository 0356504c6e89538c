"""The sweep finds what a crash kept from the queue, and consent given again keeps what came after it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from common.jobs import queues
from consent.ledger import effects
from personalization.models import Event
from privacy import tasks
from privacy.models import Disposal
from privacy.retention import disposal, schedules

pytestmark = pytest.mark.django_db


@pytest.fixture
def crash(monkeypatch):
    """Let every withdrawal commit and its effects be lost."""
    monkeypatch.setattr(effects, "_effects", [])


@pytest.fixture
def dispatched(monkeypatch):
    """The ids handed to a worker, none of which is taken."""
    ids = []
    monkeypatch.setattr(tasks.run_disposals, "apply_async_on_commit", lambda args, queue: ids.extend(args[0]))
    return ids


def _sweep(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        return disposal.sweep()


def _keys():
    return {str(pk) for pk in Event.objects.values_list("pk", flat=True)}


def test_a_withdrawal_is_carried_out_once_it_is_committed(choose, remember, django_capture_on_commit_callbacks):
    choose("customer-1", "give")
    remember("customer-1", 3)

    with django_capture_on_commit_callbacks(execute=True):
        record = choose("customer-1", "withdraw")

    done = Disposal.objects.get(record_id=record)
    assert (done.reason, done.status, done.removed) == ("withdrawal", "done", {"events": 3})
    assert not _keys()


@pytest.mark.parametrize(
    ("choices", "purpose", "queued"),
    [
        (["give"], "recommendations", 0),
        (["refuse"], "recommendations", 0),
        (["give", "refuse"], "recommendations", 1),
        (["give", "withdraw", "refuse"], "recommendations", 1),
        (["give", "withdraw", "give", "withdraw"], "recommendations", 2),
        (["object"], "usage_statistics", 1),
    ],
)
def test_every_end_of_a_permission_is_disposed_of_once(
    choose, choices, purpose, queued, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        for choice in choices:
            choose("customer-1", choice, purpose)

    assert [each.purpose.slug for each in Disposal.objects.filter(status="done")] == [purpose] * queued


def test_a_withdrawal_whose_queueing_was_lost_is_found(crash, choose, remember, django_capture_on_commit_callbacks):
    choose("customer-1", "give")
    remember("customer-1", 3)
    choose("customer-1", "withdraw")
    assert not Disposal.objects.exists()

    assert _sweep(django_capture_on_commit_callbacks) == 1

    assert Disposal.objects.get().removed == {"events": 3}
    assert not _keys()
    assert _sweep(django_capture_on_commit_callbacks) == 0


def test_an_effect_that_fails_is_made_up_for(choose, remember, monkeypatch, django_capture_on_commit_callbacks):
    def fail(records):
        raise RuntimeError("the broker is down")

    monkeypatch.setattr(effects, "_effects", [fail])
    choose("customer-1", "give")
    remember("customer-1", 1)
    with django_capture_on_commit_callbacks(execute=True):
        choose("customer-1", "withdraw")
    assert len(_keys()) == 1

    _sweep(django_capture_on_commit_callbacks)

    assert not _keys()


@pytest.mark.parametrize("status", ["queued", "running"])
def test_a_disposal_left_by_a_dead_worker_is_carried_out(
    choose, remember, status, monkeypatch, django_capture_on_commit_callbacks
):
    choose("customer-1", "give")
    remember("customer-1", 2)
    with monkeypatch.context() as patched:
        patched.setattr(tasks.run_disposals, "apply_async_on_commit", lambda **message: None)
        disposal.queue_for_withdrawals([choose("customer-1", "withdraw")])
    Disposal.objects.update(status=status, queued_at=timezone.now() - timedelta(minutes=2))

    _sweep(django_capture_on_commit_callbacks)

    assert Disposal.objects.get().removed == {"events": 2}


@pytest.mark.parametrize(
    ("status", "minutes", "taken_up"),
    [("queued", 2, True), ("running", 2, True), ("queued", 0, False), ("running", 0, False), ("done", 2, False)],
)
def test_only_what_is_open_for_a_minute_is_taken_up(choose, dispatched, status, minutes, taken_up):
    choose("customer-1", "give")
    disposal.queue_for_withdrawals([choose("customer-1", "withdraw")])
    Disposal.objects.update(status=status, queued_at=timezone.now() - timedelta(minutes=minutes))
    dispatched.clear()

    disposal.sweep()

    assert dispatched == ([str(Disposal.objects.get().id)] if taken_up else [])


def test_queueing_twice_makes_one_disposal(choose, dispatched):
    choose("customer-1", "give")
    record = choose("customer-1", "withdraw")

    disposal.queue_for_withdrawals([record])
    disposal.queue_for_withdrawals([record])

    assert Disposal.objects.count() == 1


def test_a_choice_that_is_no_withdrawal_is_not_disposed_of(choose):
    disposal.queue_for_withdrawals([choose("customer-1", "give")])

    assert not Disposal.objects.exists()


def test_after_consent_given_again_what_came_since_survives(
    crash, choose, remember, django_capture_on_commit_callbacks
):
    choose("customer-1", "give")
    before = remember("customer-1", 3)
    choose("customer-1", "withdraw")
    choose("customer-1", "give")
    since = remember("customer-1", 2)

    _sweep(django_capture_on_commit_callbacks)

    assert _keys() == set(since)
    assert not _keys() & set(before)


def test_of_two_lost_withdrawals_each_removes_what_its_own_consent_allowed(
    crash, choose, remember, django_capture_on_commit_callbacks
):
    for count in (3, 2):
        choose("customer-1", "give")
        remember("customer-1", count)
        choose("customer-1", "withdraw")
    choose("customer-1", "give")
    since = remember("customer-1", 1)

    assert _sweep(django_capture_on_commit_callbacks) == 2

    assert _keys() == set(since)
    assert sum(each.total_removed for each in Disposal.objects.all()) == 5


def test_the_task_sweeps(crash, choose, remember, django_capture_on_commit_callbacks):
    choose("customer-1", "give")
    remember("customer-1", 1)
    choose("customer-1", "withdraw")

    with django_capture_on_commit_callbacks(execute=True):
        tasks.sweep_disposals()

    assert not _keys()


def test_the_nightly_deletion_waits_behind_withdrawals(
    choose, remember, monkeypatch, django_capture_on_commit_callbacks
):
    handed = []
    monkeypatch.setattr(tasks.run_disposals, "apply_async", lambda args, queue: handed.append(queue))
    choose("customer-1", "give")
    remember("customer-1", 3, days=5_000)
    assert schedules.due()

    with django_capture_on_commit_callbacks(execute=True):
        disposal.queue_for_retention(actor="test")
    with django_capture_on_commit_callbacks(execute=True):
        choose("customer-1", "withdraw")

    assert handed == [queues.LONG, queues.URGENT]
    Disposal.objects.update(queued_at="2026-01-01T00:00:00Z")
    with django_capture_on_commit_callbacks(execute=True):
        disposal.sweep()
    assert sorted(handed[2:]) == [queues.LONG, queues.URGENT]
