"""Conditions on the sensitive values of a class: l-diversity and t-closeness, tested while a class grows.

``holds`` judges a class; ``may_join`` judges what may be added so that the class can still be closed: a class of fewer
than k rows is judged as if the rest came in the best way.
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from privacy.anonymisation.generalisation import IntArray
from privacy.anonymisation.partition.distances import Distance, equal
from privacy.anonymisation.partition.items import BoolArray

FloatArray = npt.NDArray[np.float64]

_ROUNDING = 1e-9
_MOST_FORESEEN = 64  # values; with more a class takes anything and is judged when it has k rows


class Condition(Protocol):
    """Requirement on how often each sensitive value occurs in a class; counts are (classes, values)."""

    def holds(self, counts: IntArray) -> BoolArray:
        """Return whether each class may stand."""

    def may_join(self, counts: IntArray, k: int, most: int) -> BoolArray:
        """Return whether 1..``most`` rows of each value may join: (classes, most, values)."""


class DistinctDiversity:
    """At least ``least`` different stated values (Machanavajjhala et al., "l-diversity", ICDE 2006)."""

    def __init__(self, least: int, unstated: int = -1) -> None:
        self.least, self._unstated = least, unstated

    def holds(self, counts: IntArray) -> BoolArray:
        held: BoolArray = self._distinct(counts) >= self.least
        return held

    def may_join(self, counts: IntArray, k: int, most: int) -> BoolArray:
        missing = self.least - self._distinct(counts)
        room = k - counts.sum(axis=1)[:, None] - np.arange(1, most + 1)
        fits = (missing[:, None] <= np.maximum(room, 0))[:, :, None]
        adds = (counts == 0) & (missing > 0)[:, None]
        if 0 <= self._unstated < counts.shape[1]:
            adds[:, self._unstated] = False
        allowed: BoolArray = fits | adds[:, None, :]
        return allowed

    def _distinct(self, counts: IntArray) -> IntArray:
        number: IntArray = (_stated(counts, self._unstated) > 0).sum(axis=1)
        return number


class EntropyDiversity:
    """Entropy of the stated values of at least log(``least``) (Machanavajjhala et al. 2006, definition 4.1)."""

    def __init__(self, least: int, unstated: int = -1) -> None:
        self._least, self._unstated = float(np.log(least)), unstated

    def holds(self, counts: IntArray) -> BoolArray:
        return self._holds(_stated(counts, self._unstated))

    def may_join(self, counts: IntArray, k: int, most: int) -> BoolArray:
        return _foreseen(_stated(counts, self._unstated), k, most, self._unstated, self._holds)

    def _holds(self, counts: npt.NDArray[np.float64] | IntArray) -> BoolArray:
        share = _shares(counts)
        logs = np.log(share, where=share > 0, out=np.zeros_like(share))
        held: BoolArray = -(share * logs).sum(axis=-1) >= self._least - _ROUNDING
        return held


class RecursiveDiversity:
    """The most frequent value less than ``c`` times as frequent as those from the ``least``-th on together.

    Recursive (c, l)-diversity, Machanavajjhala et al. 2006, definition 4.2.
    """

    def __init__(self, c: float, least: int, unstated: int = -1) -> None:
        self._c, self._least, self._unstated = c, least, unstated

    def holds(self, counts: IntArray) -> BoolArray:
        return self._holds(_stated(counts, self._unstated))

    def may_join(self, counts: IntArray, k: int, most: int) -> BoolArray:
        return _foreseen(_stated(counts, self._unstated), k, most, self._unstated, self._holds)

    def _holds(self, counts: npt.NDArray[np.float64] | IntArray) -> BoolArray:
        descending = -np.sort(-counts, axis=-1)
        held: BoolArray = descending[..., 0] < self._c * descending[..., self._least - 1 :].sum(axis=-1)
        return held


class Closeness:
    """Values as frequent as in the whole table but for ``t``, by earth mover's distance (Li et al., ICDE 2007)."""

    def __init__(self, t: float, whole: IntArray, ground: Distance = equal) -> None:
        self.t, self._share, self._ground = t, whole / max(int(whole.sum()), 1), ground

    def holds(self, counts: IntArray) -> BoolArray:
        return self.distance(counts) <= self.t + _ROUNDING

    def may_join(self, counts: IntArray, k: int, most: int) -> BoolArray:
        if self._ground is equal:
            return self._by_surplus(counts, k, most)
        if counts.shape[1] > _MOST_FORESEEN:
            return np.ones((len(counts), most, counts.shape[1]), dtype=bool)
        after = _grown(counts, most)
        size = np.maximum(k, after.sum(axis=3, keepdims=True))
        # The rows still to come go where values are missing, in proportion: one way to end, not always the best.
        lack = np.maximum(self._share - after / size, 0)
        free = 1 - after.sum(axis=3, keepdims=True) / size
        share = after / size + lack * (free / np.maximum(lack.sum(axis=3, keepdims=True), _ROUNDING))
        return self._ground(share - self._share) <= self.t + _ROUNDING

    def distance(self, counts: IntArray) -> FloatArray:
        """Return how far each class is from the whole table, in [0, 1]."""
        return self._ground(_shares(counts) - self._share)

    def _by_surplus(self, counts: IntArray, k: int, most: int) -> BoolArray:
        """Judge by equal distance: what exceeds its share now still does when the class is full."""
        joining = np.arange(1, most + 1)
        size = np.maximum(k, counts.sum(axis=1)[:, None] + joining)[:, :, None]
        before = np.maximum(counts[:, None, :] / size - self._share, 0)
        after = np.maximum((counts[:, None, :] + joining[:, None]) / size - self._share, 0)
        allowed: BoolArray = before.sum(axis=2, keepdims=True) - before + after <= self.t + _ROUNDING
        return allowed


