"""Blocks by halving: the attribute and the place that save most loss, from the whole table down.

For columns with hierarchies this is the better order: rows of one block share low ancestors. All parts of a depth are
cut together; ``below`` and ``above`` are the losses on both sides of every place of every part.
"""

from collections.abc import Callable, Sequence

import numpy as np

from privacy.anonymisation.generalisation import Domain, FloatArray, HierarchicalDomain, IntArray
from privacy.anonymisation.partition.axes import Tree
from privacy.anonymisation.partition.conditions import Condition
from privacy.anonymisation.partition.items import BoolArray, Items

_GAIN = 1e-9  # less is rounding


def halve(
    items: Items,
    domains: Sequence[Domain],
    weights: Sequence[float],
    *,
    least: int,
    enough: int,
    conditions: Sequence[Condition] = (),
) -> IntArray:
    """Return the part of each item, numbered from 0: cut while a part has more than ``enough`` rows.

    Each part has ``least`` rows or more and meets the conditions; parts that cannot be cut so stay larger.
    """
    cutters = [_Cutter(domain, weight) for domain, weight in zip(domains, weights, strict=True)]
    final, settled = np.zeros(len(items), dtype=np.int64), 0
    part, open_items = np.zeros(len(items), dtype=np.int64), np.arange(len(items))
    while len(open_items):
        now = items.take(open_items)
        numbers = np.unique(part, return_inverse=True)[1]
        axis, place, gain = _best_cuts(now, numbers, cutters, least, conditions)
        rows = np.bincount(numbers, weights=now.rows)
        goes_on = ((gain < -_GAIN) & (rows > enough))[numbers]
        stays, numbered = np.unique(numbers[~goes_on], return_inverse=True)
        final[open_items[~goes_on]] = settled + numbered
        settled += len(stays)
        numbers, open_items = numbers[goes_on], open_items[goes_on]
        above = items.codes[axis[numbers], open_items] > place[numbers]
        part = 2 * numbers + above
    return final


def _best_cuts(
    items: Items,
    part: IntArray,
    cutters: Sequence["_Cutter"],
    least: int,
    conditions: Sequence[Condition],
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return the attribute, the last code below the cut and the gain (negative) of each part."""
    number = int(part.max()) + 1
    gain, axis = np.zeros(number), np.zeros(number, dtype=np.int64)
    place = np.zeros(number, dtype=np.int64)
    for which, (cutter, codes) in enumerate(zip(cutters, items.codes, strict=True)):
        gains = cutter.gains(part, codes, items.rows, number, least)
        if conditions:
            gains[~_both_hold(items, part, codes, gains < 0, conditions)] = 0
        best = gains.argmin(axis=1)
        found = gains[np.arange(number), best]
        better = found < gain - _GAIN
        gain[better], axis[better], place[better] = found[better], which, best[better]
    return axis, place, gain


def _both_hold(
    items: Items, part: IntArray, codes: IntArray, tried: BoolArray, conditions: Sequence[Condition]
) -> BoolArray:
    """Return whether both sides of each cut that is tried meet the conditions: (parts, codes)."""
    number, size = tried.shape
    below = np.cumsum(items.values_of(part * size + codes, number * size).reshape(number, size, -1), axis=1)
    both = below[tried], (below[:, -1:] - below)[tried]
    held = np.zeros_like(tried)
    held[tried] = np.logical_and.reduce([condition.holds(side) for condition in conditions for side in both])
    return held


class _Cutter:
    """One attribute: what each cut of each part would change."""

    def __init__(self, domain: Domain, weight: float) -> None:
        self._size, self._weight = domain.size, weight
        self._pairs = losses_between(domain)

    def gains(self, part: IntArray, codes: IntArray, rows: IntArray, number: int, least: int) -> FloatArray:
        """Return (parts, codes): the change of loss times rows by cutting after a code; 0 where it may not be."""
        size = self._size
        held = np.bincount(part * size + codes, weights=rows, minlength=number * size).reshape(number, size)
        below = np.cumsum(held, axis=1)
        whole = below[:, -1:]
        lower, upper, uncut = self._losses(held > 0)
        change = (lower * below + upper * (whole - below) - uncut * whole) * self._weight
        allowed: BoolArray = (below >= least) & (whole - below >= least)
        return np.where(allowed, change, 0.0)

    def _losses(self, held: BoolArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the loss up to each code, after it, and of the part as a whole."""
        if self._pairs is None:
            step = 1 / max(self._size - 1, 1)
            up_to: IntArray = np.cumsum(held, axis=1)
            whole = up_to[:, -1:]
            upper = np.maximum(whole - up_to - 1, 0)
            return _loss(np.maximum(up_to - 1, 0), step), _loss(upper, step), _loss(whole - 1, step)
        codes: IntArray = np.arange(self._size)
        first, last = held.argmax(axis=1)[:, None], self._size - 1 - held[:, ::-1].argmax(axis=1)[:, None]
        up_to = np.maximum.accumulate(np.where(held, codes, first), axis=1)
        at_or_after = np.minimum.accumulate(np.where(held, codes, last)[:, ::-1], axis=1)[:, ::-1]
        after = np.concatenate([at_or_after[:, 1:], last], axis=1)
        return self._pairs(first, up_to), self._pairs(after, last), self._pairs(first, last)


def _loss(more: IntArray, step: float) -> FloatArray:
    """Return the loss of sets with so many values more than one."""
    return np.multiply(more, step, dtype=np.float64)


def losses_between(domain: Domain) -> Callable[[IntArray, IntArray], FloatArray] | None:
    """Return what a class loses of which only the lowest and the highest code count; None for sets."""
    if isinstance(domain, HierarchicalDomain):
        tree = Tree.of(domain)

        def of_ancestor(low: IntArray, high: IntArray) -> FloatArray:
            return np.asarray(tree.loss[tree.joined[tree.leaf_nodes[low], high]], dtype=np.float64)

        return of_ancestor
    positions = domain.positions
    if positions is None:
        return None

    def of_span(low: IntArray, high: IntArray) -> FloatArray:
        return np.asarray(np.abs(positions[high] - positions[low]), dtype=np.float64)

    return of_span
