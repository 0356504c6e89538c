"""The command that holds online rows against the events."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

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


def test_only_so_many_rows_are_read(rows, capsys):
    assert "2 rows checked" in _check(capsys, rows=2)


def test_definitions_in_use_are_listed(register_in_force, capsys):
    call_command("features", "list")

    assert "likes@1: count of like, purchase, 90 days" in capsys.readouterr().out
