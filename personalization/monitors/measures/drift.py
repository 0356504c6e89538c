"""Drift of a distribution: population stability index and two-sample Kolmogorov-Smirnov, over counts in bins.

The index says how far two distributions are apart, the probabilities how likely so much is without any drift. Of large
samples everything is significant, of small ones the index is mostly noise: a verdict needs both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, kolmogorov

GROUPS = 10
_PSEUDO = 0.5  # added to each bin, so that an empty one has a logarithm (Jeffreys)

Counts = Sequence[int]
_Shares = NDArray[np.float64]


@dataclass(frozen=True)
class Drift:
    """How far apart two distributions are. ``p``: the probability of so much, or more, where there is no drift.

    ``ks``: the largest gap between the cumulative shares; None where the bins have no order.
    """

    psi: float
    ks: float | None
    p: float
    reference: int
    now: int


def compare(reference: Counts, now: Counts, *, is_ordered: bool) -> Drift:
    """Compare counts in the same bins.

    Ordered bins may be as fine as they are: they are grouped into tenths of the reference for the index, and the test
    is Kolmogorov-Smirnov's, which is conservative on bins. For names without an order the test is that of the index.

    Raises ValueError for bins that differ, or a count below 0.
    """
    old, new = _checked(reference, now)
    sizes = int(old.sum()), int(new.sum())
    if not all(sizes):
        return Drift(0.0, None, 1.0, *sizes)
    if not is_ordered:
        index = psi(old, new)
        return Drift(index, None, psi_p(index, *sizes, len(old)), *sizes)
    gap = largest_gap(old, new)
    starts = tenths(old)
    index = psi(np.add.reduceat(old, starts), np.add.reduceat(new, starts))
    return Drift(index, gap, ks_p(gap, *sizes), *sizes)


def _checked(reference: Counts, now: Counts) -> tuple[_Shares, _Shares]:
    old, new = np.asarray(reference, dtype=np.float64), np.asarray(now, dtype=np.float64)
    if old.ndim != 1 or old.shape != new.shape or not len(old):
        raise ValueError("Two distributions are compared in the same bins.")
    if (old < 0).any() or (new < 0).any():
        raise ValueError("A count is never below 0.")
    return old, new


def psi(old: _Shares, new: _Shares) -> float:
    """Return the population stability index: the symmetrised Kullback-Leibler divergence of the shares."""
    bins = len(old)
    a = (old + _PSEUDO) / (old.sum() + _PSEUDO * bins)
    b = (new + _PSEUDO) / (new.sum() + _PSEUDO * bins)
    return float(((a - b) * np.log(a / b)).sum())


def psi_p(index: float, reference: int, now: int, bins: int) -> float:
    """Return the probability of such an index without drift: it is (1/n + 1/m) times chi-squared of bins - 1."""
    return float(chdtrc(bins - 1, index / (1 / reference + 1 / now))) if bins > 1 else 1.0


def largest_gap(old: _Shares, new: _Shares) -> float:
    """Return the largest gap between the cumulative shares."""
    return float(np.abs(np.cumsum(old) / old.sum() - np.cumsum(new) / new.sum()).max())


def ks_p(gap: float, reference: int, now: int) -> float:
    """Return the probability of such a gap without drift, with Stephens' correction for small samples."""
    size = sqrt(reference * now / (reference + now))
    return float(kolmogorov((size + 0.12 + 0.11 / size) * gap))


def tenths(old: _Shares) -> NDArray[np.intp]:
    """Return where groups of bins begin that each hold a tenth of the reference or more, as far as bins allow."""
    reached = np.cumsum(old) / old.sum()
    ends = [int(np.searchsorted(reached, number / GROUPS - 1e-12)) + 1 for number in range(1, GROUPS)]
    starts = sorted({0, *(end for end in ends if end < len(old))})
    return np.array(starts, dtype=np.intp)


def adjusted(probabilities: Sequence[float]) -> list[float]:
    """Return the probabilities adjusted for how many tests were made (false discovery rate, Benjamini-Hochberg)."""
    given = np.asarray(probabilities, dtype=np.float64)
    if not len(given):
        return []
    order = np.argsort(given)
    scaled = given[order] * len(given) / np.arange(1, len(given) + 1)
    steps = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    found = np.empty_like(steps)
    found[order] = steps
    return [float(each) for each in found]
