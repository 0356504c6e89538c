"""Counts of what both sides of a rollout answered, kept in the process and written by the minute.

No request waits for them: in a process that answers requests a thread adds them up and writes them every two seconds.
A process that is killed loses the seconds that it had not written; the guards then judge a little later.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from dataclasses import astuple, dataclass, field
from datetime import datetime
from typing import Final

from django.db import connection
from django.utils import timezone

from common.counting import flushing
from common.levels import LEVELS
from personalization.rollouts.models import RolloutCount

Side = RolloutCount.Side
FIRST_US: Final = 1_000
BOUNDS_US: Final = tuple(round(FIRST_US * 1.25**step) for step in range(32))  # to about a second
_WRITE_EVERY_S = 2.0
_MOST_WAITING = 20_000  # more answers than a process gives in that time; beyond it the oldest are left out


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer of a side, or one comparison of a shadow."""

    level: str
    is_fallback: bool = False
    has_failed: bool = False
    took_us: int | None = None
    overlap: int | None = None
    agreement: float | None = None
    score: float | None = None


def _zeros(steps: int) -> list[int]:
    return [0] * steps


@dataclass
class Tally:
    """Counts of a side in one minute, as the columns of ``RolloutCount`` hold them."""

    answers: int = 0
    fallbacks: int = 0
    failures: int = 0
    dropped: int = 0
    levels: list[int] = field(default_factory=lambda: _zeros(len(LEVELS)))
    took: list[int] = field(default_factory=lambda: _zeros(len(BOUNDS_US) + 1))
    overlap: list[int] = field(default_factory=lambda: _zeros(11))
    agreement: list[int] = field(default_factory=lambda: _zeros(21))
    score: list[int] = field(default_factory=lambda: _zeros(11))

    def add(self, answer: Answer | None) -> None:
        """Count an answer; None is a comparison that was dropped."""
        if answer is None:
            self.dropped += 1
            return
        self.answers += 1
        self.fallbacks += answer.is_fallback
        self.failures += answer.has_failed
        self.levels[LEVELS[answer.level]] += 1
        if answer.took_us is not None:
            self.took[bisect_left(BOUNDS_US, answer.took_us)] += 1
        if answer.overlap is not None:
            self.overlap[answer.overlap] += 1
        if answer.agreement is not None:
            self.agreement[round(10 * answer.agreement) + 10] += 1
        if answer.score is not None:
            self.score[min(10, round(10 * answer.score))] += 1


_Place = tuple[int, str, datetime]  # rollout, side, minute
_Count = tuple[_Place, Answer | None]

NUMBERS: Final = ("answers", "fallbacks", "failures", "dropped")
SCALES: Final = ("levels", "took", "overlap", "agreement", "score")
_COLUMNS: Final = (*NUMBERS, *SCALES)


def _added(column: str) -> str:
    if column in NUMBERS:
        return f"{column} = c.{column} + excluded.{column}"
    both = f"unnest(c.{column}, excluded.{column}) WITH ORDINALITY AS x(a, b, place)"
    return f"{column} = (SELECT array_agg(a + b ORDER BY place) FROM {both})"  # noqa: S608 (a name written above)


# A rollout that is deleted by then takes no counts: the row is looked for in the statement.
_WRITE: Final = f"""
INSERT INTO personalization_rolloutcount AS c (rollout_id, side, minute, {", ".join(_COLUMNS)})
SELECT id, %s, %s, {", ".join("%s" if column in NUMBERS else "%s::integer[]" for column in _COLUMNS)}
FROM personalization_modelrollout WHERE id = %s
ON CONFLICT (rollout_id, side, minute) DO UPDATE SET {", ".join(map(_added, _COLUMNS))}
"""  # noqa: S608 (names of columns written above)


def write(place: _Place, tally: Tally) -> None:
    """Add counts to those of a minute."""
    rollout, side, minute = place
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [side, minute, *astuple(tally), rollout])


def _write_now(count: _Count) -> None:
    tally = Tally()
    tally.add(count[1])
    write(count[0], tally)


class Writer:
    """Answers that this process has counted and not yet written."""

    def __init__(self) -> None:
        self._waiting: deque[_Count] = deque(maxlen=_MOST_WAITING)
        self._tallies: dict[_Place, Tally] = {}

    def count(self, count: _Count) -> None:
        self._waiting.append(count)

    def flush(self) -> None:
        """Add up what was counted, and write it. Raises DatabaseError; what was not written stays."""
        while self._waiting:
            place, answer = self._waiting.popleft()
            self._tallies.setdefault(place, Tally()).add(answer)
        for place in list(self._tallies):
            write(place, self._tallies[place])
            del self._tallies[place]


_count: Callable[[_Count], None] = _write_now


def count_in_background() -> None:
    """Count in memory from now on, and write in a thread: for processes that answer requests."""
    global _count
    writer = Writer()
    flushing.in_background(writer.flush, every_s=_WRITE_EVERY_S, name="rollout-counts")
    _count = writer.count


def count(rollout: int, side: Side, answer: Answer | None) -> None:
    """Count an answer of a side; None is a comparison that was dropped."""
    _count(((rollout, str(side), timezone.now().replace(second=0, microsecond=0)), answer))
