"""Ends of contracts, as the business's own system states them in a CSV file: what some schedules count from."""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from audit import trail
from common import actors
from consent.pseudonyms import subject_ref
from privacy.models import ContractEnd, HoldMember, RetentionSchedule

_COLUMNS = ["subject", "ended_on"]
_LATE = timedelta(days=35)  # so long data of an ended contract may still come in
_LONGEST_ID = 256


class Unreadable(Exception):
    """A file that is not noted; the text says which line, and never whose."""


@transaction.atomic
def note(file: Path) -> tuple[int, int]:
    """Note the file's ends of contracts; return how many were noted, and how many taken back. Raises Unreadable.

    A line without a day takes the end back: the person has a contract again. Nothing is noted where a line is wrong.
    """
    if _longest() is None:
        raise Unreadable("No schedule in use counts from the end of a contract. Make one first.")
    lines = dict(_read(file))
    ended = {ref: day for ref, day in lines.items() if day is not None}
    ContractEnd.objects.bulk_create(
        [ContractEnd(subject_ref=ref, ended_at=at) for ref, at in ended.items()],
        update_conflicts=True, unique_fields=["subject_ref"], update_fields=["ended_at"],
    )  # fmt: skip
    removed, _ = ContractEnd.objects.filter(subject_ref__in=lines.keys() - ended.keys()).delete()
    details = {"noted": len(ended), "taken_back": removed}
    trail.record("contracts.noted", "contract_ends", actor="operator", details=details)
    return len(ended), removed


def _read(file: Path) -> Iterator[tuple[UUID, datetime | None]]:
    with file.open(encoding="utf-8-sig", newline="") as text:
        rows = csv.DictReader(text)
        if rows.fieldnames != _COLUMNS:
            raise Unreadable(f"The first line of the file has to be: {','.join(_COLUMNS)}.")
        for row in rows:
            subject = (row["subject"] or "").strip()
            if not subject or len(subject) > _LONGEST_ID or None in row:
                raise Unreadable(f"Line {rows.line_num}: write a customer id and a day.")
            yield subject_ref(subject), _day(row["ended_on"], rows.line_num)


def _day(text: str | None, line: int) -> datetime | None:
    """Return the moment at which the day of a line is over; None where it states none."""
    if not (text or "").strip():
        return None
    try:
        day = date.fromisoformat(str(text).strip())
    except ValueError:
        raise Unreadable(f"Line {line}: write the day as 2026-11-29.") from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)


def forget_over() -> int:
    """Remove ends of contracts whose data every schedule has ended, unless a hold keeps some; return how many."""
    longest = _longest()
    if longest is None:
        return 0
    over = ContractEnd.objects.filter(ended_at__lt=timezone.now() - longest - _LATE)
    removed, _ = over.exclude(subject_ref__in=HoldMember.objects.values("ref")).delete()
    if removed:
        trail.record(
            "contracts.forgotten", "contract_ends", actor=actors.job("retention"), details={"removed": removed}
        )
    return removed


def _longest() -> timedelta | None:
    found = RetentionSchedule.objects.filter(is_active=True, trigger=RetentionSchedule.Trigger.CONTRACT)
    longest: timedelta | None = found.aggregate(longest=Max("retain_for"))["longest"]
    return longest
