"""A process that deletes for a measurement, batch by batch as it is asked to: a run of Assent's, or by hand.

``python -m governance.bench.deletion`` reads its task as a line of JSON, then a line for each window: empty
for a few batches, or a number of seconds. It answers with a line for each.
"""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import psycopg

from privacy.retention.pacing import Pace
from privacy.retention.tables import Table

TABLE = Table(name="bench events", table="bench_event")
BATCH, BATCHES = 20_000, 3  # batches of a window: a run has its caches warm, as one batch in turns has not
# What a careful hand writes: a range of the age index a batch, whose lower bound moves along. No holds, no proof.
_NEXT = f"""
SELECT received_at FROM {TABLE.table} WHERE purpose = %(purpose)s AND received_at >= %(low)s AND received_at <= %(due)s
ORDER BY received_at OFFSET {BATCH} LIMIT 1
"""  # noqa: S608 (a constant)
_DELETE = f"""
DELETE FROM {TABLE.table} WHERE purpose = %(purpose)s AND received_at >= %(low)s AND received_at < %(high)s
"""  # noqa: S608


@dataclass(frozen=True)
class RunTask:
    """A run of Assent's."""

    run: str
    gentle: bool = False


@dataclass(frozen=True)
class HandTask:
    """The same deletion as a script written by hand."""

    purpose: str
    due: datetime


Task = RunTask | HandTask


@dataclass(frozen=True)
class Window:
    """What one window did, and what it cost its process and the backend of its connection."""

    rows: int
    seconds: float
    worker_s: float
    backend_s: float
    peak_kb: int

    @property
    def cpu_us_per_row(self) -> float:
        return (self.worker_s + self.backend_s) / self.rows * 1e6


class Worker:
    """The process, seen from the one that measures."""

    def __init__(self, url: str, task: Task) -> None:
        environment = {**os.environ, "DATABASE_URL": url}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "governance.bench.deletion"],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("The pipes of the deleting process are missing.")
        self._asks, self._answers = self._process.stdin, self._process.stdout
        kind = "run" if isinstance(task, RunTask) else "hand"
        self._ask(json.dumps({"kind": kind, **asdict(task)}, default=datetime.isoformat))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._asks.close()
        try:
            self._process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._answers.close()

    def batches(self) -> Window:
        """Have it delete a few batches; a window without rows is the end."""
        return Window(**self._ask(""))

    def begin(self, seconds: float) -> None:
        """Have it delete for so many seconds; ``end`` waits for that."""
        self._say(str(seconds))

    def end(self) -> Window:
        return Window(**self._heard())

    def _ask(self, line: str) -> Any:
        self._say(line)
        return self._heard()

    def _say(self, line: str) -> None:
        self._asks.write(line + "\n")
        self._asks.flush()

    def _heard(self) -> Any:
        answer = self._answers.readline()
        if not answer:
            raise RuntimeError(f"The deleting process ended with status {self._process.wait()}.")
        return json.loads(answer)


class _Deleting(Protocol):
    """One variant inside its process."""

    backend: int

    def window(self, seconds: float | None) -> int:
        """Delete a few batches, or for so many seconds; return how many rows, 0 at the end."""
        ...


class _ByAssent:
    """A retention run of the product in a thread, left off after each window."""

    def __init__(self, run: str, *, gentle: bool) -> None:
        from django.db import connection

        from privacy.models import Disposal
        from privacy.retention import schedules

        schedules._stores.clear()  # noqa: SLF001
        schedules.add_store(TABLE)
        self._run = Disposal.objects.get(pk=run).pk
        connection.close()
        self._pace = _InTurns(gentle=gentle)
        self.backend, is_connected = 0, threading.Event()
        threading.Thread(target=self._work, args=(is_connected,), daemon=True).start()
        is_connected.wait()

    def window(self, seconds: float | None) -> int:
        """Let the run go on for one window: it stands still between them, as it would while it rests."""
        before = self._pace.deleted
        if not self._pace.is_over:
            self._pace.go_on(seconds)
        return self._pace.deleted - before

    def _work(self, is_connected: threading.Event) -> None:
        from django.db import connection

        from privacy.retention import disposal

        connection.ensure_connection()
        self.backend = connection.connection.info.backend_pid
        is_connected.set()
        self._pace.wait()
        disposal.run(self._run, pace=self._pace)
        self._pace.end()
        threading.Event().wait()  # a backend that has gone has no processor time to read


class _InTurns(Pace):
    """Pace of a run that stands still after each window until it is let go on."""

    def __init__(self, *, gentle: bool) -> None:
        super().__init__(gentle=gentle)
        self.deleted, self.is_over, self._until, self._left = 0, False, 0.0, 0
        self._go, self._stands = threading.Semaphore(0), threading.Semaphore(0)

    def rest(self, worked_s: float, rows: int) -> None:
        self.deleted += rows
        self._left -= 1
        super().rest(worked_s, rows)
        if self._left <= 0 and time.monotonic() >= self._until:
            self._stands.release()
            self.wait()

    def wait(self) -> None:
        self._go.acquire()

    def go_on(self, seconds: float | None) -> None:
        """Let the run do one window."""
        self._left = 0 if seconds else BATCHES
        self._until = time.monotonic() + (seconds or 0.0)
        self._go.release()
        self._stands.acquire()

    def end(self) -> None:
        self.is_over = True
        self._stands.release()


class _ByHand:
    def __init__(self, purpose: str, due: str) -> None:
        self._connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, prepare_threshold=0)
        moment = datetime.fromisoformat(due)
        self._values: dict[str, Any] = {"purpose": purpose, "low": moment - timedelta(days=36_500), "due": moment}
        self._is_done = False
        self.backend = self._connection.info.backend_pid

    def window(self, seconds: float | None) -> int:
        return sum(self._batch() for _ in range(BATCHES))

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


def main() -> None:
    """Take the task, then delete window by window until standard input ends."""
    task = json.loads(sys.stdin.readline())
    deleting = _made(task)
    _answer({})
    for line in sys.stdin:
        began, worker, backend = time.perf_counter(), time.process_time(), _backend_s(deleting.backend)
        rows = deleting.window(float(line) if line.strip() else None)
        window = Window(
            rows=rows,
            seconds=time.perf_counter() - began,
            worker_s=time.process_time() - worker,
            backend_s=_backend_s(deleting.backend) - backend,
            peak_kb=_peak_kb(),
        )
        _answer(asdict(window))


def _answer(said: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def _made(task: dict[str, Any]) -> _Deleting:
    if task["kind"] == "hand":
        return _ByHand(task["purpose"], task["due"])
    from governance.celery import app

    app.loader.import_default_modules()  # all that a worker has in memory
    return _ByAssent(task["run"], gentle=task["gentle"])


def _backend_s(backend: int) -> float:
    """Return the processor time of a backend, to the nanosecond (schedstat, not ticks)."""
    return int(Path(f"/proc/{backend}/schedstat").read_text().split()[0]) / 1e9


def _peak_kb() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])
