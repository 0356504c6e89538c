"""Exact draws of the discrete Gaussian distribution, many at once (Canonne, Kamath and Steinke 2020, Algorithm 3).

Whole numbers are compared with whole numbers throughout: no draw depends on how doubles are rounded. What the
algorithms do for one draw is done here for an array of them, with those that are rejected drawn anew.
"""

import math
import os
from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias

import numpy as np

Whole: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]
Words: TypeAlias = np.ndarray[tuple[int], np.dtype[np.uint64]]
Flags: TypeAlias = np.ndarray[tuple[int], np.dtype[np.bool_]]
Source: TypeAlias = Callable[[int], Words]

LARGEST_DEVIATION = 2**25  # squares of what is drawn have to fit into 63 bits
_FINE_UP_TO = 1_000  # standard deviations with variances in sixteenths; beyond, they are whole
_FINE = 16
_FARTHEST = 60  # scales of the proposal; a draw beyond has a probability below exp(-1700)
_BATCH = 1 << 16


def from_system(number: int) -> Words:
    """Return so many words of 64 random bits, of the operating system's generator."""
    return np.frombuffer(os.urandom(8 * number), dtype=np.uint64)


def variance_at_least(variance: float) -> Fraction:
    """Return the variance that is drawn with: the next larger one whose arithmetic stays whole."""
    deviation = math.sqrt(variance)
    if deviation <= _FINE_UP_TO:
        return Fraction(max(1, math.ceil(variance * _FINE)), _FINE)
    return Fraction(math.ceil(deviation) ** 2)


def draws(number: int, variance: Fraction, source: Source = from_system) -> list[int]:
    """Return so many draws of the distribution about 0. ``variance`` is one of ``variance_at_least``."""
    if variance > LARGEST_DEVIATION**2:
        raise ValueError(f"The standard deviation is above {LARGEST_DEVIATION:,}.")
    found: list[int] = []
    while len(found) < number:
        found.extend(_accepted(min(_BATCH, 2 * (number - len(found)) + 16), variance, source).tolist())
    return found[:number]


def _accepted(number: int, variance: Fraction, source: Source) -> Whole:
    """Propose draws of a discrete Laplace distribution, and accept them so that the Gaussian one remains."""
    scale = max(1, math.isqrt(int(variance)))
    drawn = _laplace(number, scale, source)
    # exp(-(|y| - variance / scale)^2 / (2 variance)), with what the fractions share divided out
    common = math.gcd(scale * variance.denominator, variance.numerator)
    per_unit, off = scale * variance.denominator // common, variance.numerator // common
    distance = np.abs(drawn) * per_unit - off
    below = np.full(len(drawn), 2 * per_unit * off * scale, dtype=np.int64)
    accepted: Whole = drawn[_survives(distance * distance, below, source)]
    return accepted


def _laplace(number: int, scale: int, source: Source) -> Whole:
    """Return up to so many draws with probabilities as exp(-|y| / scale)."""
    within = _below(np.full(number, scale, dtype=np.int64), source)
    within = within[_survives_once(within, np.full(number, scale, dtype=np.int64), source)]
    size = within + scale * _geometric(len(within), source)
    is_negative = (source(len(size)) & np.uint64(1)).astype(bool)
    kept = (size <= _FARTHEST * scale) & ~(is_negative & (size == 0))
    drawn: Whole = np.where(is_negative, -size, size)[kept]
    return drawn


def _geometric(number: int, source: Source) -> Whole:
    """Return how often in a row a probability of exp(-1) was met."""
    found, going = np.zeros(number, dtype=np.int64), np.arange(number)
    while len(going):
        ones = np.ones(len(going), dtype=np.int64)
        going = going[_survives_once(ones, ones, source)]
        found[going] += 1
    return found


def _survives(above: Whole, below: Whole, source: Source) -> Flags:
    """Return which of events with probability exp(-above / below) happen."""
    alive = np.arange(len(above))
    left = above // below
    while (more := left[alive] > 0).any():
        ones = np.ones(int(more.sum()), dtype=np.int64)
        lives = np.ones(len(alive), dtype=bool)
        lives[more] = _survives_once(ones, ones, source)
        left[alive[more]] -= 1
        alive = alive[lives]
    happens = np.zeros(len(above), dtype=bool)
    happens[alive[_survives_once((above % below)[alive], below[alive], source)]] = True
    return happens


def _survives_once(above: Whole, below: Whole, source: Source) -> Flags:
    """Return the same where above <= below: the series of exp, by runs of events that end at an odd place."""
    happens, going, place = np.zeros(len(above), dtype=bool), np.arange(len(above)), 1
    while len(going):
        goes_on = _below(below[going] * place, source) < above[going]
        if place % 2:
            happens[going[~goes_on]] = True
        going, place = going[goes_on], place + 1
    return happens


def _below(limits: Whole, source: Source) -> Whole:
    """Return uniform whole numbers from 0 to below each limit; words that would favour some are drawn anew."""
    wide = limits.astype(np.uint64)
    unfair = (np.uint64(0) - wide) % wide  # 2^64 modulo the limit
    words = source(len(limits))
    while (again := words < unfair).any():
        words = np.where(again, source(len(limits)), words)
    found: Whole = (words % wide).astype(np.int64)
    return found
