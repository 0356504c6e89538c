"""Counts of what both sides of a rollout answered, kept in the process and written by the minute.

No request waits for them: a process that answers requests hands them to a thread, and counts that cannot be written are
tried again. A process that is killed loses the seconds that it had not written; the guards then judge a little later.
"""

import logging
import queue
import threading
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import astuple, dataclass, field
from datetime import datetime
from typing import Final

from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone

from common.levels import LEVELS
from personalization.rollouts.models import RolloutCount

logger = logging.getLogger(__name__)
Side = RolloutCount.Side
FIRST_US: Final = 1_000
BOUNDS_US: Final = tuple(round(FIRST_US * 1.25**step) for step in range(32))  # to about a second
_WRITE_EVERY_S = 2.0
_MOST_WAITING = 1_000


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


def _zeros(steps: int) -> "list[int]":
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


# A rollout that was deleted meanwhile takes no counts: the row is looked for in the statement.
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


class _Writer:
    """Thread that adds up what is counted and writes it every two seconds."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[_Count] = queue.Queue(_MOST_WAITING)
        self._tallies: dict[_Place, Tally] = {}
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def count(self, count: _Count) -> None:
        try:
            self._waiting.put_nowait(count)
        except queue.Full:  # the thread is long behind; a count more or less decides nothing
            return
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="rollout-counts", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                self._take()
                self._write_all()
            except Exception:  # a thread that ends leaves the guards blind, and a candidate in place that fails
                logger.exception("A count of a rollout is lost")
            finally:
                close_old_connections()

    def _take(self) -> None:
        """Add up what comes in until it is time to write."""
        first = self._waiting.get()
        until = timezone.now().timestamp() + _WRITE_EVERY_S
        count: _Count | None = first
        while count is not None:
            self._tallies.setdefault(count[0], Tally()).add(count[1])
            left = until - timezone.now().timestamp()
            try:
                count = self._waiting.get(timeout=max(left, 0)) if left > 0 else None
            except queue.Empty:
                count = None

    def _write_all(self) -> None:
        for place in list(self._tallies):
            try:
                write(place, self._tallies[place])
            except DatabaseError:
                logger.warning("Counts of a rollout could not be written; trying again")
                connection.close()
                return
            del self._tallies[place]


_count: Callable[[_Count], None] = _write_now


def count_in_background() -> None:
    """Count in a thread from now on, so that no request waits: for processes that answer requests."""
    global _count
    _count = _Writer().count


def count(rollout: int, side: Side, answer: Answer | None) -> None:
    """Count an answer of a side; None is a comparison that was dropped."""
    _count(((rollout, str(side), timezone.now().replace(second=0, microsecond=0)), answer))
