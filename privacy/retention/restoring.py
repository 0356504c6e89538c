"""Undo a retention run: put its rows back bit for bit, except those of people who ended the permission since.

The rows are stored as PostgreSQL sent them (``record_send``). Without the types' numbers that is the binary format of
COPY, so nothing is read and written anew on the way.
"""

import struct
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from audit import trail
from consent.models import ConsentRecord
from privacy.models import Disposal, UndoPart
from privacy.retention import schedules, turns, undo
from privacy.retention.tables import Table
from privacy.retention.undo import NoUndo

_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
_TRAILER = struct.pack("!h", -1)
_INT = struct.Struct("!i")
_ENDED = (ConsentRecord.State.WITHDRAWN, ConsentRecord.State.OBJECTED, ConsentRecord.State.REFUSED)
# Who may not get rows back: the permission ended after the plan was made, also where it was given again since.
_ENDED_SINCE = """
SELECT FROM consent_consentrecord c WHERE c.subject_id = r.{person} AND c.purpose = r.{purpose}
AND c.state = ANY(%(ended)s) AND c.recorded_at >= %(since)s
"""


def undo_run(run: UUID, *, actor: str) -> dict[str, int]:
    """Restore what a run removed and destroy its key; return how many rows came back, by data set. Raises NoUndo."""
    found = Disposal.objects.select_related("purpose", "plan").get(pk=run)
    _require_possible(found)
    key, restored = undo.read_key(run), {}
    with transaction.atomic():
        for name in found.removed:
            turns.take(name)
        locked = Disposal.objects.select_for_update(of=("self",)).get(pk=run)
        _require_possible(locked)
        for name in sorted(found.removed):
            restored[name] = _restore(found, _store(name), key)
        locked.undone_at = timezone.now()
        locked.save(update_fields=["undone_at"])
        details = {"disposal": str(run), "restored": restored, "removed": found.removed}
        trail.record("disposal.undone", found.about, actor=actor, details=details)
        UndoPart.objects.filter(disposal_id=run).delete()
    undo.destroy_key(run)
    return restored


def forget_over() -> int:
    """Destroy the keys of runs whose time for undo is over, and remove their parts; return how many runs."""
    over = Disposal.objects.filter(undo_until__lte=timezone.now(), undo_parts__isnull=False).distinct()
    runs = list(over.values_list("pk", flat=True))
    for run in runs:
        undo.destroy_key(run)  # first: what is left after a crash is noise
        UndoPart.objects.filter(disposal_id=run).delete()
    return len(runs)


def _require_possible(run: Disposal) -> None:
    """Raise NoUndo where a run has no undo, had it, or has had its time."""
    if run.reason != Disposal.Reason.RETENTION:
        raise NoUndo("A deletion that follows a withdrawal is not undone.")
    if run.undone_at is not None:
        raise NoUndo("This run was undone already.")
    if run.status in (*Disposal.OPEN, Disposal.Status.PAUSED):
        raise NoUndo("This run is not over. Stop it first.")
    if run.undo_until is None:
        raise NoUndo("The run's schedule keeps nothing for an undo, or the run removed nothing.")
    if run.undo_until <= timezone.now():
        raise NoUndo(f"The time for an undo ended on {run.undo_until:%Y-%m-%d %H:%M} UTC.")


def _store(name: str) -> Table:
    if found := schedules.find(name):
        return found.table
    raise NoUndo(f"The data set {name} is not registered any more.")


def _restore(run: Disposal, store: Table, key: bytes) -> int:
    """Copy the rows into a table of their own, then into the data set those that may come back."""
    since = run.plan.made_at if run.plan else run.queued_at
    values: dict[str, Any] = {"ended": [str(state) for state in _ENDED], "since": since}
    ended = _ENDED_SINCE.format(person=store.person, purpose=store.purpose)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE undo_rows (LIKE {store.table}) ON COMMIT DROP")
        for part in _parts(run, store.name):
            rows = _as_copied(undo.open_part(part, key))
            with connection.wrap_database_errors, cursor.copy("COPY undo_rows FROM STDIN (FORMAT binary)") as copy:
                copy.write(_HEADER + rows + _TRAILER)
        cursor.execute(
            f"INSERT INTO {store.table} SELECT * FROM undo_rows r"  # noqa: S608 (names are code)
            f" WHERE NOT EXISTS ({ended}) ON CONFLICT DO NOTHING",
            values,
        )
        restored = cursor.rowcount
        cursor.execute("DROP TABLE undo_rows")
    return int(restored)


def _parts(run: Disposal, store: str) -> Iterator[UndoPart]:
    """Yield the parts one by one: a run of millions is not held in memory."""
    part = run.undo_parts.filter(store=store).order_by("number").first()
    while part is not None:
        yield part
        part = run.undo_parts.filter(store=store, number__gt=part.number).order_by("number").first()


def _as_copied(records: bytes) -> bytes:
    """Return records of ``record_send`` as rows of a binary COPY: without the numbers of the columns' types."""
    rows, at = bytearray(), 0
    while at < len(records):
        (columns,) = _INT.unpack_from(records, at)
        at += _INT.size
        rows += struct.pack("!h", columns)
        for _ in range(columns):
            at += _INT.size  # the type
            (length,) = _INT.unpack_from(records, at)
            end = at + _INT.size + max(length, 0)
            rows += records[at:end]
            at = end
    return bytes(rows)
