"""Days of the decision log: its partitions, and which of them are older than the log is kept.

A day counts from when its last decision was stored, not from the time in its name: a clock that jumped may have put
decisions of today into a day of the past, or of years ahead.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import connection
from django.utils import timezone

from policies.models import DecisionBatch

PARENT = "policies_decision"
_NAME = re.compile(rf"{PARENT}_(\d{{4}})(\d\d)(\d\d)")
_PARTITIONS = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = %s::regclass ORDER BY c.relname
"""


@dataclass(frozen=True)
class Day:
    """A partition, and when the last of its decisions was stored."""

    date: date
    stored_at: datetime

    @property
    def partition(self) -> str:
        return f"{PARENT}_{self.date:%Y%m%d}"


def stored() -> list[Day]:
    """Return every day there is, the one stored first at the beginning."""
    with connection.cursor() as cursor:
        cursor.execute(_PARTITIONS, [PARENT])
        names = [name for (name,) in cursor]
    dates = {name: date(*map(int, found.groups())) for name in names if (found := _NAME.fullmatch(name))}
    days = [Day(day, _stored_at(name)) for name, day in dates.items()]
    return sorted(days, key=lambda day: (day.stored_at, day.date))


def due(days: Sequence[Day], period: timedelta, *, now: datetime | None = None) -> list[Day]:
    """Return the days that are older than the period."""
    before = (now or earlier_clock()) - period
    return [day for day in days if day.stored_at < before]


def earlier_clock() -> datetime:
    """Return the time of this machine or of the database, whichever is earlier: one clock that jumped ends nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        of_database: datetime = cursor.fetchone()[0]
        return min(timezone.now(), of_database)


def first_batches(partitions: Sequence[str]) -> list[int]:
    """Return the first batch of each partition that holds a decision: each by its own index."""
    found = []
    with connection.cursor() as cursor:
        for partition in partitions:
            cursor.execute(f"SELECT min(batch_id) FROM {partition}")  # noqa: S608 (names of our own)
            found.append(cursor.fetchone()[0])
    return [batch for batch in found if batch is not None]


def about_rows(day: Day) -> int:
    """Return how many decisions a day holds by the planner's estimate; counted where it has none yet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [day.partition])
        estimate = int(cursor.fetchone()[0])
        if estimate < 0:
            cursor.execute(f"SELECT count(*) FROM {day.partition}")  # noqa: S608 (names of our own)
            estimate = int(cursor.fetchone()[0])
        return estimate


def _stored_at(partition: str) -> datetime:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT max(batch_id) FROM {partition}")  # noqa: S608 (names of our own)
        last = cursor.fetchone()[0]
    batch = DecisionBatch.objects.filter(sequence=last).first() if last else None
    if batch is None:
        day = datetime.strptime(partition[-8:], "%Y%m%d").replace(tzinfo=UTC)
        return day + timedelta(days=1)
    if batch.created_at <= timezone.now():
        return batch.created_at
    # Stored under a clock that was ahead: no later than what was stored next under one that was not.
    later = DecisionBatch.objects.filter(sequence__gt=batch.sequence, created_at__lte=timezone.now())
    following = later.order_by("sequence").first()
    return following.created_at if following else batch.created_at
