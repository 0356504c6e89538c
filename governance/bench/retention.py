"""Speed of deletion: a retention run against the best batched DELETE written by hand, in turns over one table.

Each variant has purposes of its own in one table that looks like the events', so all of them meet the same indexes. A
window is a number of batches of one variant; windows of all variants take turns, so that what else the machine does
meets them alike.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, Protocol

import psycopg
from django.conf import settings as django_settings
from django.db import connection, transaction
from django.db.models import Sum
from django.db.models.functions import Length
from django.utils import timezone

from consent.models import Purpose
from consent.pseudonyms import subject_ref
from governance.bench import world
from governance.bench.decisions import Settings
from governance.bench.report import Figure, Row
from oversight import guard
from privacy.models import RetentionSchedule
from privacy.retention import disposal, plans, schedules, undo
from privacy.retention.pacing import Pace
from privacy.retention.tables import Table

_TABLE = "bench_event"
_PEOPLE, _HELD = 10_000, 50
_SHARE = 4  # of the rows one in so many is due
_WINDOW = 1  # batches
ROWS = 1_000_000
_EVENTS = Table(name="bench events", table=_TABLE)
_VARIANTS = {"Assent": "bench_plain", "Assent with undo": "bench_undo", "hand-written": "bench_hand"}
# The product's events: the same columns and indexes, in one table without partitions.
_CREATE = f"""
CREATE UNLOGGED TABLE {_TABLE} (LIKE personalization_event INCLUDING DEFAULTS);
INSERT INTO {_TABLE} (id, subject_ref, purpose, kind, item_id, weight, occurred_at, received_at)
SELECT gen_random_uuid(), p.ref, v.purpose, 'view', 'item-' || (n %% 500), 1,
  %(newest)s - (%(rows)s - n) * interval '1 second', %(newest)s - (%(rows)s - n) * interval '1 second'
FROM generate_series(1, %(rows)s) n
CROSS JOIN unnest(%(purposes)s::text[]) v(purpose)
JOIN (SELECT ref, row_number() OVER () - 1 AS number FROM consent_datasubject) p ON p.number = n %% %(people)s
ORDER BY v.purpose, n;
ALTER TABLE {_TABLE} SET LOGGED;
ALTER TABLE {_TABLE} ADD PRIMARY KEY (occurred_at, id);
CREATE INDEX ON {_TABLE} (item_id);
CREATE INDEX ON {_TABLE} (item_id varchar_pattern_ops);
CREATE INDEX ON {_TABLE} (subject_ref, purpose, occurred_at DESC);
CREATE INDEX ON {_TABLE} (purpose, received_at, id);
"""  # noqa: S608 (a constant)
# What a careful hand writes: a range of the age index a batch, whose lower bound moves along. No holds, no proof.
_NEXT = f"""
SELECT received_at FROM {_TABLE} WHERE purpose = %(purpose)s AND received_at >= %(low)s AND received_at <= %(due)s
ORDER BY received_at OFFSET {disposal.BATCH} LIMIT 1
"""  # noqa: S608
_DELETE = f"""
DELETE FROM {_TABLE} WHERE purpose = %(purpose)s AND received_at >= %(low)s AND received_at < %(high)s
"""  # noqa: S608


@dataclass
class _Measured:
    """What the windows of one variant cost."""

    rows: int = 0
    seconds: float = 0.0
    peak_kb: int = 0
    windows: list[float] = field(default_factory=list)  # microseconds of processor time a row

    def add(self, worker: "_Worker") -> int:
        """Measure one window; return its rows."""
        Path("/proc/self/clear_refs").write_text("5")  # the peak of memory counts from here
        began, before = time.perf_counter(), _cpu_s(worker.backend)
        rows = worker.window()
        if rows:
            self.windows.append((_cpu_s(worker.backend) - before) / rows * 1e6)
            self.seconds += time.perf_counter() - began
            self.rows += rows
            self.peak_kb = max(self.peak_kb, _peak_kb())
        return rows


def run(settings: Settings, say: Callable[[str], None]) -> list[Row]:
    """Fill the table, then delete a quarter of it by every variant, in turns."""
    rows = settings.rows or ROWS
    with world.bench_database(_PEOPLE) as url, _only_the_bench_table():
        say(f"storing {rows:,} rows ...")
        workers = _workers(url, _fill(rows), rows)
        measured = _in_turns(workers, say)
        kept = {name: worker.finish() for name, worker in workers.items()}
    return [_row(name, found, measured["hand-written"], kept.get(name)) for name, found in measured.items()]


@contextmanager
def _only_the_bench_table() -> Iterator[None]:
    """Have retention know the bench's table alone, and delete without rests."""
    known, share = dict(schedules._stores), django_settings.RETENTION_MAX_SHARE_PERCENT  # noqa: SLF001
    schedules._stores.clear()  # noqa: SLF001
    schedules.add_store(_EVENTS)
    django_settings.RETENTION_MAX_SHARE_PERCENT = 100
    try:
        yield
    finally:
        schedules._stores.clear()  # noqa: SLF001
        schedules._stores.update(known)  # noqa: SLF001
        django_settings.RETENTION_MAX_SHARE_PERCENT = share


