"""Drainer: copy spooled decisions into the partitioned table, each line exactly once, in chained Merkle batches.

The position in a spool moves in the transaction that stores its lines, so a drainer killed at any point neither loses
nor repeats a decision. An advisory lock makes one drainer out of many.
"""

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from django.db import connection, transaction
from django.utils import timezone

from audit import trail
from common import actors
from common.append_only import no_truncate
from common.canonical import digest_of, sha256
from common.identifiers import uuid7_floor
from common.merkle import merkle_root
from common.postgres.copy_text import array_text, copy_line, copy_rows
from policies.decision_log import backup_pause, log_lines
from policies.decision_log.log_lines import UNREADABLE, Entry
from policies.decision_log.spool import SUFFIX
from policies.models import DecisionBatch, SpoolPosition

logger = logging.getLogger(__name__)
GENESIS = bytes(32)
_LOCK = 0x6472616E  # "dran"
_BATCH_BYTES = 4 * 1024 * 1024
_COPY = """COPY policies_decision (id, decided_at, batch_id, position, subject_tag, caller, action, purpose, outcome,
 level, reasons, bundle_revision, shadow, entry) FROM STDIN"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Line:
    raw: bytes
    text: str
    entry: Entry
    beside: str | None  # what a candidate would have said instead, as JSON


def run(
    folder: Path, *, stop: Callable[[], bool], pause: float = 0.5, meanwhile: Callable[[], object] | None = None
) -> None:
    """Drain until ``stop()``; then once more, so that a clean end leaves nothing behind.

    The callback runs after each round and has to be quick.
    """
    while not stop():
        if not drain(folder):
            time.sleep(pause)
        if meanwhile is not None:
            meanwhile()
    drain(folder)


def drain(folder: Path) -> int:
    """Copy everything spooled so far; return the number of decisions."""
    copied = 0
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            while count := _drain_some(path):
                copied += count
            _remove_if_finished(path)
        except FileNotFoundError:
            continue  # another drainer has finished with it
    return copied


def _drain_some(path: Path) -> int:
    with transaction.atomic():
        with connection.cursor() as cursor:
            take_turn(cursor)
        spool, _ = SpoolPosition.objects.get_or_create(name=path.name)
        chunk = _complete_lines(path, spool.position)
        if not chunk:
            return 0
        lines = list(_parse(chunk, path.name))
        if lines:
            _store(lines, path.name)
        spool.position += len(chunk)
        spool.save(update_fields=["position"])
    return len(lines) or 1


def take_turn(cursor: Any) -> None:
    """Wait until no other process writes the log, and keep the others waiting until this transaction ends."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _complete_lines(path: Path, position: int) -> bytes:
    with path.open("rb") as spool:
        spool.seek(position)
        chunk = spool.read(_BATCH_BYTES)
    return chunk[: chunk.rfind(b"\n") + 1]


def _parse(chunk: bytes, name: str) -> Iterator[_Line]:
    for raw in chunk.splitlines():
        try:
            # The text is decoded as well: what is not UTF-8 is no line of ours, wherever it stands.
            entry = log_lines.read(raw)
            line = _Line(raw, raw.decode(), entry, _json(log_lines.beside(raw, entry)))
        except UNREADABLE:
            # Not ours: a disk gave back something else than was written. Say so where it cannot be overlooked.
            logger.exception("A line of spool %s cannot be read", name)
            trail.record("decision_log.line_unreadable", name, actor=actors.job("drainer"), details={"bytes": len(raw)})
            continue
        yield line


def _store(lines: list[_Line], spool: str) -> None:
    for day in {line.entry.day for line in lines}:
        ensure_partition(f"{_EPOCH + timedelta(days=day):%Y-%m-%d}")
    batch = _new_batch(lines, spool).sequence
    with connection.cursor() as cursor:
        copy_rows(cursor, _COPY, (_row(line, batch, position) for position, line in enumerate(lines)))


def _new_batch(lines: list[_Line], spool: str) -> DecisionBatch:
    last = DecisionBatch.objects.order_by("-sequence").first()
    fields: dict[str, Any] = {
        "sequence": (last.sequence if last else 0) + 1,
        "created_at": timezone.now(),
        "spool": spool,
        "decision_count": len(lines),
        "root": merkle_root([sha256(line.raw) for line in lines]),
        "previous": bytes(last.digest) if last else GENESIS,
    }
    return DecisionBatch.objects.create(**fields, digest=batch_digest(**fields))


def batch_digest(
    *, sequence: int, created_at: datetime, spool: str, decision_count: int, root: bytes, previous: bytes
) -> bytes:
    return digest_of(
        {
            "sequence": sequence,
            "created_at": created_at.isoformat(timespec="microseconds"),
            "spool": spool,
            "decision_count": decision_count,
            "root": root.hex(),
            "previous": previous.hex(),
        }
    )


def _row(line: _Line, batch: int, position: int) -> str:
    e = line.entry
    return copy_line(
        e.id, e.decided_at.isoformat(), batch, position, f"\\x{e.subject}", e.caller, e.facts.action, e.facts.purpose,
        e.outcome, e.level or "", array_text(e.codes), e.bundle_revision, line.beside, line.text,
    )  # fmt: skip


def _json(value: dict[str, Any] | None) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def ensure_partition(day: str) -> None:
    """Create the partition of a day (``YYYY-MM-DD``) unless it exists; its bounds are identifiers, which hold time.

    Asked for every batch: another process may have dropped the day since the last one.
    """
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    name = f"policies_decision_{day.replace('-', '')}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [name])
        if cursor.fetchone()[0] is None:
            make_partition(cursor, name, start)


def make_partition(cursor: Any, name: str, start: datetime) -> None:
    """Create the partition of a day."""
    bounds = uuid7_floor(start), uuid7_floor(start + timedelta(days=1))
    cursor.execute(
        f"CREATE TABLE {name} PARTITION OF policies_decision FOR VALUES FROM ('{bounds[0]}') TO ('{bounds[1]}')"
    )
    cursor.execute(no_truncate(name))


def _remove_if_finished(path: Path) -> None:
    """Delete a spool that is read to its end and whose process is gone (its lock is free), unless a backup runs."""
    if backup_pause.is_on():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        spool = SpoolPosition.objects.filter(name=path.name).first()
        rest = path.stat().st_size - (spool.position if spool else 0)
        if rest and _complete_lines(path, spool.position if spool else 0):
            return
        if rest:
            # A line without its end: the process died inside the write, so no answer left.
            logger.warning("Spool %s ends in %s bytes of a decision that was never answered", path.name, rest)
        path.unlink()
        SpoolPosition.objects.filter(name=path.name).delete()
    except BlockingIOError:
        return
    finally:
        os.close(descriptor)
