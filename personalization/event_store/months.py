"""Partitions of the events table: months ahead are made, months that retention has emptied are dropped.

Rows leave by deletion runs, night by night, so a month whose time is over is empty but for people under a hold. What is
dropped is never more than an empty table; what holds few rows is written anew, so that its space comes back all the
same (docs/decisions/0038-events-by-month.md).
"""

import logging
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import OperationalError, connection, transaction
from django.utils import timezone

from audit import trail
from common import actors
from common.postgres.advisory import held
from privacy.models import Disposal
from privacy.retention import turns

logger = logging.getLogger(__name__)
TABLE, FIRST = "personalization_event", "personalization_event_first"
AHEAD = 3
# An event may be this old when it comes in, so a month takes in rows for as long after its end.
LATE = timedelta(days=35)
_LOCK = 0x6D6F6E74  # "mont"
# A table of at least so many bytes, of which no more than so many rows are left, is worth being written anew.
_LARGE, _FEW_ROWS = 8 * 1024 * 1024, 10_000
_WAIT_MS = 2_000  # for readers of the month; the next night tries again
_NAME = re.compile(rf"{TABLE}_(\d{{4}})_(\d\d)")
_PARTITIONS = """
SELECT name, is_leaving, bound FROM (
  SELECT c.relname AS name, i.inhdetachpending AS is_leaving,
    substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \\(''([^'']+)''\\)') AS bound
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = %s::regclass) parts
ORDER BY bound::timestamptz
"""


@dataclass(frozen=True)
class Month:
    """A partition, and where it ends."""

    name: str
    end: datetime
    is_leaving: bool = False  # a detach that was interrupted


def months() -> list[Month]:
    """Return the partitions, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_PARTITIONS, [TABLE])
        return [Month(name, datetime.fromisoformat(end).astimezone(UTC), leaving) for name, leaving, end in cursor]


def make_ahead(*, now: datetime | None = None) -> list[str]:
    """Make the partitions of the next months that are missing; return their names."""
    wanted = _first_of(now or timezone.now())
    for _ in range(AHEAD + 1):
        wanted = _next(wanted)
    made = []
    with transaction.atomic():
        turns.take("events")  # two makers take turns
        end = months()[-1].end
        while end < wanted:
            made.append(_make(end))
            end = _next(end)
    return made


def _make(start: datetime) -> str:
    name = f"{TABLE}_{start:%Y_%m}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE {name} PARTITION OF {TABLE}"
            f" FOR VALUES FROM ('{start.isoformat()}') TO ('{_next(start).isoformat()}')"
        )
    return name


def drop_emptied(*, now: datetime | None = None) -> list[str]:
    """Drop months that are over and empty; return their names. Not in a transaction.

    The first partition keeps its place for times before all months: it is truncated.
    """
    now = now or timezone.now()
    if Disposal.objects.filter(undo_until__gt=now, undone_at=None).exists():
        return []  # the rows may come back, and need their month
    with held(_LOCK) as is_ours:
        if not is_ours:
            return []
        _settle_interrupted()
        over = [month for month in months() if month.end + LATE <= now]
        dropped = [month.name for month in over if _leaves(month)]
        for month in over:
            if month.name not in dropped and _holds_few(month.name):
                _rewrite(month.name)
        return dropped


def _holds_few(name: str) -> bool:
    """Return whether a large table holds few rows: those of people under a hold, where all others have left."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size(%s::regclass)", [name])
        if cursor.fetchone()[0] < _LARGE:
            return False
        cursor.execute(f"SELECT count(*) FROM (SELECT FROM {name} LIMIT %s) left_over", [_FEW_ROWS + 1])  # noqa: S608 (ours)
        return bool(cursor.fetchone()[0] <= _FEW_ROWS)


def _rewrite(name: str) -> None:
    """Write a month anew with the rows that are left. Nothing comes into it any more; readers wait for it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{_WAIT_MS}ms"])
        try:
            cursor.execute(f"VACUUM (FULL, ANALYZE) {name}")
        except OperationalError:
            logger.info("%s is read just now and is written anew another night", name)
        finally:
            cursor.execute("RESET lock_timeout")


def _settle_interrupted() -> None:
    """Finish detaching where that was interrupted, and give months that were left detached their place again."""
    for month in months():
        if month.is_leaving:
            with connection.cursor() as cursor:
                cursor.execute(f"ALTER TABLE {TABLE} DETACH PARTITION {month.name} FINALIZE")
    known = {month.name for month in months()}
    for name in connection.introspection.table_names():
        if name not in known and _NAME.fullmatch(name):
            _attach(name)


def _leaves(month: Month) -> bool:
    """Return whether a month went. Where it holds anything, it stays, or comes back."""
    if not _is_empty(month.name):
        return False
    if month.name == FIRST:
        return _truncate_first()
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {TABLE} DETACH PARTITION {month.name} CONCURRENTLY")
    # Detached, nothing comes in any more: what is empty now stays so.
    if not _is_empty(month.name):
        _attach(month.name)
        return False
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {month.name}")
        trail.record("events.month_dropped", month.name, actor=actors.job("months"))
    return True


def _truncate_first() -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_relation_size('{FIRST}')")
        if not cursor.fetchone()[0]:
            return False
        cursor.execute(f"LOCK TABLE {FIRST} IN ACCESS EXCLUSIVE MODE")
        if not _is_empty(FIRST):
            return False
        cursor.execute(f"TRUNCATE {FIRST}")
        trail.record("events.month_dropped", FIRST, actor=actors.job("months"))
    return True


def _attach(name: str) -> None:
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError(f"{name} is no month of events")
    start = datetime(int(found[1]), int(found[2]), 1, tzinfo=UTC)
    with connection.cursor() as cursor:
        cursor.execute(
            f"ALTER TABLE {TABLE} ATTACH PARTITION {name}"
            f" FOR VALUES FROM ('{start.isoformat()}') TO ('{_next(start).isoformat()}')"
        )
    logger.warning("%s holds events and was attached again", name)


def _is_empty(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT NOT EXISTS (SELECT FROM {name})")  # noqa: S608 (names of our own)
        return bool(cursor.fetchone()[0])


def _first_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _next(month: datetime) -> datetime:
    return (month + timedelta(days=32)).replace(day=1)
