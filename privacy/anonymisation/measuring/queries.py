"""Error of counts that are asked of an anonymised table: how many people are 30 to 40 and work in this trade?

Random conditions on two or three quasi-identifiers, as in Xiao and Tao, "Anatomy", VLDB 2006. A reader of the table has
only labels, so a class counts with the share of its label that the condition covers, all values being equally likely.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from privacy.anonymisation.describing import Description
from privacy.anonymisation.generalisation import CategoricalDomain, Domain, FloatArray, IntArray
from privacy.anonymisation.partition.items import Items

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


class Questions:
    """Random conditions on the quasi-identifiers: the same table gives the same. Their truths are counted part by part.

    A condition is a run of codes of two or three columns.
    """

    def __init__(self, domains: Mapping[str, Domain], items: int) -> None:
        self._domains, self._items = domains, items

    @cached_property
    def _asked(self) -> list[dict[str, tuple[int, int]]]:
        drawn = np.random.default_rng(_SEED)
        tries = 0 if self._items == 0 else _TRIES if self._items < _LARGE else _TRIES // 10
        names = list(self._domains)
        return [
            {
                name: _run(drawn, self._domains[name])
                for name in drawn.choice(names, min(int(drawn.integers(2, 4)), len(names)), replace=False)
            }
            for _ in range(tries)
        ]

    def truths(self, items: Items) -> IntArray:
        """Return how many rows of the items each condition is about."""
        return np.array([self._truth(items, asked) for asked in self._asked], dtype=np.int64)

    def _truth(self, items: Items, asked: Mapping[str, tuple[int, int]]) -> int:
        inside = np.ones(len(items), dtype=bool)
        for name, codes in zip(self._domains, items.codes, strict=True):
            if name in asked:
                first, last = asked[name]
                inside &= (codes >= first) & (codes <= last)
        return int(items.rows[inside].sum())

    def error(self, truths: IntArray, shown: Mapping[str, Description], rows: IntArray, total: int) -> QueryError:
        """Return how far the estimates from the labels of classes are off."""
        errors = [
            abs(self._estimate(shown, rows, asked) - truth) / truth
            for asked, truth in zip(self._asked, truths.tolist(), strict=True)
            if truth >= _LEAST * total
        ]
        if not errors:
            return QueryError(0, None, None)
        return QueryError(len(errors), float(np.median(errors)), float(np.mean(errors)))

    def _estimate(
        self, shown: Mapping[str, Description], rows: IntArray, asked: Mapping[str, tuple[int, int]]
    ) -> float:
        share = rows.astype(np.float64)
        for name, (first, last) in asked.items():
            share *= _covered(shown[name], self._domains[name], first, last)[shown[name].label_of]
        return float(share.sum())


def _run(drawn: np.random.Generator, domain: Domain) -> tuple[int, int]:
    """Draw the first and the last of a run of codes, up to half of the domain."""
    length = int(drawn.integers(1, max(domain.size // 2, 1) + 1))
    first = int(drawn.integers(0, domain.size - length + 1))
    return first, first + length - 1


def _covered(shown: Description, domain: Domain, first: int, last: int) -> FloatArray:
    """Return which share of each label's values lies between two codes."""
    starts: IntArray = shown.starts[:-1]
    if isinstance(domain, CategoricalDomain):
        held = (shown.members >= first) & (shown.members <= last)
        return np.add.reduceat(held, starts) / np.diff(shown.starts)
    low, high = shown.members[starts], shown.members[shown.starts[1:] - 1]
    inside = np.minimum(high, last) - np.maximum(low, first) + 1
    return np.asarray(np.maximum(inside, 0) / (high - low + 1), dtype=np.float64)
