"""Retention: the dry run counts exactly what a run then removes, and nothing younger goes."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from audit.models import AuditEvent
from consent.models import DataSubject
from personalization.models import Event
from privacy import tasks
from privacy.models import Disposal, RetentionSchedule
from privacy.retention import disposal, schedules

pytestmark = pytest.mark.django_db


@pytest.fixture
def old_and_new(remember):
    """Five events too old for recommendations (365 days), two of usage statistics (90 days), and younger ones."""
    return {
        "recommendations": remember("customer-1", 3, days=366) + remember("customer-2", 2, days=1000),
        "usage_statistics": remember("customer-1", 2, days=91, purpose="usage_statistics"),
        "young": remember("customer-1", 4, days=364) + remember("customer-1", 2, days=89, purpose="usage_statistics"),
        "no schedule": remember("customer-1", 1, days=4000, purpose="personalization"),
    }


def _due():
    return {item.schedule.purpose.slug: item.counts for item in schedules.due()}


def _run(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        return disposal.queue_for_retention(actor="operator")


def test_the_dry_run_counts_exactly_what_a_run_removes(old_and_new, django_capture_on_commit_callbacks):
    expected = _due()

    _run(django_capture_on_commit_callbacks)

    assert expected == {
        "recommendations": {"events": 5},
        "newsletter": {"events": 0},
        "order_fulfilment": {"events": 0},
        "usage_statistics": {"events": 2},
    }
    done = {each.purpose.slug: each.removed for each in Disposal.objects.all()}
    assert done == {slug: counts for slug, counts in expected.items() if counts["events"]}
    assert {str(pk) for pk in Event.objects.values_list("pk", flat=True)} == {
        *old_and_new["young"],
        *old_and_new["no schedule"],
    }


def test_the_dry_run_changes_nothing(old_and_new, capsys):
    before = Event.objects.count()

    call_command("retention", dry_run=True)

    output = capsys.readouterr().out.splitlines()
    assert [line.split("; received before ")[0] for line in output[:-1]] == [
        "recommendations: kept 365 days",
        "newsletter: kept 730 days",
        "order_fulfilment: kept 2922 days",
        "usage_statistics: kept 90 days",
    ]
    assert [line.rpartition("Z: ")[2] for line in output[:-1]] == ["5 events", "0 events", "0 events", "2 events"]
    assert output[-1] == "Dry run: 7 rows would be deleted. Nothing was changed."
    assert Event.objects.count() == before
    assert not Disposal.objects.exists()
    assert not AuditEvent.objects.filter(action__startswith="disposal").exists()


def test_the_command_removes_what_the_dry_run_named(old_and_new, capsys, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        call_command("retention")

    assert capsys.readouterr().out.splitlines()[-1] == "2 deletions queued; a worker carries them out."
    assert {counts["events"] for counts in _due().values()} == {0}


def test_without_a_schedule_the_command_says_where_to_make_one(db, capsys):
    call_command("retention", dry_run=True)

    assert "There is no retention schedule" in capsys.readouterr().out


def test_running_it_again_removes_nothing_more(old_and_new, django_capture_on_commit_callbacks):
    _run(django_capture_on_commit_callbacks)
    left = Event.objects.count()

    assert _run(django_capture_on_commit_callbacks) == []

    assert Event.objects.count() == left
    assert Disposal.objects.count() == 2


def test_the_nightly_task_is_the_same_run(old_and_new, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        tasks.apply_retention()

    assert {each.total_removed for each in Disposal.objects.filter(status="done")} == {5, 2}


@pytest.mark.parametrize(("seconds", "due"), [(-1, 0), (0, 1), (1, 1)])
def test_data_is_due_from_the_second_its_time_is_over(remember, seconds, due):
    remember("customer-1", 1)
    received = Event.objects.get().received_at

    items = schedules.due(now=received + timedelta(days=365, seconds=seconds))

    assert sum(item.total for item in items if item.schedule.purpose.slug == "recommendations") == due


def test_a_schedule_out_of_use_deletes_nothing(old_and_new, django_capture_on_commit_callbacks):
    RetentionSchedule.objects.update(is_active=False)

    assert _due() == {}
    assert _run(django_capture_on_commit_callbacks) == []


def test_a_legal_hold_outlasts_retention(old_and_new, choose, django_capture_on_commit_callbacks):
    choose("customer-1", "give")
    DataSubject.objects.update(held=True)
    assert _due()["recommendations"] == {"events": 2}

    _run(django_capture_on_commit_callbacks)

    assert {each.purpose.slug: each.removed for each in Disposal.objects.all()} == {"recommendations": {"events": 2}}
    assert Event.objects.filter(pk__in=old_and_new["recommendations"]).count() == 3

    DataSubject.objects.update(held=False)
    _run(django_capture_on_commit_callbacks)
    assert not Event.objects.filter(pk__in=old_and_new["recommendations"]).exists()


def test_data_received_after_the_run_was_queued_stays(remember):
    remember("customer-1", 1, days=400)
    (queued,) = disposal.queue_for_retention(actor="operator")
    RetentionSchedule.objects.update(retain_for=timedelta(days=1))
    remember("customer-1", 1)

    disposal.run(queued.id)

    assert Event.objects.get().received_at > timezone.now() - timedelta(days=1)
