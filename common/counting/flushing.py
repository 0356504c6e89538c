"""Write what a process has counted into the database, in a thread of its own, so that no request waits for it."""

import atexit
import logging
import threading
import time
from collections.abc import Callable

from django.db import DatabaseError, close_old_connections

logger = logging.getLogger(__name__)
Flush = Callable[[], None]


def in_background(flush: Flush, *, every_s: float, name: str) -> None:
    """Flush from now on, and at the end of the process: for processes that answer requests.

    ``flush`` keeps what it cannot write, so that the next time writes it; a process that is killed loses that.
    """
    once = _OneAtATime(flush, name)
    threading.Thread(target=_run, args=(once, every_s), name=name, daemon=True).start()
    atexit.register(once)


class _OneAtATime:
    """A flush that never raises, and that the thread and the end of the process do one after the other."""

    def __init__(self, flush: Flush, name: str) -> None:
        self._flush, self._name, self._lock = flush, name, threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            try:
                self._flush()
            except DatabaseError as exc:
                logger.warning("%s wait for the database (%s)", self._name, type(exc).__name__)
            except Exception:  # a thread that ends would count nothing any more, and say nothing of it
                logger.exception("%s are not written", self._name)
            finally:
                close_old_connections()


def _run(flush: Flush, every_s: float) -> None:
    while True:
        time.sleep(every_s)
        flush()
