"""Effects of a withdrawal, registered by the packages above and called once the withdrawal is committed.

A web process hands the withdrawals to a thread of its own, which dispatches all that have come in since in one call:
the person's answer does not wait for it, and a busy hour costs a few statements instead of a few for each. Losing such
a call loses nothing: the sweep in ``privacy`` finds every withdrawal that has no disposal yet.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from uuid import UUID

from django.db import close_old_connections, transaction

logger = logging.getLogger(__name__)
Effect = Callable[[Sequence[UUID]], None]
MAX_BATCH = 500
BATCH_DELAY_S = 0.1  # how long the first of a batch waits for others
_effects: list[Effect] = []


def on_withdrawal(effect: Effect) -> None:
    """Register a function that takes the ids of the withdrawn records."""
    if effect not in _effects:
        _effects.append(effect)


class WithdrawalDispatcher:
    """Dispatcher of withdrawals in a thread, several at once."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[UUID] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def dispatch(self, records: Sequence[UUID]) -> None:
        for record in records:
            self._waiting.put(record)
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="withdrawals", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            first = self._waiting.get()
            time.sleep(BATCH_DELAY_S)
            _run_effects([first, *self._more()])
            close_old_connections()

    def _more(self) -> list[UUID]:
        """Return what else waits by now."""
        found: list[UUID] = []
        while len(found) < MAX_BATCH - 1:
            try:
                found.append(self._waiting.get_nowait())
            except queue.Empty:
                break
        return found


def _run_effects(records: Sequence[UUID]) -> None:
    for effect in _effects:
        try:
            effect(records)
        except Exception:
            logger.exception("An effect of a withdrawal failed; the sweep will repeat it")


_dispatch: Callable[[Sequence[UUID]], None] = _run_effects


def dispatch_in_background() -> None:
    """Dispatch effects in the background from now on, so that no caller waits: for processes that answer requests."""
    global _dispatch
    _dispatch = WithdrawalDispatcher().dispatch


def announce_withdrawal(records: Sequence[UUID]) -> None:
    transaction.on_commit(lambda: _dispatch(records))
