"""Restart policy of a process that ended."""

from collections import deque

_DELAYS_S = (1.0, 2.0, 4.0, 8.0, 15.0)
_HEALTHY_RUN_S = 10.0
_MANY = 5
_MANY_WITHIN_S = 30.0


class RestartPolicy:
    """Delay before the next start of one process; times are seconds of a monotonic clock.

    After a run of at least 10 s the next start comes at once; a process that ends sooner waits 1, 2, 4,
    8 and then always 15 s, so that one that cannot run costs next to nothing.
    """

    def __init__(self) -> None:
        self.due_at = 0.0
        self._started_at = 0.0
        self._failures = 0
        self._ends: deque[float] = deque(maxlen=_MANY)
        self._has_complained = False

    def started(self, now: float) -> None:
        """Note a start."""
        self._started_at = now

    def ended(self, now: float) -> None:
        """Note an end and set ``due_at``."""
        self._ends.append(now)
        if now - self._started_at >= _HEALTHY_RUN_S:
            self._failures, self._has_complained, self.due_at = 0, False, now
            return
        self.due_at = now + _DELAYS_S[min(self._failures, len(_DELAYS_S) - 1)]
        self._failures += 1

    def deserves_complaint(self) -> bool:
        """Return True once for every spell of five ends within 30 s."""
        many = len(self._ends) == _MANY and self._ends[-1] - self._ends[0] <= _MANY_WITHIN_S
        if not many or self._has_complained:
            return False
        self._has_complained = True
        return True
