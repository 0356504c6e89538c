"""Decisions beside a retention run: their latency while nothing is deleted, beside a run that gives way, and beside one
that does not. Windows of all three take turns.
"""

import random
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median

from governance.bench import decisions, load, world
from governance.bench.decisions import Settings
from governance.bench.deletion import retention
from governance.bench.deletion.deleting import Worker
from governance.bench.report import Figure, Row

_IDLE, _GENTLE, _UNPACED = "Decisions, nothing deleted", "beside a run that gives way", "beside a run that does not"
_PURPOSES = {_GENTLE: "bench_gentle", _UNPACED: "bench_unpaced"}
_WINDOW_S = 2.0
_KEPT_S = 1  # nearly every row is due


@dataclass
class _Measured:
    latencies: list[int] = field(default_factory=list)
    p99s: list[float] = field(default_factory=list)
    deleted: int = 0

    def add(self, measured: load.Measured, deleted: int) -> None:
        self.latencies += measured.latencies
        self.p99s.append(measured.percentile_ms(0.99))
        self.deleted += deleted


def run(settings: Settings, say: Callable[[str], None]) -> list[Row]:
    """Ask for decisions over HTTP in windows; ``--seconds`` is how many rounds of windows."""
    people, rows = settings.subjects[0], settings.rows or retention.ROWS
    with world.bench_database(people) as url, ExitStack() as stack:
        token = world.bench_token()
        say(f"storing {rows:,} rows ...")
        newest, kept = retention.fill(rows, list(_PURPOSES.values())), timedelta(seconds=_KEPT_S)
        tasks = {
            what: retention.queue_run(purpose, newest, kept, gentle=what == _GENTLE)
            for what, purpose in _PURPOSES.items()
        }
        workers = {what: stack.enter_context(Worker(url, task)) for what, task in tasks.items()}
        port, _pid = stack.enter_context(decisions.serving(url, settings))
        requests = decisions.requests_of_people(token, people, vary=False)
        return _rows(_in_turns(port, requests, workers, settings), settings.clients)


def _in_turns(
    port: int, requests: list[bytes], workers: Mapping[str, Worker], settings: Settings
) -> dict[str, _Measured]:
    address, chance = ("127.0.0.1", port), random.Random(7)  # noqa: S311
    load.run(address, requests, clients=settings.clients, seconds=_WINDOW_S)
    measured = {what: _Measured() for what in (_IDLE, _GENTLE, _UNPACED)}
    for _round in range(max(1, int(settings.seconds))):
        for what in chance.sample(list(measured), len(measured)):
            worker = workers.get(what)
            if worker is not None:
                worker.begin(_WINDOW_S)
            found = load.run(address, requests, clients=settings.clients, seconds=_WINDOW_S)
            deleted = worker.end().rows if worker is not None else 0
            if deleted or worker is None:
                measured[what].add(found, deleted)
    return measured


def _rows(measured: Mapping[str, _Measured], clients: int) -> list[Row]:
    idle = median(measured[_IDLE].p99s)
    return [_row(what, found, idle, clients) for what, found in measured.items() if found.p99s]


def _row(what: str, found: _Measured, idle_ms: float, clients: int) -> Row:
    seconds, ordered = len(found.p99s) * _WINDOW_S, sorted(found.latencies)
    figures: dict[str, Figure] = {
        "clients": clients,
        "per_second": len(ordered) / seconds,
        "p50_ms": ordered[len(ordered) // 2] / 1e6,
        "p99_ms": median(found.p99s),
        "p99_ms_min": min(found.p99s),
        "p99_ms_max": max(found.p99s),
        "p99_to_idle": median(found.p99s) / idle_ms,
        "rows_deleted_per_second": found.deleted / seconds,
    }
    return Row(what, figures)
