"""Error of counts that are asked of an anonymised table: how many people are 30 to 40 and work in this trade?

Random conditions on two or three quasi-identifiers, as in Xiao and Tao, "Anatomy", VLDB 2006. A reader of the table has
only labels, so a class counts with the share of its label that the condition covers, all values being equally likely.
"""

from dataclasses import dataclass

import numpy as np

from privacy.anonymisation.describing import Description
from privacy.anonymisation.generalisation import CategoricalDomain, Domain, FloatArray, IntArray
from privacy.anonymisation.measuring.result import Result

_SEED = 20_020_501
_TRIES = 1000
_LARGE = 100_000  # items, from which a tenth of the tries has to do
_LEAST = 0.001  # of the rows


@dataclass(frozen=True)
class QueryError:
    """Relative error of ``queries`` random counts of a thousandth of the rows or more."""

    queries: int
    median: float | None
    mean: float | None


def query_error(result: Result) -> QueryError:
    """Ask the table and its anonymised copy the same questions; the same table gives the same questions."""
    drawn = np.random.default_rng(_SEED)
    tries = _TRIES if len(result.items) < _LARGE else _TRIES // 10
    names = list(result.domains)
    errors = []
    for _ in range(tries):
        number = min(int(drawn.integers(2, 4)), len(names))
        asked = {name: _run(drawn, result.domains[name]) for name in drawn.choice(names, number, replace=False)}
        truth = _count(result, asked)
        if truth >= _LEAST * result.total:
            errors.append(abs(_estimate(result, asked) - truth) / truth)
    if not errors:
        return QueryError(0, None, None)
    return QueryError(len(errors), float(np.median(errors)), float(np.mean(errors)))


def _run(drawn: np.random.Generator, domain: Domain) -> tuple[int, int]:
    """Draw the first and the last of a run of codes, up to half of the domain."""
    length = int(drawn.integers(1, max(domain.size // 2, 1) + 1))
    first = int(drawn.integers(0, domain.size - length + 1))
    return first, first + length - 1


def _count(result: Result, asked: dict[str, tuple[int, int]]) -> int:
    inside = np.ones(len(result.items), dtype=bool)
    for name, codes in zip(result.domains, result.items.codes, strict=True):
        if name in asked:
            first, last = asked[name]
            inside &= (codes >= first) & (codes <= last)
    return int(result.items.rows[inside].sum())


def _estimate(result: Result, asked: dict[str, tuple[int, int]]) -> float:
    share = result.rows.astype(np.float64)
    for name, (first, last) in asked.items():
        shown = result.shown[name]
        share *= _covered(shown, result.domains[name], first, last)[shown.label_of]
    return float(share.sum())


def _covered(shown: Description, domain: Domain, first: int, last: int) -> FloatArray:
    """Return which share of each label's values lies between two codes."""
    starts: IntArray = shown.starts[:-1]
    if isinstance(domain, CategoricalDomain):
        held = (shown.members >= first) & (shown.members <= last)
        return np.add.reduceat(held, starts) / np.diff(shown.starts)
    low, high = shown.members[starts], shown.members[shown.starts[1:] - 1]
    inside = np.minimum(high, last) - np.maximum(low, first) + 1
    return np.asarray(np.maximum(inside, 0) / (high - low + 1), dtype=np.float64)
