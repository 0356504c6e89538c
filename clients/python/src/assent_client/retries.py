"""When to ask again, and how long to wait first."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Retries:
    """Up to ``attempts`` tries in all; waits grow from ``first_s`` to ``longest_s``, shortened by chance (full jitter).

    Asked again is only what is harmless to repeat, after a connection that failed, a time-out, or a 503.
    """

    attempts: int = 3
    first_s: float = 0.1
    longest_s: float = 2.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.first_s < 0 or self.longest_s < 0:
            raise ValueError("at least one attempt, and no negative waits")

    def wait_s(self, tried: int, retry_after_s: float | None = None) -> float:
        """How long to wait after so many tries. What the server asks for counts, up to the longest wait."""
        if retry_after_s is not None:
            return min(max(retry_after_s, 0.0), self.longest_s)
        limit = min(self.first_s * 2.0 ** (tried - 1), self.longest_s)
        return random.uniform(0, limit)  # noqa: S311 (spreads clients out; guards nothing)