def _fill(rows: int) -> datetime:
    """Store ``rows`` in all, a third for each variant; return the time of the newest."""
    newest = timezone.now().replace(microsecond=0)
    of_each = rows // len(_VARIANTS)
    with connection.cursor() as cursor:
        held = [subject_ref(world.person(number)) for number in range(_HELD)]
        cursor.execute("UPDATE consent_datasubject SET held = true WHERE ref = ANY(%s)", [held])
        parameters: dict[str, Any] = {
            "rows": of_each,
            "newest": newest,
            "people": _PEOPLE,
            "purposes": list(_VARIANTS.values()),
        }
        cursor.execute(_CREATE, parameters)
        cursor.execute(f"VACUUM ANALYZE {_TABLE}")
        # Old rows lie in pages that no recent change has touched: the first one after a checkpoint is the dear one.
        cursor.execute("SELECT pg_has_role('pg_checkpoint', 'member')")
        if cursor.fetchone()[0]:
            cursor.execute("CHECKPOINT")
    return newest


def _workers(url: str, newest: datetime, rows: int) -> dict[str, "_Worker"]:
    kept = timedelta(seconds=rows // len(_VARIANTS) * (_SHARE - 1) // _SHARE)
    return {
        name: _ByHand(purpose, url, newest - kept)
        if name == "hand-written"
        else _ByAssent(purpose, newest, kept, undo_days=1 if name == "Assent with undo" else 0)
        for name, purpose in _VARIANTS.items()
    }


class _Worker(Protocol):
    """One variant, deleting window by window."""

    backend: int

    def window(self) -> int:
        """Delete one window; return how many rows, 0 at the end."""
        ...

    def finish(self) -> float | None:
        """Let the connection go; return how many bytes a row an undo takes, None without one."""
        ...


class _ByAssent:
    """A retention run of the product, left off after each window."""

    def __init__(self, purpose: str, newest: datetime, kept: timedelta, *, undo_days: int) -> None:
        with transaction.atomic(), guard.writing("bench"):
            row = Purpose.objects.create(slug=purpose, name=purpose, legal_basis="legitimate_interests")
            day = timedelta(days=1)
            schedule = RetentionSchedule(purpose=row, data_set=_EVENTS.name, retain_for=day, undo_days=undo_days)
            schedule.save()
        # A schedule counts in days, and the table of a small measurement spans less: the moment is moved instead.
        plan = plans.make(schedule, actor="job:bench", now=newest - kept + day)
        self._run = disposal.run_of(plans.approve_by_schedule(plan, actor="job:bench"))
        self._pace = _InTurns()
        self.backend, is_connected, self._is_read = 0, threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, args=(is_connected,), daemon=True)
        self._thread.start()
        is_connected.wait()

    def window(self) -> int:
        """Let the run go on for one window: it stands still between them, as it would while it rests."""
        before = self._pace.deleted
        if not self._pace.is_over:
            self._pace.go_on()
        return self._pace.deleted - before

    def _work(self, is_connected: threading.Event) -> None:
        try:
            connection.ensure_connection()
            self.backend = connection.connection.info.backend_pid
            is_connected.set()
            self._pace.wait()
            self._run = disposal.run(self._run.id, pace=self._pace)
        finally:
            self._pace.end()
            self._is_read.wait()  # a backend that has gone has no processor time to read
            connection.close()

    def finish(self) -> float | None:
        """Let the run's connection go; return how many bytes a row an undo takes."""
        self._is_read.set()
        self._thread.join()
        kept = self._run.undo_parts.aggregate(bytes=Sum(Length("sealed")))["bytes"]
        undo.destroy_key(self._run.id)
        return kept / self._run.total_removed if kept else None


