"""The command that holds online rows against the events."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from consent.models import DataSubject
from consent.pseudonyms import subject_ref
from personalization import tasks
from personalization.features import filling
from personalization.models import Event, OnlineFeatures

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(shop, remember):
    """Rows of three people, one of more events than the recent part of a row holds."""
    items = [item.id for item in shop.items[:40]]
    remember("customer-1", items[:5])
    remember("customer-2", items * 4)
    remember("customer-3", items[:3], kind="rating", value=4, weight=4.0)
    remember("customer-1", items[5:7], newest=timezone.now() - timedelta(days=3))
    assert OnlineFeatures.objects.filter(recent__isnull=False).count() == 3


@pytest.fixture
def in_thread():
    """Run something on a connection of its own."""

    def run(work: Callable[[], Any]) -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        yield lambda work: pool.submit(run, work).result(timeout=120)


def _check(capsys, **options):
    call_command("features", "check", **options)
    return capsys.readouterr().out


def test_rows_that_say_what_the_events_say_pass(rows, capsys):
    assert "3 rows checked, 0 open, 0 differ" in _check(capsys)


@pytest.mark.parametrize("forge", ["exchanged", "shorter", "longer"])
def test_a_row_that_says_something_else_is_found_and_removed(rows, capsys, forge):
    row = OnlineFeatures.objects.order_by("since").first()
    entries = bytes(row.recent)
    changed = {"exchanged": entries[17:] + entries[:17], "shorter": entries[17:], "longer": entries + entries[:17]}
    OnlineFeatures.objects.filter(subject_ref=row.subject_ref).update(recent=changed[forge])

    with pytest.raises(CommandError, match=r"1 rows say something else.*--repair"):
        _check(capsys)
    with pytest.raises(CommandError, match="removed"):
        _check(capsys, repair=True)

    assert "2 rows checked, 0 open, 0 differ" in _check(capsys)
    assert Event.objects.filter(subject_ref=row.subject_ref).exists()


def test_an_open_row_is_no_fault(rows, capsys):
    OnlineFeatures.objects.update(recent=None, older=None)

    assert "3 rows checked, 3 open, 0 differ" in _check(capsys)


def _known(number):
    DataSubject.objects.bulk_create(DataSubject(ref=subject_ref(f"customer-{one}")) for one in range(1, number + 1))


def _rows():
    values = OnlineFeatures.objects.order_by("subject_ref").values_list(
        "subject_ref", "since", "newest", "recent", "older"
    )
    return [tuple(bytes(each) if isinstance(each, memoryview) else each for each in row) for row in values]


@pytest.mark.parametrize("loss", ["no row", "open row"])
def test_rows_that_are_missing_or_open_are_made(rows, capsys, loss):
    _known(4)
    before = _rows()
    if loss == "no row":
        OnlineFeatures.objects.all().delete()
    else:
        OnlineFeatures.objects.update(recent=None, older=None, newest=timezone.now())

    call_command("features", "fill")

    assert "3 rows made, 0 left for later." in capsys.readouterr().out
    assert _rows() == before
    call_command("features", "fill")
    assert "0 rows made, 0 left" in capsys.readouterr().out


def test_a_row_that_a_deletion_took_is_made_at_night(rows):
    _known(3)
    person = subject_ref("customer-1")
    Event.objects.filter(subject_ref=person).last().delete()
    assert not OnlineFeatures.objects.filter(subject_ref=person).exists()

    tasks.fill_features()

    assert OnlineFeatures.objects.get(subject_ref=person).recent is not None


@pytest.mark.django_db(transaction=True)
def test_nothing_is_made_while_a_deletion_is_under_way(rows, in_thread):
    _known(3)
    OnlineFeatures.objects.all().delete()

    with transaction.atomic():
        Event.objects.filter(subject_ref=subject_ref("customer-1")).delete()
        assert in_thread(filling.fill) == (0, 3)

    assert filling.fill() == (2, 0)
    assert not OnlineFeatures.objects.filter(subject_ref=subject_ref("customer-1")).exists()


def test_only_so_many_rows_are_read(rows, capsys):
    assert "2 rows checked" in _check(capsys, rows=2)


def test_definitions_in_use_are_listed(register_in_force, capsys):
    call_command("features", "list")

    assert "likes@1: count of like, purchase, 90 days" in capsys.readouterr().out
