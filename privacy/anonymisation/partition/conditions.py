"""Conditions on the sensitive values of a class: l-diversity and t-closeness, tested while a class grows.

``holds`` judges a class; ``may_join`` judges what may be added so that the class can still be closed: a class of fewer
than k rows is judged as if the rest came in the best way.
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from privacy.anonymisation.generalisation import IntArray
from privacy.anonymisation.partition.items import BoolArray

FloatArray = npt.NDArray[np.float64]

_ROUNDING = 1e-9


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
        return self._distinct(counts) >= self.least

    def may_join(self, counts: IntArray, k: int, most: int) -> BoolArray:
        missing = self.least - self._distinct(counts)
        room = k - counts.sum(axis=1)[:, None] - np.arange(1, most + 1)
        fits = (missing[:, None] <= np.maximum(room, 0))[:, :, None]
        adds = (counts == 0) & (missing > 0)[:, None]
        if 0 <= self._unstated < counts.shape[1]:
            adds[:, self._unstated] = False
        return fits | adds[:, None, :]

    def _distinct(self, counts: IntArray) -> IntArray:
        return (_stated(counts, self._unstated) > 0).sum(axis=1)


class _Growing:
    """Conditions for which a class may take anything: what it still lacks can come later."""

    def may_join(self, counts: IntArray, k: int, most: int) -> BoolArray:
        return np.ones((len(counts), most, counts.shape[1]), dtype=bool)


class EntropyDiversity(_Growing):
    """Entropy of the stated values of at least log(``least``) (Machanavajjhala et al. 2006, definition 4.1)."""

    def __init__(self, least: int, unstated: int = -1) -> None:
        self._least, self._unstated = float(np.log(least)), unstated

    def holds(self, counts: IntArray) -> BoolArray:
        share = _shares(_stated(counts, self._unstated))
        logs = np.log(share, where=share > 0, out=np.zeros_like(share))
        return -(share * logs).sum(axis=1) >= self._least - _ROUNDING


class RecursiveDiversity(_Growing):
    """The most frequent value less than ``c`` times as frequent as those from the ``least``-th on together.

    Recursive (c, l)-diversity, Machanavajjhala et al. 2006, definition 4.2.
    """

    def __init__(self, c: float, least: int, unstated: int = -1) -> None:
        self._c, self._least, self._unstated = c, least, unstated

    def holds(self, counts: IntArray) -> BoolArray:
        descending = -np.sort(-_stated(counts, self._unstated), axis=1)
        return descending[:, 0] < self._c * descending[:, self._least - 1 :].sum(axis=1)


class Closeness:
    """Values as frequent as in the whole table but for ``t``: earth mover's distance, all values equally far apart.

    Li, Li and Venkatasubramanian, "t-closeness", ICDE 2007, section 4: half of the sum of absolute differences.
    """

    def __init__(self, t: float, whole: IntArray) -> None:
        self.t, self._share = t, whole / whole.sum()

    def holds(self, counts: IntArray) -> BoolArray:
        return self.distance(counts) <= self.t + _ROUNDING

    def may_join(self, counts: IntArray, k: int, most: int) -> BoolArray:
        joining = np.arange(1, most + 1)
        size = np.maximum(k, counts.sum(axis=1)[:, None] + joining)[:, :, None]
        before = np.maximum(counts[:, None, :] / size - self._share, 0)
        after = np.maximum((counts[:, None, :] + joining[:, None]) / size - self._share, 0)
        return before.sum(axis=2, keepdims=True) - before + after <= self.t + _ROUNDING

    def distance(self, counts: IntArray) -> FloatArray:
        """Return how far each class is from the whole table, in [0, 1]."""
        distance: FloatArray = np.maximum(_shares(counts) - self._share, 0).sum(axis=1)
        return distance


def _stated(counts: IntArray, unstated: int) -> IntArray:
    """Return the counts with none for a missing value."""
    if not 0 <= unstated < counts.shape[1]:
        return counts
    stated = counts.copy()
    stated[:, unstated] = 0
    return stated


def _shares(counts: IntArray) -> FloatArray:
    shares: FloatArray = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares
