"""Intervals of figures over people, by drawing people anew (Efron 1979), and of the area under an attack's curve."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

DRAWS = 400
_CONFIDENCE = 0.95

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


def draws(people: int, *, seed: int) -> NDArray[np.float32]:
    """Return (draws x people) how often each person is drawn: one for all slices, so that their ratios are paired."""
    return np.random.default_rng(seed).poisson(1.0, size=(DRAWS, people)).astype(np.float32)


def mean(values: Values, drawn: NDArray[np.float32]) -> tuple[Estimate, Values]:
    """Return the mean of values with its interval, and the mean in each draw."""
    weights = drawn.sum(axis=1)
    means = (drawn @ values.astype(np.float32)) / np.maximum(weights, 1.0)
    low, high = np.percentile(means, [2.5, 97.5]) if len(values) else (0.0, 0.0)
    return Estimate(float(values.mean()) if len(values) else 0.0, float(low), float(high)), means.astype(np.float64)


def ratio(own: Estimate, others: Estimate, drawn_own: Values, drawn_others: Values, *, tried: int) -> Estimate:
    """Return own / others with the interval that holds for all of ``tried`` comparisons together (Bonferroni).

    The interval is that of a normal logarithm, whose spread is measured by the draws: the far quantiles that many
    comparisons need would take many more draws than there are.
    """
    if others.value <= 0:
        return Estimate(1.0, 1.0, 1.0) if own.value <= 0 else Estimate(float("inf"), 1.0, float("inf"))
    value = own.value / others.value
    able = (drawn_own > 0) & (drawn_others > 0)
    if value <= 0 or able.sum() < DRAWS // 2:
        return Estimate(value, 0.0, _upper_of_none(drawn_own, others))
    spread = float(np.std(np.log(drawn_own[able] / drawn_others[able])))
    reach = NormalDist().inv_cdf(1 - (1 - _CONFIDENCE) / (2 * max(tried, 1)))
    return Estimate(value, value * float(np.exp(-reach * spread)), value * float(np.exp(reach * spread)))


def _upper_of_none(drawn_own: Values, others: Estimate) -> float:
    """Return the upper end where hardly any draw has a success: the largest that was drawn."""
    return float(drawn_own.max(initial=0.0)) / max(others.low, 1e-12)


def auc(inside: Values, outside: Values) -> Estimate:
    """Return the probability that a member scores above a stranger, with its interval (DeLong et al. 1988)."""
    both = np.concatenate([inside, outside])
    order = _ranks(both)
    own, other = order[: len(inside)], order[len(inside) :]
    m, n = len(inside), len(outside)
    value = float((own.sum() - m * (m + 1) / 2) / (m * n))
    above = (own - _ranks(inside)) / n
    below = 1 - (other - _ranks(outside)) / m
    spread = float(np.sqrt(above.var(ddof=1) / m + below.var(ddof=1) / n)) if m > 1 and n > 1 else 0.5
    reach = NormalDist().inv_cdf(0.5 + _CONFIDENCE / 2)
    return Estimate(value, max(value - reach * spread, 0.0), min(value + reach * spread, 1.0))


def _ranks(values: Values) -> Values:
    """Return ranks from 1 on, ties at their mean."""
    _unique, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    middle = last - (counts - 1) / 2
    ranks: Values = middle[inverse].astype(np.float64)
    return ranks


def difference_of_shares(inside: NDArray[np.bool_], outside: NDArray[np.bool_]) -> Estimate:
    """Return the difference of two shares with its interval (Agresti & Caffo 2000, which holds near 0 and 1 too)."""
    m, n = len(inside), len(outside)
    value = float(inside.mean() - outside.mean()) if m and n else 0.0
    first, second = (float(inside.sum()) + 1) / (m + 2), (float(outside.sum()) + 1) / (n + 2)
    spread = float(np.sqrt(first * (1 - first) / (m + 2) + second * (1 - second) / (n + 2)))
    reach = NormalDist().inv_cdf(0.5 + _CONFIDENCE / 2) * spread
    return Estimate(value, max(first - second - reach, -1.0), min(first - second + reach, 1.0))


def difference(inside: Values, outside: Values) -> Estimate:
    """Return the difference of two means with its interval (Welch)."""
    value = float(inside.mean() - outside.mean()) if len(inside) and len(outside) else 0.0
    spread = float(np.sqrt(inside.var() / max(len(inside), 1) + outside.var() / max(len(outside), 1)))
    reach = NormalDist().inv_cdf(0.5 + _CONFIDENCE / 2) * spread
    return Estimate(value, value - reach, value + reach)