class OfColumn:
    """A condition on one of several sensitive columns, whose values are counted end to end: ``values`` are its own."""

    def __init__(self, condition: Condition, values: slice) -> None:
        self._condition, self._values = condition, values

    def holds(self, counts: IntArray) -> BoolArray:
        return self._condition.holds(counts[..., self._values])

    def may_join(self, counts: IntArray, k: int, most: int) -> BoolArray:
        allowed = np.ones((len(counts), most, counts.shape[1]), dtype=bool)
        allowed[..., self._values] = self._condition.may_join(counts[..., self._values], k, most)
        return allowed


class _Judgement(Protocol):
    def __call__(self, counts: FloatArray) -> BoolArray: ...


def _foreseen(counts: IntArray, k: int, most: int, unstated: int, holds: _Judgement) -> BoolArray:
    """Judge what may join by the class it can become: the rest of its k rows go to the values that have fewest."""
    if counts.shape[1] > _MOST_FORESEEN:
        return np.ones((len(counts), most, counts.shape[1]), dtype=bool)
    after = _stated(_grown(counts, most), unstated).astype(np.float64)
    free = np.maximum(k - counts.sum(axis=1)[:, None, None] - np.arange(1, most + 1)[:, None], 0)
    return holds(_filled(after, np.broadcast_to(free, after.shape[:3]), unstated))


def _filled(counts: FloatArray, free: IntArray, unstated: int) -> FloatArray:
    """Raise the smallest counts to one level, by ``free`` rows in all."""
    values = counts.shape[-1]
    if 0 <= unstated < values:
        counts = counts.copy()
        counts[..., unstated] = np.inf
    ascending = np.sort(counts, axis=-1)
    finite = np.where(np.isfinite(ascending), ascending, 0)
    raised = np.arange(1, values + 1)
    level = (free[..., None] + np.cumsum(finite, axis=-1)) / raised
    # The level of the fewest values that it does not overflow.
    fits = (np.append(ascending[..., 1:], np.full((*ascending.shape[:-1], 1), np.inf), axis=-1) >= level) & np.isfinite(
        ascending
    )
    reached = np.take_along_axis(level, fits.argmax(axis=-1)[..., None], axis=-1)
    return np.where(np.isfinite(counts), np.maximum(counts, reached), 0)


def _grown(counts: IntArray, most: int) -> IntArray:
    """Return the counts with 1..``most`` rows more of each value: (classes, most, joining value, values)."""
    joining = np.arange(1, most + 1)[:, None, None] * np.eye(counts.shape[1], dtype=np.int64)
    return counts[:, None, None, :] + joining


def _stated(counts: IntArray, unstated: int) -> IntArray:
    """Return the counts with none for a missing value."""
    if not 0 <= unstated < counts.shape[-1]:
        return counts
    stated = counts.copy()
    stated[..., unstated] = 0
    return stated


def _shares(counts: npt.NDArray[np.float64] | IntArray) -> FloatArray:
    shares: FloatArray = counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1)
    return shares
