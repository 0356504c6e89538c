"""Drop the days of the decision log that are older than the log is kept.

A day is read, checked against its batches and exported; then it leaves the table, its checkpoint is signed and the
batches before it go, in one transaction. A process that is killed before its commit has dropped nothing, and the next
one writes the same file again.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import Sum
from django.utils import timezone

from audit.signing import SigningKeyUnavailable
from common.postgres import advisory
from consent.ledger import holds
from policies.decision_log import drainer
from policies.decision_log.ageing import checkpoints, days, files, holding
from policies.decision_log.ageing.days import Day
from policies.decision_log.ageing.reading_out import DayBroken, ReadOut, leaves_where, read_out
from policies.models import DecisionBatch, DroppedPart, LogDrop
from privacy.retention.own_records import record_periods

logger = logging.getLogger(__name__)
# More days than this are due at once after a long pause, or because a clock jumped: a person has to look.
MOST_AT_ONCE = 7
_ONE_RUN = 0x6C6F6761  # "loga"
_LATELY = timedelta(days=14)  # so long what a shorter period ends may take, with runs that were interrupted
_ATTEMPTS = 20
_REST_S = 1.0
Part = tuple[int, int, int, dict[int, bytes] | None]  # first and last batch, rows, leaves
Kept = dict[UUID, tuple[int, int]]  # decisions that a hold keeps: batch and position


@dataclass
class Run:
    """Result of a run: days dropped with their rows, and why it ended early."""

    dropped: dict[str, int] = field(default_factory=dict)
    stopped: str = ""


class _Grown(Exception):
    """Finding: a decision came into the day while it was read."""


class _NotDropped(Exception):
    """Refusal to drop a day; the text says why."""


def run(*, however_many: bool = False, now: datetime | None = None) -> Run:
    """Drop every day that is due, the oldest first. Idempotent; a second run at the same time does nothing."""
    with advisory.held(_ONE_RUN) as is_ours:
        if not is_ours:
            return Run(stopped="Another run drops days of the decision log just now.")
        wanted = days.due(days.stored(), record_periods.period("decision_log"), now=now)
        wanted = [day for day in wanted if not _is_all_held(day)]
        # A day that was refused and is not due any more, since the period is longer now, needs no look.
        LogDrop.objects.filter(state=LogDrop.State.REFUSED).exclude(day__in=[day.date for day in wanted]).delete()
        if len(wanted) > MOST_AT_ONCE and not however_many and not _was_period_changed():
            return _waits(
                wanted,
                f"{len(wanted)} days of the decision log are due at once: the clock has jumped, or no run was made for"
                " long. Nothing was dropped. If the clock is right: ./assent decision-log drop --all",
            )
        return _drop_all(wanted)


def _was_period_changed() -> bool:
    """Return whether officers brought another period into force lately: they saw what it ends."""
    return record_periods.changed_since("decision_log", days.earlier_clock() - _LATELY)


def _waits(wanted: Sequence[Day], stopped: str) -> Run:
    _Progress(wanted[0]).refused(stopped)
    logger.error("%s", stopped)
    return Run(stopped=stopped)


def _drop_all(wanted: Iterable[Day]) -> Run:
    done = Run()
    for day in wanted:
        try:
            done.dropped[day.date.isoformat()] = drop(day)
        except _NotDropped as exc:
            done.stopped = f"{day.date} was not dropped: {exc}"
            logger.error("Decision log: %s", done.stopped)  # noqa: TRY400 (the sentence says it)
            break
    return done


def drop(day: Day) -> int:
    """Read, export and drop one day; return how many decisions went. Raises _NotDropped."""
    progress = _Progress(day)
    for _ in range(_ATTEMPTS):
        try:
            gone = checkpoints.dropped()
            found = read_out(day, gone, folder=files.folder(), progress=progress.reached)
            count = drop_read(found)
        except _Grown:
            continue
        except (DayBroken, checkpoints.CheckpointBroken, SigningKeyUnavailable, OSError, OperationalError) as exc:
            progress.refused(_sentence(exc))
            raise _NotDropped(_sentence(exc)) from exc
        progress.dropped(count)
        return count
    progress.refused("decisions of that day keep coming in")
    raise _NotDropped("decisions of that day keep coming in")


def _sentence(exc: Exception) -> str:
    if isinstance(exc, OperationalError):
        return "the table was in use all the time"
    if isinstance(exc, OSError):
        return f"it could not be exported: {exc.strerror or exc}"
    return str(exc)


class _Progress:
    """Row of a drop, moved at most once a second."""

    def __init__(self, day: Day) -> None:
        self._rows = LogDrop.objects.filter(day=day.date)
        fresh = {"state": LogDrop.State.READING, "rows": days.about_rows(day), "rows_read": 0, "why": ""}
        now = timezone.now()
        LogDrop.objects.update_or_create(day=day.date, defaults={**fresh, "started_at": now, "moved_at": now})
        self._next = 0.0

    def reached(self, rows: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + 1.0
            self._move(rows_read=rows)

    def dropped(self, rows: int) -> None:
        self._move(state=LogDrop.State.DROPPED, rows=rows, rows_read=rows)

    def refused(self, why: str) -> None:
        self._move(state=LogDrop.State.REFUSED, why=why[:300])

    def _move(self, **fields: Any) -> None:
        self._rows.update(moved_at=timezone.now(), **fields)


def drop_read(found: ReadOut) -> int:
    """Drop what was read, once the locks are free: each attempt waits so short that no decision waits behind it."""
    for attempt in range(_ATTEMPTS):
        try:
            return _drop(found)
        except OperationalError:
            if attempt == _ATTEMPTS - 1 or connection.in_atomic_block:
                raise
            time.sleep(_REST_S)
    raise AssertionError


@transaction.atomic
def _drop(found: ReadOut) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        drainer.take_turn(cursor)
        cursor.execute(
            f"SELECT EXISTS (SELECT FROM {found.day.partition} WHERE batch_id > %s)",  # noqa: S608 (names of our own)
            [found.last_batch],
        )
        if cursor.fetchone()[0]:
            raise _Grown
        holds.wait_for_holds()
        kept = holding.kept_in(found.day.partition)
        _seal(found, _parts(found, kept), kept)
        # Last, as from here on the log cannot be read by others until the commit.
        _take_out(cursor, found.day, list(kept))
    return found.rows - len(kept)


def _parts(found: ReadOut, kept: Kept) -> list[Part]:
    """Return what goes, by batches: ranges that go as a whole, and the leaves of the others."""
    positions: dict[int, set[int]] = {}
    for batch, position in kept.values():
        positions.setdefault(batch, set()).add(position)
    partial = dict(found.parts)
    for batch in positions:
        partial.setdefault(batch, leaves_where(found.day.partition, batch))
    left = {batch: _without(leaves, positions.get(batch, set())) for batch, leaves in partial.items()}
    parts: list[Part] = [(batch, batch, len(leaves), leaves) for batch, leaves in left.items() if leaves]
    for first, last in found.ranges:
        parts += [(start, end, _sealed(start, end), None) for start, end in _around(first, last, positions)]
    return parts


def _without(leaves: dict[int, bytes], positions: set[int]) -> dict[int, bytes]:
    return {position: leaf for position, leaf in leaves.items() if position not in positions}


def _around(first: int, last: int, holes: Iterable[int]) -> Iterable[tuple[int, int]]:
    """Yield the ranges that are left of one without some numbers."""
    for hole in sorted(each for each in holes if first <= each <= last):
        if first < hole:
            yield first, hole - 1
        first = hole + 1
    if first <= last:
        yield first, last


def _sealed(first: int, last: int) -> int:
    batches = DecisionBatch.objects.filter(sequence__gte=first, sequence__lte=last)
    return int(batches.aggregate(total=Sum("decision_count"))["total"] or 0)


def _take_out(cursor: Any, day: Day, kept: list[Any]) -> None:
    """Detach and drop the partition; what a hold keeps gets a partition of its own in its place."""
    leaving = f"{day.partition}_leaving"
    cursor.execute(f"ALTER TABLE {days.PARENT} DETACH PARTITION {day.partition}")
    cursor.execute(f"ALTER TABLE {day.partition} RENAME TO {leaving}")
    if kept:
        drainer.make_partition(cursor, day.partition, datetime.combine(day.date, datetime.min.time(), tzinfo=UTC))
        cursor.execute(
            f"INSERT INTO {days.PARENT} SELECT * FROM {leaving} WHERE id = ANY (%s)",  # noqa: S608
            [kept],
        )
    cursor.execute(f"DROP TABLE {leaving}")


def _seal(found: ReadOut, parts: list[Part], kept: Kept) -> None:
    """Sign the checkpoint, and remove the batches and parts that it makes unneeded."""
    last = checkpoints.newest()
    upto = max(_without_decisions(found.day, kept), last.document["upto"] if last else 0)
    number = last.number + 1 if last else 1
    new = [_part(number, part) for part in parts if part[1] > upto]
    still = list(DroppedPart.objects.filter(last_batch__gt=upto))
    ends = DecisionBatch.objects.filter(sequence=upto).first()
    digest = bytes(ends.digest).hex() if ends else last.document["digest"] if last else checkpoints.GENESIS.hex()
    checkpoints.write(
        {
            "day": found.day.date.isoformat(),
            "rows": found.rows - len(kept),
            "kept": len(kept),
            "upto": upto,
            "digest": digest,
            "parts": checkpoints.parts_root([*still, *new]),
            "export": found.export,
            "made_at": timezone.now().isoformat(timespec="microseconds"),
        }
    )
    DroppedPart.objects.bulk_create(new, batch_size=200)
    # Only what the newest checkpoint passes can be deleted: triggers look at it.
    DroppedPart.objects.filter(last_batch__lte=upto)._raw_delete("default")  # noqa: SLF001 (one statement)
    DecisionBatch.objects.filter(sequence__lte=upto)._raw_delete("default")  # noqa: SLF001


def _without_decisions(day: Day, kept: Kept) -> int:
    """Return the last batch up to which no decision is left without the day; the newest batch stays to be continued."""
    newest = DecisionBatch.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0
    others = [each.partition for each in days.stored() if each.date != day.date]
    left = [*(batch for batch, _ in kept.values()), *days.first_batches(others)]
    return max(0, min([newest - 1, *(batch - 1 for batch in left)]))


def _part(number: int, part: Part) -> DroppedPart:
    first, last, rows, leaves = part
    positions = None if leaves is None else sorted(leaves)
    joined = None if leaves is None else b"".join(leaves[each] for each in positions or [])
    return DroppedPart(
        checkpoint_id=number, first_batch=first, last_batch=last, rows=rows, positions=positions, leaves=joined
    )


def _is_all_held(day: Day) -> bool:
    """Return whether a day was dropped before and all that is left of it is under a hold: nothing is due then."""
    if not LogDrop.objects.filter(day=day.date, state=LogDrop.State.DROPPED).exists():
        return False
    kept = list(holding.kept_in(day.partition))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT NOT EXISTS (SELECT FROM {day.partition} WHERE id <> ALL (%s))",  # noqa: S608 (names of our own)
            [kept],
        )
        return bool(kept) and bool(cursor.fetchone()[0])
