"""Bins that are the same for every version: of scores, of the popularity of items, and quantiles out of bins.

A score is counted in one of 64 bins, each 19 % wider than the one before, so that a process counts without knowing any
version's reference, and no score is kept.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, islice
from math import floor, log2

from personalization.recommender.answers import Basis, Personal, Recommendation

SCORES = 64
_PER_DOUBLING = 4
_FIRST = -40  # 2 ** (-40 / 4): what is lower is counted there
_TOP = 10  # of a list's scores: callers ask for lists of different lengths
_PERSONAL = (Basis.HISTORY, Basis.SESSION)  # what is popular has the same scores for everybody
POPULARITY = 11  # tenths of the catalogue by popularity, and at the end what the version does not know


def of_score(score: float) -> int:
    """Return the bin of a score; 0 and less is in the first."""
    if score <= 0:
        return 0
    return min(max(floor(_PER_DOUBLING * log2(score)) - _FIRST, 0), SCORES - 1)


def of_list(recommendations: Sequence[Recommendation]) -> list[int]:
    """Return the bins of the first personal scores of a list."""
    if isinstance(recommendations, Personal):
        return [of_score(score) for score in recommendations.scores[:_TOP]]
    scores = (each.score for each in recommendations if each.basis in _PERSONAL)
    return [of_score(score) for score in islice(scores, _TOP)]


def begin_of(number: int) -> float:
    """Return the score at which a bin begins."""
    return float(2 ** ((number + _FIRST) / _PER_DOUBLING)) if number else 0.0


def quantile(counts: Sequence[float], ends: Sequence[float], share: float) -> float | None:
    """Return the end of the bin that holds a quantile; None without any count, infinity behind the last end."""
    total = sum(counts)
    if not total:
        return None
    number = bisect_left(list(accumulate(counts)), share * total)
    return ends[number] if number < len(ends) else float("inf")
