"""Rewrite what rows were deleted from, clear the statistics, and have the write-ahead log's old segments removed.

The order matters: a rewrite writes the log that the checkpoints then let go, and statistics quote values of rows.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import OperationalError, connection
from psycopg.errors import Diagnostic

from audit import trail
from audit.models import AuditEvent
from common.postgres import advisory
from privacy.scrub import conditions

DONE, REFUSED = "storage.scrubbed", "storage.scrub_refused"
_LOCK = 0x73637275  # "scru"
_LOCK_WAIT = "10s"  # a table that stays busy for longer is refused, not waited for with all others behind
_PATIENCE_S = 60.0  # for transactions that still see what was deleted: a short one of a service, an automatic ANALYZE
# Decisions are never deleted one by one: their partitions leave as files.
_TABLES = """
SELECT c.oid::regclass::text, c.relkind = 'p' FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid AND i.inhparent = to_regclass('policies_decision'))
ORDER BY c.relkind, 1
"""
_STATISTICS_OF_EMPTY = """
SELECT pg_clear_attribute_stats('public', s.tablename, s.attname, s.inherited) FROM pg_stats s
WHERE s.schemaname = 'public' AND s.tablename = %s
"""
# A rewrite keeps what its own snapshot may see, which reaches back to the oldest writer of any database. Every role is
# shown others' locks. What else others do is hidden (no state) but for sessions of the same role, such as the one that
# holds the lock of this scrub and sees no rows.
_OPEN = """
SELECT l.virtualtransaction FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'virtualxid' AND a.pid <> pg_backend_pid()
  AND (a.state IS NULL OR a.backend_xid IS NOT NULL
    OR a.datname = current_database() AND a.backend_xmin IS NOT NULL)
"""
_STUCK = re.compile(r"(\d+) dead row versions cannot be removed yet")


class ScrubRefused(Exception):
    """Refusal to call the storage scrubbed; the text says why and what to do."""


@dataclass(frozen=True)
class Scrubbed:
    """Outcome of a scrub: how many tables were rewritten, and how many bytes their files shrank by."""

    tables: int
    freed: int


def scrub(*, actor: str, copies_apart: bool = False) -> Scrubbed:
    """Scrub this database, and say in the trail whether it was. Takes each table's lock in turn. Raises ScrubRefused.

    ``copies_apart`` leaves the archive and replicas of the write-ahead log to those who age them by other means.
    """
    try:
        done = _scrub_alone(copies_apart=copies_apart)
    except ScrubRefused as exc:
        trail.record(REFUSED, "storage", actor=actor, details={"reason": str(exc)})
        raise
    details = {"tables": done.tables, "freed_bytes": done.freed, "copies_apart": copies_apart}
    trail.record(DONE, "storage", actor=actor, details=details)
    return done


def last_done() -> datetime | None:
    """Return when the storage was last scrubbed."""
    return AuditEvent.objects.filter(action=DONE).order_by("-position").values_list("occurred_at", flat=True).first()


def _scrub_alone(*, copies_apart: bool) -> Scrubbed:
    with advisory.held(_LOCK) as is_held:
        if not is_held:
            raise ScrubRefused("Another scrub is running.")
        if lacking := conditions.unmet(conditions.read(), copies_apart=copies_apart):
            raise ScrubRefused("Nothing was scrubbed. " + " ".join(lacking))
        return _scrub()


def _scrub() -> Scrubbed:
    before, tables = _size(), _tables()
    for table, is_partitioned in tables:
        if is_partitioned:
            _run(f"ANALYZE {table}")
        else:
            _rewrite(table)
        _forget_statistics_of_empty(table)
    _rewrite("pg_catalog.pg_statistic")
    for _twice in range(2):  # the first lets go of what the rewrites logged, the second of the segment it stood in
        _run("SELECT pg_switch_wal()")
        _run("CHECKPOINT")
    return Scrubbed(len(tables), max(0, before - _size()))  # new rows may outweigh what went


def _tables() -> list[tuple[str, bool]]:
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        return list(cursor.fetchall())


def _rewrite(table: str) -> None:
    """Rewrite a table and its indexes without what was deleted. Raises ScrubRefused where a deleted row stays.

    Automatic ANALYZEs of several tables at once keep each other's old statistics for as long as they go on; writers
    that come one after the other keep what was deleted since the first of them began.
    """
    until = time.monotonic() + _PATIENCE_S
    while stuck := _rewritten(table):
        if time.monotonic() > until:
            raise ScrubRefused(
                f"{stuck:,} deleted rows stay in {table}: a transaction that began before their deletion is still open."
                " End it, then try again."
            )
        _wait_for_open_transactions(until)


def _rewritten(table: str) -> int:
    """Rewrite a table; return how many deleted rows stay."""
    with _notices() as heard, connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{_LOCK_WAIT}'")
        try:
            cursor.execute(f"VACUUM (FULL, ANALYZE, VERBOSE) {table}")
        except OperationalError as exc:
            raise ScrubRefused(f"{table} is locked by others, so it was not rewritten. Try again.") from exc
        finally:
            cursor.execute("RESET lock_timeout")
    return sum(int(number) for text in heard for number in _STUCK.findall(text))


def _wait_for_open_transactions(until: float) -> None:
    """Wait until the transactions of others that are open now have ended, or for as long as patience lasts."""
    still_open = _open_transactions()
    while True:
        time.sleep(0.05)
        still_open &= _open_transactions()
        if not still_open or time.monotonic() > until:
            return


def _open_transactions() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(_OPEN)
        return {transaction for (transaction,) in cursor.fetchall()}


@contextmanager
def _notices() -> Iterator[list[str]]:
    """Collect what the server says on the way."""
    connection.ensure_connection()
    heard: list[str] = []

    def hear(said: Diagnostic) -> None:
        heard.append(f"{said.message_primary}\n{said.message_detail}")

    raw: Any = connection.connection
    raw.add_notice_handler(hear)
    try:
        yield heard
    finally:
        raw.remove_notice_handler(hear)


def _forget_statistics_of_empty(table: str) -> None:
    """Clear what ANALYZE leaves: of a table without rows it keeps the statistics that it had."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT FROM {table})")  # noqa: S608 (a name of the catalogue)
        if not cursor.fetchone()[0]:
            cursor.execute(_STATISTICS_OF_EMPTY, [table])


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _size() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])
