"""Read a day out of the decision log: check it against its batches, and export it, before it is dropped.

A day whose decisions are not the ones that were sealed is not dropped: it is the evidence of what was done to it.
Pages are read by key and each in a transaction of its own, so memory is flat and nothing holds back a vacuum.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from django.db import connection

from common.merkle import merkle_root
from consent.exporting import opened_whole
from policies.decision_log import parquet
from policies.decision_log.ageing import files
from policies.decision_log.ageing.checkpoints import Dropped
from policies.decision_log.ageing.days import Day
from policies.decision_log.export import ARCHIVE
from policies.models import DecisionBatch, LogCheckpoint

ROWS_OF_A_PAGE = 10_000
Progress = Callable[[int], None]
_PAGE = """
SELECT batch_id, position, sha256(convert_to(entry, 'UTF8')) {columns} FROM {partition}
WHERE (batch_id, position) > (%s, %s) ORDER BY batch_id, position LIMIT %s
"""
_LEAF_AND_KEY = 3


class DayBroken(Exception):
    """Refusal to drop a day whose decisions are not the ones that were sealed."""


@dataclass
class ReadOut:
    """What a day holds: whole batches as ranges, parts of others with their leaves, and the file it was exported to."""

    day: Day
    rows: int = 0
    last_batch: int = 0
    ranges: list[list[int]] = field(default_factory=list)
    parts: dict[int, dict[int, bytes]] = field(default_factory=dict)
    export: dict[str, Any] | None = None


def read_out(day: Day, gone: Dropped, *, folder: Path | None, progress: Progress) -> ReadOut:
    """Check and export a day. Raises DayBroken, and OSError where the file cannot be written."""
    found = ReadOut(day)
    path = folder / _file_name(day) if folder else None
    columns = ", " + parquet.selected(ARCHIVE) if folder else ""
    with _file(path) as add:

        def done(page: list[Any]) -> None:
            add([row[_LEAF_AND_KEY:] for row in page])
            found.rows += len(page)
            progress(found.rows)

        for number, batch, leaves in _batches(_pages(day, columns, done)):
            _sort_in(found, gone, number, batch, leaves)
    if path is not None:
        found.export = files.described(path, found.rows)
    return found


def _file_name(day: Day) -> str:
    """Return a name that no checkpoint names: what came in, or was held, after the day was dropped has its own file."""
    before = LogCheckpoint.objects.filter(document__day=day.date.isoformat()).count()
    return f"decisions-{day.date.isoformat()}{f'-{before + 1}' if before else ''}.parquet"


@contextmanager
def _file(path: Path | None) -> Iterator[Callable[[Any], None]]:
    if path is None:
        yield lambda _group: None
        return
    with opened_whole(path) as file, parquet.opened(ARCHIVE, file) as add:
        yield add


def _batches(pages: Iterator[list[Any]]) -> Iterator[tuple[int, DecisionBatch | None, dict[int, bytes]]]:
    """Yield each batch with the leaves of its decisions of the day by their positions; a batch may span pages."""
    known: dict[int, DecisionBatch] = {}
    number, leaves = 0, dict[int, bytes]()
    for page in pages:
        known = {**{n: b for n, b in known.items() if n == number}, **_batches_of(page)}
        for batch, rows in groupby(page, key=lambda row: int(row[0])):
            if leaves and batch != number:
                yield number, known.get(number), leaves
                leaves = {}
            number = batch
            leaves.update((row[1], bytes(row[2])) for row in rows)
    if leaves:
        yield number, known.get(number), leaves


def _batches_of(page: list[Any]) -> dict[int, DecisionBatch]:
    return DecisionBatch.objects.in_bulk({row[0] for row in page})


def _pages(day: Day, columns: str, done: Callable[[list[Any]], None]) -> Iterator[list[Any]]:
    statement = _PAGE.format(columns=columns, partition=day.partition)
    after: tuple[int, int] = (-1, -1)
    with connection.cursor() as cursor:
        while True:
            cursor.execute(statement, [*after, ROWS_OF_A_PAGE])
            if not (page := cursor.fetchall()):
                return
            after = (page[-1][0], page[-1][1])
            done(page)
            yield page


def _sort_in(found: ReadOut, gone: Dropped, number: int, batch: DecisionBatch | None, here: dict[int, bytes]) -> None:
    if batch is None:
        raise DayBroken(f"a decision of {found.day.date} belongs to no batch")
    is_whole = len(here) == batch.decision_count
    everything = here if is_whole else {**_elsewhere(found.day, number), **gone.leaves(number), **here}
    if len(everything) != batch.decision_count or _root(everything) != bytes(batch.root):
        raise DayBroken(f"the decisions of batch {number} are not the ones it sealed")
    found.last_batch = number
    if not is_whole:
        found.parts[number] = here
    elif found.ranges and found.ranges[-1][1] == number - 1:
        found.ranges[-1][1] = number
    else:
        found.ranges.append([number, number])


def _elsewhere(day: Day, number: int) -> dict[int, bytes]:
    """Return the leaves of the batch's decisions that lie in other days."""
    return leaves_where("policies_decision", number, f"AND tableoid <> '{day.partition}'::regclass")


def leaves_where(table: str, number: int, more: str = "") -> dict[int, bytes]:
    """Return the leaves of a batch's decisions in a table by their positions."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT position, sha256(convert_to(entry, 'UTF8')) FROM {table} WHERE batch_id = %s {more}",  # noqa: S608
            [number],
        )
        return {position: bytes(leaf) for position, leaf in cursor}


def _root(leaves: dict[int, bytes]) -> bytes:
    return merkle_root([leaves[position] for position in sorted(leaves)])
