"""Durations in the buckets of a histogram, as numbers of a row of counts: one for each bucket, then their sum."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SUM = len(BUCKETS_S) + 1  # behind the numbers of the buckets, the last of which has no end


@dataclass(frozen=True)
class Latencies:
    """Durations as counted. A bucket's number is that of the durations in it alone."""

    numbers: Sequence[float]
    seconds: float

    @property
    def count(self) -> int:
        return int(sum(self.numbers))

    @property
    def buckets(self) -> list[tuple[str, float]]:
        """Return the buckets as Prometheus wants them: each with all that is smaller."""
        return list(zip([*map(str, BUCKETS_S), "+Inf"], accumulate(self.numbers), strict=True))


def amounts(seconds: float) -> dict[int, float]:
    """Return what a duration adds to a row, by place."""
    return {bisect_left(BUCKETS_S, seconds): 1.0, _SUM: seconds}


def read(row: Sequence[float]) -> Latencies:
    """Return the durations of a row."""
    return Latencies(row[:_SUM], row[_SUM])