class _InTurns(Pace):
    """Pace of a run that stands still after each window until it is let go on."""

    def __init__(self) -> None:
        super().__init__(gentle=False)
        self.deleted, self.is_over, self._left = 0, False, _WINDOW
        self._go, self._stands = threading.Semaphore(0), threading.Semaphore(0)

    def rest(self, worked_s: float, rows: int) -> None:
        self.deleted += rows
        self._left -= 1
        if self._left == 0:
            self._left = _WINDOW
            self._stands.release()
            self.wait()

    def wait(self) -> None:
        self._go.acquire()

    def go_on(self) -> None:
        """Let the run do one window."""
        self._go.release()
        self._stands.acquire()

    def end(self) -> None:
        self.is_over = True
        self._stands.release()


class _ByHand:
    """The same deletion as somebody writes it who has a shell and an evening."""

    def __init__(self, purpose: str, url: str, due: datetime) -> None:
        self._connection = psycopg.connect(url, autocommit=True, prepare_threshold=0)
        self._values: dict[str, Any] = {"purpose": purpose, "low": due - timedelta(days=36_500), "due": due}
        self._is_done = False
        self.backend = self._connection.info.backend_pid

    def window(self) -> int:
        return sum(self._batch() for _ in range(_WINDOW))

    def finish(self) -> None:
        self._connection.close()

    def _batch(self) -> int:
        if self._is_done:
            return 0
        with self._connection.cursor() as cursor:
            found = cursor.execute(_NEXT, self._values).fetchone()
            self._is_done = found is None
            high = found[0] if found else self._values["due"] + timedelta(microseconds=1)
            cursor.execute(_DELETE, {**self._values, "high": high})
            self._values["low"] = high
            return cursor.rowcount


def _in_turns(workers: Mapping[str, _Worker], say: Callable[[str], None]) -> dict[str, _Measured]:
    """Have all variants delete windows in a random order, until each is done."""
    chance, measured, left = random.Random(7), {name: _Measured() for name in workers}, dict(workers)  # noqa: S311
    while left:
        names = list(left)
        chance.shuffle(names)
        for name in names:
            if not measured[name].add(left[name]):
                del left[name]
                say(f"{name}: {measured[name].rows:,} rows deleted")
    return measured


def _row(name: str, found: _Measured, hand: _Measured, undo_bytes: float | None) -> Row:
    figures: dict[str, Figure] = {
        "rows": found.rows,
        "rows_per_second": found.rows / found.seconds,
        "cpu_us_per_row": median(found.windows),
        "share_of_hand_written": median(hand.windows) / median(found.windows),
        "peak_memory_mb": found.peak_kb / 1024,
        "undo_bytes_per_row": undo_bytes,
    }
    return Row(name, figures)


def _cpu_s(backend: int) -> float:
    """Return the processor time of this process and one backend, to the nanosecond (schedstat, not ticks)."""
    return time.process_time() + int(Path(f"/proc/{backend}/schedstat").read_text().split()[0]) / 1e9


def _peak_kb() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])
