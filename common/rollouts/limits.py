"""Limits of a rollout: when the figures of two sides are too far apart. Pure functions of counts.

Rates of two groups of people differ by chance alone, so most limits ask two things: that the figures are further apart
than an officer allows, and further than chance explains.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final, TypeVar

import msgspec

from common.http.problems import InvalidRequest

# Fewer milliseconds are no finding, even as a high multiple.
LEAST_LATER_US: Final = 5_000
# A difference between two groups of people that chance makes once in several hundred looks is no reason yet.
STANDARD_ERRORS: Final = 3.0
_INTERVAL: Final = 1.96  # 95 %

_Limits = TypeVar("_Limits", bound=msgspec.Struct)


@dataclass(frozen=True)
class Breach:
    """A limit that was passed, and a sentence that says by what."""

    guard: str
    sentence: str


@dataclass(frozen=True)
class Rate:
    """So many of so many."""

    count: int = 0
    of: int = 0

    @property
    def value(self) -> float:
        return self.count / self.of if self.of else 0.0


@dataclass(frozen=True)
class Spread:
    """How often each of some steps of a scale occurred, the lowest step first."""

    counts: tuple[int, ...] = ()

    @property
    def of(self) -> int:
        return sum(self.counts)

    @property
    def mean(self) -> float:
        return sum(step * count for step, count in enumerate(self.counts)) / self.of if self.of else 0.0

    @property
    def variance(self) -> float:
        mean = self.mean
        return sum(count * (step - mean) ** 2 for step, count in enumerate(self.counts)) / self.of if self.of else 0.0


def read_limits(document: dict[str, Any], limits: type[_Limits]) -> _Limits:
    """Read what an officer has set. Raises InvalidRequest, which names the limit that makes no sense."""
    try:
        return msgspec.convert(document, limits)
    except msgspec.ValidationError as exc:
        raise InvalidRequest(f"The guards make no sense: {exc}") from None


def chance(one: Rate, other: Rate) -> float:
    """Return how far the rates of two groups may lie apart without anything having changed."""
    if not one.of or not other.of:
        return 1.0
    together = (one.count + other.count) / (one.of + other.of)
    return STANDARD_ERRORS * sqrt(together * (1 - together) * (1 / one.of + 1 / other.of))


def chance_of_means(one: Spread, other: Spread) -> float:
    """Return how far the means of two groups may lie apart without anything having changed."""
    if not one.of or not other.of:
        return float(max(len(one.counts), len(other.counts)))
    return STANDARD_ERRORS * sqrt(one.variance / one.of + other.variance / other.of)


def interval(rate: Rate) -> tuple[float, float] | None:
    """Return the 95 % interval of a rate (Wilson 1927); None of nothing."""
    if not rate.of:
        return None
    square = _INTERVAL**2 / rate.of
    middle = (rate.value + square / 2) / (1 + square)
    half = _INTERVAL / (1 + square) * sqrt(rate.value * (1 - rate.value) / rate.of + square / (4 * rate.of))
    return max(0.0, middle - half), min(1.0, middle + half)


def interval_of_mean(spread: Spread) -> tuple[float, float] | None:
    """Return the 95 % interval of a mean; None of nothing."""
    if not spread.of:
        return None
    half = _INTERVAL * sqrt(spread.variance / spread.of)
    return spread.mean - half, spread.mean + half


def is_slower(now_us: int | None, usual_us: int | None, ratio: float) -> bool:
    """Return whether the slowest one in a hundred takes more than so many times as long, and noticeably longer."""
    if now_us is None or usual_us is None:
        return False
    return now_us - usual_us > LEAST_LATER_US and now_us > ratio * usual_us


def first(breaches: Sequence[Breach | None]) -> Breach | None:
    return next((breach for breach in breaches if breach is not None), None)


def percent(rate: float) -> str:
    return f"{100 * rate:.1f} %"


def points(number: float) -> str:
    return f"{number:g} point" if number == 1 else f"{number:g} points"


def milliseconds(microseconds: int | None) -> str:
    return "an unknown time" if microseconds is None else f"{microseconds / 1000:.1f} ms"
