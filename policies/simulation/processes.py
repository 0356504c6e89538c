"""Replayer processes, seen from the one that asks them.

They are started afresh (nothing is forked, so threads and connections of this process are safe), with no secret in
their environment, and ended when a batch takes too long: a candidate can neither stop nor change what is in force.
"""

import queue
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import msgspec

from policies.decision_log.differences import CandidateUnusable
from policies.engines.replayer import Rules

_ROOT = Path(__file__).resolve().parents[2]
_BATCH = 128
PROCESSES = 2
PATIENCE_S = 60.0  # for a batch; a decision takes a fraction of a millisecond
ReplayItem = tuple[bytes, bool]  # the facts, and whether the rules in force are asked too
Answers = list[bytes]  # the candidate's, and those of the rules in force


class Replayers:
    """Context manager of the processes. ``ask`` may be called again and again."""

    def __init__(self, revisions: Sequence[Rules], *, count: int = PROCESSES, patience_s: float = PATIENCE_S) -> None:
        self._hello = msgspec.json.encode(list(revisions)) + b"\n"
        self._count, self._patience_s = count, patience_s
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        self._all: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Replayers":
        self._threads = ThreadPoolExecutor(self._count)
        return self

    def __exit__(self, *exc: object) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        for process in self._all:
            process.kill()
            process.communicate()

    def ask(self, sheets: Iterable[ReplayItem]) -> Iterator[Answers]:
        """Answer fact sheets in their order. Raises CandidateUnusable if a process was lost over one of them."""
        waiting = iter(sheets)
        batches = iter(lambda: list(islice(waiting, _BATCH)), [])
        for answered in self._threads.map(self._ask_one, batches):
            yield from answered

    def _ask_one(self, batch: list[ReplayItem]) -> list[Answers]:
        process = self._take()
        overdue = threading.Timer(self._patience_s, process.kill)
        overdue.start()
        try:
            answers = _converse(process, batch)
        except (BrokenPipeError, ValueError, EOFError) as exc:
            raise CandidateUnusable(
                "The candidate was given up: its rules ran out of time or memory, or the engine broke over them."
            ) from exc
        finally:
            overdue.cancel()
        self._idle.put(process)
        return answers

    def _take(self) -> subprocess.Popen[bytes]:
        """Return a process that waits, or a new one: there are never more than threads that ask."""
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            pass
        process = subprocess.Popen(
            [sys.executable, "-m", "policies.engines.replayer"],
            cwd=_ROOT,
            env={"RUST_BACKTRACE": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._all.append(process)
        if process.stdin:
            process.stdin.write(self._hello)
        return process


def _converse(process: subprocess.Popen[bytes], batch: list[ReplayItem]) -> list[Answers]:
    if process.stdin is None or process.stdout is None:
        raise EOFError
    lines = (b"%d%s\n" % (1 + both, facts) for facts, both in batch)
    process.stdin.write(b"%d\n%s" % (len(batch), b"".join(lines)))
    process.stdin.flush()
    answered = []
    for _ in batch:
        line = process.stdout.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        answered.append(line[:-1].split(b"\t"))
    return answered
