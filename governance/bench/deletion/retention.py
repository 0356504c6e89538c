"""Speed of deletion: a retention run against the best batched DELETE written by hand, in turns over one table.

Each variant has purposes of its own in one table that looks like the events', so all of them meet the same indexes. A
window is a few batches of one variant; windows of all variants take turns, so that what else the machine does meets
them alike. Each variant deletes in a process of its own, so its memory and processor time are its own.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.conf import settings as django_settings
from django.db import connection, transaction
from django.db.models import Sum
from django.db.models.functions import Length
from django.utils import timezone

from consent.models import Purpose
from consent.pseudonyms import subject_ref
from governance.bench import world
from governance.bench.decisions import Settings
from governance.bench.deletion.deleting import TABLE, HandTask, RunTask, Task, Window, Worker
from governance.bench.report import Figure, Row
from oversight import guard
from privacy.models import Disposal, RetentionSchedule
from privacy.retention import disposal, plans, schedules, undo

_TABLE = TABLE.table
_PEOPLE, _HELD = 10_000, 50
_SHARE = 4  # of the rows one in so many is due
ROWS = 1_000_000
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


def run(settings: Settings, say: Callable[[str], None]) -> list[Row]:
    """Fill the table, then delete a quarter of it by every variant, in turns."""
    rows = settings.rows or ROWS
    with world.bench_database(_PEOPLE) as url, ExitStack() as stack:
        say(f"storing {rows:,} rows ...")
        tasks = _tasks(fill(rows, list(_VARIANTS.values())), rows)
        workers = {name: stack.enter_context(Worker(url, task)) for name, task in tasks.items()}
        measured = _in_turns(workers, say)
        kept = {name: _undo_bytes(task) for name, task in tasks.items() if isinstance(task, RunTask)}
    return [_row(name, found, measured["hand-written"], kept.get(name)) for name, found in measured.items()]


def fill(rows: int, purposes: Sequence[str]) -> datetime:
    """Store ``rows`` in all, as many for each purpose; return the time of the newest."""
    newest = timezone.now().replace(microsecond=0)
    of_each = rows // len(purposes)
    with connection.cursor() as cursor:
        held = [subject_ref(world.person(number)) for number in range(_HELD)]
        cursor.execute("UPDATE consent_datasubject SET held = true WHERE ref = ANY(%s)", [held])
        parameters: dict[str, Any] = {
            "rows": of_each,
            "newest": newest,
            "people": _PEOPLE,
            "purposes": purposes,
        }
        cursor.execute(_CREATE, parameters)
        cursor.execute(f"VACUUM ANALYZE {_TABLE}")
        # Old rows lie in pages that no recent change has touched: the first one after a checkpoint is the dear one.
        cursor.execute("SELECT pg_has_role('pg_checkpoint', 'member')")
        if cursor.fetchone()[0]:
            cursor.execute("CHECKPOINT")
    return newest


def _tasks(newest: datetime, rows: int) -> dict[str, Task]:
    kept = timedelta(seconds=rows // len(_VARIANTS) * (_SHARE - 1) // _SHARE)
    return {
        name: HandTask(purpose, newest - kept)
        if name == "hand-written"
        else queue_run(purpose, newest, kept, undo_days=1 if name == "Assent with undo" else 0)
        for name, purpose in _VARIANTS.items()
    }


def queue_run(purpose: str, newest: datetime, kept: timedelta, *, undo_days: int = 0, gentle: bool = False) -> RunTask:
    """Make the approved run of a purpose that keeps what is younger than ``kept``."""
    known, share = dict(schedules._stores), django_settings.RETENTION_MAX_SHARE_PERCENT  # noqa: SLF001
    schedules._stores.clear()  # noqa: SLF001 (the plan is about the bench's table alone)
    schedules.add_store(TABLE)
    django_settings.RETENTION_MAX_SHARE_PERCENT = 100
    try:
        with transaction.atomic(), guard.writing("bench"):
            row = Purpose.objects.create(slug=purpose, name=purpose, legal_basis="legitimate_interests")
            day = timedelta(days=1)
            schedule = RetentionSchedule(purpose=row, data_set=TABLE.name, retain_for=day, undo_days=undo_days)
            schedule.save()
        # A schedule counts in days, and the table of a small measurement spans less: the moment is moved instead.
        plan = plans.make(schedule, actor="job:bench", now=newest - kept + day)
        run = disposal.run_of(plans.approve_by_schedule(plan, actor="job:bench"))
    finally:
        schedules._stores.clear()  # noqa: SLF001
        schedules._stores.update(known)  # noqa: SLF001
        django_settings.RETENTION_MAX_SHARE_PERCENT = share
    return RunTask(str(run.id), gentle=gentle)


def _undo_bytes(task: RunTask) -> float | None:
    """Return how many bytes a row an undo takes, None without one; destroy its key."""
    run = Disposal.objects.get(pk=task.run)
    kept = run.undo_parts.aggregate(bytes=Sum(Length("sealed")))["bytes"]
    undo.destroy_key(run.id)
    return kept / run.total_removed if kept else None


def _in_turns(workers: Mapping[str, Worker], say: Callable[[str], None]) -> dict[str, list[Window]]:
    """Have all variants delete windows in a random order, until each is done."""
    chance, measured = random.Random(7), {name: list[Window]() for name in workers}  # noqa: S311
    left = dict(workers)
    while left:
        names = list(left)
        chance.shuffle(names)
        for name in names:
            window = left[name].batches()
            if window.rows:
                measured[name].append(window)
            else:
                del left[name]
                say(f"{name}: {sum(each.rows for each in measured[name]):,} rows deleted")
    return measured


def _row(name: str, found: list[Window], hand: list[Window], undo_bytes: float | None) -> Row:
    cost = median(window.cpu_us_per_row for window in found)
    figures: dict[str, Figure] = {
        "rows": sum(window.rows for window in found),
        "rows_per_second": sum(window.rows for window in found) / sum(window.seconds for window in found),
        "cpu_us_per_row": cost,
        "worker_us_per_row": median(window.worker_s / window.rows * 1e6 for window in found),
        "share_of_hand_written": median(window.cpu_us_per_row for window in hand) / cost,
        "share_by_totals": _total(hand) / _total(found),
        "peak_memory_mb": max(window.peak_kb for window in found) / 1024,
        "undo_bytes_per_row": undo_bytes,
    }
    return Row(name, figures)


def _total(windows: list[Window]) -> float:
    """Return microseconds a row over all windows: with what comes once a pass, and the odd slow one."""
    return sum(window.worker_s + window.backend_s for window in windows) / sum(window.rows for window in windows) * 1e6
