"""Isolated engine: the embedded engine in processes of its own, so that a rule that does not end harms no other.

The engine holds the interpreter's lock while it evaluates and looks at no clock, so inside a web process nothing could
stop it. A question to another process costs about 30 us more and leaves the lock to the other threads.
"""

import contextlib
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from policies.engines import evaluator
from policies.engines.base import (
    QUERY,
    EngineFailure,
    EngineTimeout,
    EngineUnavailable,
    EngineUndefined,
    Verdict,
    read_verdict,
)
from policies.engines.embedded import Explained
from policies.engines.replayer import Rules

if TYPE_CHECKING:
    from policies.bundles.loading import LoadedBundle

_ROOT = Path(__file__).resolve().parents[2]
# Starting a process and parsing a bundle are slow and bounded; no question asked before has to wait for them.
_FIRST_ANSWER_S = 10.0
# Waiting is longer than the processor time allowed: on a busy machine a process does not run all the time.
_PATIENCE = 4
_TOO_OFTEN, _WITHIN_S = 3, 10.0


class _DidNotEnd(EngineTimeout):
    """Failure to end in time by fault of the rules; every other lateness is the machine's."""


class _Broke(EngineUnavailable):
    """End of the process over a question."""


class IsolatedEngine:
    """Pool of up to ``processes`` evaluators, started when needed; each thread borrows one for a question.

    ``timeout_ms`` is the processor time of one evaluation. A revision that used it up three times in ten seconds, or
    broke its process, is denied at once until ten seconds have passed since.
    """

    name = "embedded"

    def __init__(self, *, timeout_ms: int, processes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._timeout_s, self._processes, self._clock = timeout_ms / 1000, processes, clock
        self._begin()

    def _begin(self) -> None:
        self._owner = os.getpid()
        self._idle: queue.LifoQueue[_Evaluator] = queue.LifoQueue()
        self._room = threading.Semaphore(self._processes)
        self._failures: dict[str, deque[float]] = {}

    def evaluate(self, bundle: "LoadedBundle", facts: bytes, query: str = QUERY) -> Verdict:
        return read_verdict(self._ask(bundle, evaluator.ASK, query, facts), bundle.revision)

    def explain(self, bundle: "LoadedBundle", request: evaluator.ExplainRequest) -> Explained:
        """Explain an evaluation. Raises EngineFailure. Takes some hundredths of a second."""
        answer = self._ask(bundle, evaluator.EXPLAIN, request.package, msgspec.json.encode(request))
        return msgspec.json.decode(answer, type=Explained)

    def close(self) -> None:
        """End the idle processes."""
        while self._owner == os.getpid() and not self._idle.empty():
            self._idle.get_nowait().end()

    def _is_closed(self, revision: str) -> bool:
        failures = self._failures.get(revision)
        if failures is None or len(failures) < _TOO_OFTEN:
            return False
        return failures[-1] - failures[0] < _WITHIN_S and self._clock() - failures[-1] < _WITHIN_S

    def _ask(self, bundle: "LoadedBundle", kind: bytes, query: str, content: bytes) -> bytes:
        if self._owner != os.getpid():
            # After a fork the pipes are another process's: on them answers to two questions would get mixed up.
            self._begin()
        if self._is_closed(bundle.revision):
            raise EngineTimeout("The rules of this revision did not end, or broke the engine, too often.")
        try:
            return self._ask_some(bundle, kind, query, content)
        except (_DidNotEnd, _Broke):
            self._failures.setdefault(bundle.revision, deque(maxlen=_TOO_OFTEN)).append(self._clock())
            raise

    def _ask_some(self, bundle: "LoadedBundle", kind: bytes, query: str, content: bytes) -> bytes:
        """Ask one of the processes, as soon as one is free."""
        patience_s = self._timeout_s * _PATIENCE
        if not self._room.acquire(timeout=2 * patience_s):
            raise EngineTimeout("All processes of the engine are busy.")
        try:
            process = self._borrow()
            try:
                answer = process.ask(bundle, kind, query, content, patience_s)
            except EngineUndefined:
                self._idle.put(process)
                raise
            except BaseException:
                process.end()
                raise
            self._idle.put(process)
            return answer
        finally:
            self._room.release()

    def _borrow(self) -> "_Evaluator":
        while not self._idle.empty():
            with contextlib.suppress(queue.Empty):  # another thread was quicker
                process = self._idle.get_nowait()
                if process.is_alive:
                    return process
                process.end()
        return _Evaluator(self._timeout_s)


class _Evaluator:
    """One evaluator process. Keeps a list of the revisions it holds, in step with the process's own."""

    def __init__(self, timeout_s: float) -> None:
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "policies.engines.evaluator", str(timeout_s)],
                cwd=_ROOT,
                env={"RUST_BACKTRACE": "0"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
            )
        except OSError as exc:
            raise EngineUnavailable("The engine's process cannot be started.") from exc
        self._held: list[str] = []
        self._asked: set[tuple[str, str]] = set()

    def ask(self, bundle: "LoadedBundle", kind: bytes, query: str, content: bytes, patience_s: float) -> bytes:
        """Ask the process. Raises EngineFailure; after any but EngineUndefined the process is of no more use."""
        # Explaining parses the policy anew each time.
        is_slow = kind == evaluator.EXPLAIN or (bundle.revision, query) not in self._asked
        parts = [bundle.revision.encode(), *([query.encode()] if kind == evaluator.ASK else []), content]
        try:
            self._hand_over(bundle)
            self._write(evaluator.frame(kind, b"\n".join(parts)))
            said, answer = self._answer(_FIRST_ANSWER_S if is_slow else patience_s)
        except (OSError, EOFError):
            raise self._how_it_ended() from None
        self._asked.add((bundle.revision, query))
        if said == evaluator.NO_ANSWER:
            raise EngineUndefined(answer.decode())
        return answer

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def _hand_over(self, bundle: "LoadedBundle") -> None:
        if bundle.revision in self._held:
            return
        rules = Rules(bundle.revision, bundle.policies, bundle.data_json)
        self._write(evaluator.frame(evaluator.LOAD, msgspec.json.encode(rules)))
        self._held = [*self._held, bundle.revision][-evaluator.KEPT :]
        self._asked = {asked for asked in self._asked if asked[0] in self._held}

    def _write(self, frame: bytes) -> None:
        if self._process.stdin is None:
            raise EOFError
        left = memoryview(frame)
        while left:
            left = left[self._process.stdin.write(left) or 0 :]

    def _answer(self, patience_s: float) -> tuple[bytes, bytes]:
        if self._process.stdout is None:
            raise EOFError
        descriptor = self._process.stdout.fileno()
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        if not waiting.poll(patience_s * 1000):
            raise EngineTimeout("The engine did not answer in time.")
        return evaluator.read_frame(descriptor)

    def _how_it_ended(self) -> EngineFailure:
        try:
            status = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            status = 0
        if status == -signal.SIGPROF:
            return _DidNotEnd("The rules used up the processor time they may have.")
        return _Broke("The engine broke over these rules.")
