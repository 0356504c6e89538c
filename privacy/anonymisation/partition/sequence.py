"""Classes as runs of an order, cut at the least total loss by dynamic programming.

``best(j) = min over i of best(i) + loss(i..j) * rows(i..j)``, over runs that may stand. All runs of one length are
measured at once from those one item shorter: a value is new to a run where it last occurred before the run began. The
recurrence goes over pieces of the order in step.
"""

from collections.abc import Sequence

import numpy as np

from privacy.anonymisation.generalisation import (
    CategoricalDomain,
    Domain,
    FloatArray,
    HierarchicalDomain,
    IntArray,
)
from privacy.anonymisation.partition.axes import Tree
from privacy.anonymisation.partition.items import Items

_PIECE = 512  # items, or eight times k
_LONGEST = 24  # items of a run, or twice k people


def cut_sequence(items: Items, domains: Sequence[Domain], k: int, weights: Sequence[float]) -> IntArray:
    """Return the class of each item; the items come in the order to cut and hold at least k people."""
    longest, piece = _run_length(items, k), max(_PIECE, 8 * k)
    starts = np.arange(0, max(len(items) - piece // 2, 1), piece)
    ends = np.append(starts[1:], len(items))
    costs = _costs(items, domains, k, weights, longest)
    return _classes(_beginnings(costs, starts, ends), starts, ends)


def _run_length(items: Items, k: int) -> int:
    """Return how many items the longest run tried has: twice what k people need."""
    people = len(items) if items.person is None else len(np.unique(items.person))
    each = -(-len(items) // max(people, 1))
    return min(max(_LONGEST, 2 * k * each), len(items))


def _costs(items: Items, domains: Sequence[Domain], k: int, weights: Sequence[float], longest: int) -> FloatArray:
    """Return what each run costs: (length - 1, beginning), infinite where it may not stand."""
    number = len(items)
    costs = np.full((longest, number), np.inf, dtype=np.float64)
    measures = [
        _measure(domain, codes, weight) for domain, codes, weight in zip(domains, items.codes, weights, strict=True)
    ]
    people_before = _last_before(items.person if items.person is not None else np.arange(number))
    people, rows = np.zeros(number, dtype=np.int64), np.zeros(number, dtype=np.int64)
    for shorter in range(longest):
        beginnings = number - shorter
        ends = np.arange(shorter, number)
        rows[:beginnings] += items.rows[ends]
        newcomers = people_before[ends] < np.arange(beginnings)
        people[:beginnings] += newcomers * (items.rows[ends] if items.person is None else 1)
        loss = sum(measure.longer(shorter) for measure in measures)
        costs[shorter, :beginnings] = np.where(people[:beginnings] >= k, loss * rows[:beginnings], np.inf)
    return costs


def _last_before(values: IntArray) -> IntArray:
    """Return the place at which each value occurred last before; -1 where it is the first."""
    order = np.argsort(values, kind="stable")
    same = np.flatnonzero(values[order][1:] == values[order][:-1])
    last = np.full(len(values), -1, dtype=np.int64)
    last[order[same + 1]] = order[same]
    return last


class _Distinct:
    """Loss of sets: how many values a run holds."""

    def __init__(self, codes: IntArray, step: float) -> None:
        self._last, self._step = _last_before(codes), step
        self._loss = np.full(len(codes), -step)

    def longer(self, shorter: int) -> FloatArray:
        beginnings = len(self._loss) - shorter
        is_new = self._last[shorter:] < np.arange(beginnings)
        self._loss[:beginnings] += is_new * self._step
        return self._loss[:beginnings]


class _Span:
    """Loss of ranges: how far apart a run's numbers lie."""

    def __init__(self, places: FloatArray) -> None:
        self._places, self._low, self._high = places, places.copy(), places.copy()

    def longer(self, shorter: int) -> FloatArray:
        beginnings, added = len(self._places) - shorter, self._places[shorter:]
        low, high = self._low[:beginnings], self._high[:beginnings]
        np.minimum(low, added, out=low)
        np.maximum(high, added, out=high)
        return np.subtract(high, low, dtype=np.float64)


class _Ancestor:
    """Loss of hierarchies: the lowest common ancestor of a run."""

    def __init__(self, domain: HierarchicalDomain, codes: IntArray, weight: float) -> None:
        self._tree, self._codes, self._weight = Tree.of(domain), codes, weight
        self._nodes = self._tree.leaf_nodes[codes].copy()

    def longer(self, shorter: int) -> FloatArray:
        beginnings = len(self._codes) - shorter
        nodes = self._tree.joined[self._nodes[:beginnings], self._codes[shorter:]]
        self._nodes[:beginnings] = nodes
        return np.multiply(self._tree.loss[nodes], self._weight, dtype=np.float64)


def _measure(domain: Domain, codes: IntArray, weight: float) -> "_Distinct | _Span | _Ancestor":
    if isinstance(domain, HierarchicalDomain):
        return _Ancestor(domain, codes, weight)
    if isinstance(domain, CategoricalDomain) or domain.positions is None:
        return _Distinct(codes, weight / max(domain.size - 1, 1))
    return _Span(domain.positions[codes] * weight)


def _beginnings(costs: FloatArray, starts: IntArray, ends: IntArray) -> IntArray:
    """Return where the last run of the best cut begins that ends at each place: (pieces, places)."""
    lengths = ends - starts
    most, longest, last = int(lengths.max()), len(costs), costs.shape[1] - 1
    best = np.full((len(starts), most + 1), np.inf)
    best[:, 0] = 0
    begin = np.zeros((len(starts), most + 1), dtype=np.int64)
    for place in range(1, most + 1):
        run = np.arange(1, min(place, longest) + 1)
        origin = place - run
        total = best[:, origin] + costs[run - 1, np.minimum(starts[:, None] + origin, last)]
        chosen = total.argmin(axis=1)
        best[:, place] = total[np.arange(len(starts)), chosen]
        begin[:, place] = origin[chosen]
    whole = np.flatnonzero(~np.isfinite(best[np.arange(len(starts)), lengths]))
    begin[whole, lengths[whole]] = 0  # no cut may stand: the piece is one class
    return begin


def _classes(begin: IntArray, starts: IntArray, ends: IntArray) -> IntArray:
    """Follow the best cuts back from the end of each piece, and number the runs from the first on."""
    is_first = np.zeros(int(ends[-1]), dtype=bool)
    pieces, place = np.arange(len(starts)), ends - starts
    while len(pieces):
        place = begin[pieces, place]
        is_first[starts[pieces] + place] = True
        pieces, place = pieces[place > 0], place[place > 0]
    return np.cumsum(is_first) - 1
