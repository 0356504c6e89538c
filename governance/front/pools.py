"""A bounded pool of threads for one class of work. Full is an answer (503), not a wait."""

import logging
import threading
from collections import deque
from collections.abc import Callable

from governance.front import limits

logger = logging.getLogger(__name__)


class Job:
    """A piece of work that is done once: by a thread, or not at all where the loop gave up waiting first."""

    __slots__ = ("_claimed", "run")

    def __init__(self, run: Callable[[], None]) -> None:
        self.run = run
        self._claimed = threading.Lock()

    def claim(self) -> bool:
        """Say whether the caller is the first who asks; that one has the work."""
        return self._claimed.acquire(blocking=False)


class Pool:
    """Threads are made when work waits, up to ``threads``, and end after a minute without any."""

    def __init__(self, name: str, *, threads: int, queue: int, on_thread_end: Callable[[], None]) -> None:
        self.name = name
        self._most_threads, self._most_waiting = threads, queue
        self._on_thread_end = on_thread_end
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._threads = self._idle = 0
        self._is_closing = False
        self.refused = 0

    def submit(self, job: Job) -> bool:
        """Have the job done; False where too many wait already."""
        with self._changed:
            free = self._idle + self._most_threads - self._threads
            if len(self._waiting) >= self._most_waiting + free:
                self.refused += 1
                return False
            self._waiting.append(job)
            if len(self._waiting) <= self._idle:
                self._changed.notify()
            elif self._threads < self._most_threads:
                self._threads += 1
                threading.Thread(target=self._work, name=f"front-{self.name}", daemon=True).start()
        return True

    def close(self) -> None:
        """Let the threads end once nothing waits."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()

    def waiting(self) -> int:
        """Return how many requests wait for a thread."""
        return len(self._waiting)

    def _work(self) -> None:
        try:
            while (job := self._next()) is not None:
                if job.claim():
                    job.run()
        except BaseException:
            logger.exception("A thread of the pool %s ended early", self.name)
            with self._changed:
                self._threads -= 1
        finally:
            self._on_thread_end()

    def _next(self) -> Job | None:
        """Return the next job, None where this thread is to end."""
        with self._changed:
            while not self._waiting:
                if self._is_closing or not self._wait():
                    self._threads -= 1
                    return None
            return self._waiting.popleft()

    def _wait(self) -> bool:
        """Wait for work; False where none came for a minute."""
        self._idle += 1
        came = self._changed.wait(limits.THREAD_IDLE_S)
        self._idle -= 1
        return came or bool(self._waiting)
