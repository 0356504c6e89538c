"""Circuit breaker: after failures in a row, stop calling for a while and answer without.

Closed: every call goes through. Open: none does, for ``rest_s`` seconds. Then one trial call decides.
"""

import threading
import time
from collections.abc import Callable


class CircuitBreaker:
    """Counter of failures in a row. Thread-safe; the clock can be replaced in tests."""

    def __init__(
        self, *, threshold: int = 5, rest_s: float = 10.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._threshold, self._rest_s, self._clock = threshold, rest_s, clock
        self._lock = threading.Lock()
        self._failures = 0
        self._opened_at: float | None = None

    @property
    def is_open(self) -> bool:
        """Return whether failures in a row have stopped the calls, but for a trial."""
        return self._opened_at is not None

    def allows(self) -> bool:
        """Return whether to try. After the rest, exactly one caller is let through at a time."""
        with self._lock:
            if self._opened_at is None:
                return True
            if self._clock() - self._opened_at < self._rest_s:
                return False
            self._opened_at = self._clock()
            return True

    def succeeded(self) -> None:
        with self._lock:
            self._failures, self._opened_at = 0, None

    def failed(self) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= self._threshold:
                self._opened_at = self._clock()
