"""Count what is served, in this process: a few additions in memory for an answer, no statement and no system call.

Numbers go into a file of the process that every scrape reads (``common.counting``), and from there by ``flushing`` into
the database, by day and version. Names are of closed sets, scores fall into bins, items are counted without the person.
"""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from threading import Lock

from django.conf import settings

from common.counting import latencies
from common.counting.counts import MOMENTARY, NUMBERS, Counts

ANSWER, SCORES, BREAKER = "answer", "scores", f"{MOMENTARY}breaker"
NONE = "none"
_ROWS = 4_096

_shown: Counter[tuple[str, str]] = Counter()
_lock = Lock()


@lru_cache(maxsize=1)
def counts() -> Counts:
    return Counts(settings.ASSENT_HOME / "recommender", rows=_ROWS)


def answered(*, model: str | None, permitted: str, level: str, fallback: str | None, seconds: float) -> None:
    """Count an answer: by version, level permitted and served, and why less was served; and how long it took."""
    name = f"{ANSWER} {model or NONE} {permitted} {level} {fallback or NONE}"
    counts().add(name, latencies.amounts(seconds))


def shown(model: str, items: Iterable[str]) -> None:
    """Count items that a version showed."""
    with _lock:
        _shown.update((model, item) for item in items)


def scored(model: str, numbers: Iterable[int]) -> None:
    """Count the first personal scores of a list in their bins, before anything of it is left out."""
    by_row: dict[int, dict[int, float]] = {}
    for number in numbers:
        row, place = divmod(number, NUMBERS)
        amounts = by_row.setdefault(row, {})
        amounts[place] = amounts.get(place, 0.0) + 1.0
    for row, amounts in by_row.items():
        counts().add(f"{SCORES} {model} {row}", amounts)


def resting(is_open: bool) -> None:
    """Note whether the breaker of this process is open."""
    counts().put(BREAKER, [float(is_open)])


def take_shown() -> Counter[tuple[str, str]]:
    """Return what was shown since this was last asked."""
    with _lock:
        taken = _shown.copy()
        _shown.clear()
        return taken


def give_back(taken: Counter[tuple[str, str]]) -> None:
    """Count again what could not be written."""
    with _lock:
        _shown.update(taken)
