"""Speed of the decision log: copying spooled decisions, verifying them, and replaying them in a simulation."""

import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from common.identifiers import uuid7_text
from governance.bench import cpu, world
from governance.bench.decisions import Settings, document
from governance.bench.report import Row, request_row
from policies.decision_log import chain, drainer
from policies.decision_log.ageing import checkpoints, days, dropping
from policies.decision_log.ageing.reading_out import ReadOut, read_out
from policies.decision_log.spool import Spool
from policies.decisions import evaluate
from policies.endpoints.authzen import question_of
from policies.models import ActiveBundle
from policies.simulation import service

_DECISIONS = 200_000
_SHEETS = 2_000
_PEOPLE = 10_000
_ID = b'{"id":"'


def run_drain(settings: Settings, say: Callable[[str], None]) -> list[Row]:
    """Spool decisions, copy them as the drainer does, verify them, and drop them as the job does with an old day."""
    with world.bench_database(_PEOPLE), _spool(say) as folder:
        return [
            _timed("Drain the spool", lambda: drainer.drain(folder)),
            _timed("Verify the decision log", lambda: chain.verify().decisions),
            *_dropped(folder.parent),
        ]


def _dropped(folder: Path) -> list[Row]:
    """Check and export each day there is, then drop it under a checkpoint."""
    found: list[ReadOut] = []

    def read() -> int:
        gone = checkpoints.dropped()
        found.extend(read_out(day, gone, folder=folder, progress=lambda _rows: None) for day in days.stored())
        return sum(each.rows for each in found)

    return [
        _timed("Check and export a day", read),
        _timed("Drop it under a checkpoint", lambda: sum(map(dropping.drop_read, found))),
    ]


def run_simulate(settings: Settings, say: Callable[[str], None]) -> list[Row]:
    """Replay a log in PostgreSQL against the rules in force, as ``manage simulate`` does."""
    with world.bench_database(_PEOPLE), _spool(say) as folder:
        drainer.drain(folder)
        since, revision = timezone.now() - timedelta(days=1), ActiveBundle.objects.get().bundle_id
        replayed = _timed("Replay from PostgreSQL", lambda: service.simulate(revision, since=since).decisions)
        read = _timed("Only read from PostgreSQL", lambda: _count(since))
        return [replayed, read]


def _count(since: Any) -> int:
    return sum(1 for _ in service.entries(since=since, until=timezone.now()))


@contextmanager
def _spool(say: Callable[[str], None]) -> Iterator[Path]:
    """Create a folder with decisions as answered: some thousand different ones, each again and again."""
    folder = Path(tempfile.mkdtemp(prefix="assent-bench-"))
    try:
        say(f"spooling {_DECISIONS:,} decisions ...")
        lines = _answered(folder / "answered")
        spool = Spool(folder / "spool")
        for number in range(_DECISIONS):
            # The same answer under an identifier of its own, which stands at the beginning.
            line = lines[number % len(lines)]
            spool.append(_ID + uuid7_text().encode() + line[len(_ID) + 36 :])
        spool.close()
        yield folder / "spool"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answered(folder: Path) -> list[bytes]:
    """Return lines as this process writes them, of questions no two of which are alike."""
    chance, usual = random.Random(7), evaluate._spool  # noqa: S311, SLF001 (who is asked about)
    evaluate._spool = Spool(folder)  # noqa: SLF001 (the installation's own log is left alone)
    try:
        for _ in range(_SHEETS):
            evaluate.decide(question_of(document(chance, _PEOPLE, vary=True)), caller="service:bench")
    finally:
        evaluate._spool.close()  # noqa: SLF001
        evaluate._spool = usual  # noqa: SLF001
    return [line for path in folder.iterdir() for line in path.read_bytes().splitlines(keepends=True)]


def _timed(name: str, work: Callable[[], int]) -> Row:
    began = time.perf_counter()
    with cpu.measured(os.getpid()) as used:
        count = work()
    seconds = time.perf_counter() - began
    return request_row(f"{name}, {count:,} decisions", clients=1, per_second=count / seconds, cpu_us=used.us_per(count))
