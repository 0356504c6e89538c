"""Register of mechanisms: what noise whole numbers get, what its error is, and what it is charged as.

- geometric: two-sided geometric noise, epsilon-differentially private (``noise``). A person's effect is measured by
  the sum of what they change.
- gaussian: discrete Gaussian noise, rho-zero-concentrated (Canonne, Kamath and Steinke 2020, Theorems 4 and 14), where
  rho is the largest whose divergences rho * order give the epsilon at the delta of the budget. A person's effect is
  measured by the square root of the sum of squares, so it pays where one person is in many numbers.

A mechanism has a cost, which ``part`` shares out over several numbers that one person is in.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Protocol

from privacy.budgets import composition, discrete_gaussian, noise
from privacy.budgets.noise import UnusablePrivacyParameter


class Mechanism(Protocol):
    def part(self, share: float) -> "Mechanism":
        """Return the mechanism for a share of the cost."""

    def draw(self, values: Sequence[int], sensitivity: int = 1) -> list[int]:
        """Return the values with noise. ``sensitivity``: the most by which one person changes all of them together."""

    def margin(self, sensitivity: int = 1, confidence: float = 0.95) -> int:
        """Return an n with P(|noise| <= n) >= ``confidence``."""

    def margin_of_sum(self, number: int, sensitivity: int = 1, confidence: float = 0.95) -> int:
        """Return the same for the sum of the noise of ``number`` values."""


@dataclass(frozen=True)
class Geometric:
    epsilon: float

    def part(self, share: float) -> "Geometric":
        return Geometric(self.epsilon * share)

    def draw(self, values: Sequence[int], sensitivity: int = 1) -> list[int]:
        return [noise.noisy_count(value, epsilon=self.epsilon, sensitivity=sensitivity) for value in values]

    def margin(self, sensitivity: int = 1, confidence: float = 0.95) -> int:
        return noise.error_bound(self.epsilon, sensitivity, confidence)

    def margin_of_sum(self, number: int, sensitivity: int = 1, confidence: float = 0.95) -> int:
        return noise.sum_error_bound(number, self.epsilon, sensitivity, confidence)


@dataclass(frozen=True)
class Gaussian:
    """Discrete Gaussian noise. ``rho``: its zero-concentrated divergence."""

    rho: float

    @classmethod
    def of(cls, epsilon: float, delta: float) -> "Gaussian":
        """Return the noise that has the epsilon at the delta. Raises UnusablePrivacyParameter where none has."""
        rho = composition.concentrated_within(epsilon, delta) if 0 < delta < 1 and math.isfinite(epsilon) else 0.0
        if rho <= 0:
            raise UnusablePrivacyParameter(f"No Gaussian noise has an epsilon of {epsilon:g} at a delta of {delta:g}.")
        return cls(rho)

    def part(self, share: float) -> "Gaussian":
        return Gaussian(self.rho * share)

    def draw(
        self, values: Sequence[int], sensitivity: int = 1, source: discrete_gaussian.Source | None = None
    ) -> list[int]:
        """Return the values with noise. ``source``: random words, for tests; a known seed can be subtracted."""
        variance = discrete_gaussian.variance_at_least(self._deviation(sensitivity) ** 2)
        drawn = discrete_gaussian.draws(len(values), variance, source or discrete_gaussian.from_system)
        return [int(value) + each for value, each in zip(values, drawn, strict=True)]

    def margin(self, sensitivity: int = 1, confidence: float = 0.95) -> int:
        """Return the n; the discrete tail beyond n is at most the continuous one from n on (Proposition 25)."""
        self._check(confidence)
        return math.ceil(self._drawn_with(sensitivity) * NormalDist().inv_cdf((1 + confidence) / 2))

    def margin_of_sum(self, number: int, sensitivity: int = 1, confidence: float = 0.95) -> int:
        """Return the n, by Chernoff's bound: moments are at most those of continuous noise (Corollary 17)."""
        if number == 1:
            return self.margin(sensitivity, confidence)
        self._check(confidence)
        return math.ceil(self._drawn_with(sensitivity) * math.sqrt(2 * number * math.log(2 / (1 - confidence))))

    def _deviation(self, sensitivity: int) -> float:
        if sensitivity < 1:
            raise UnusablePrivacyParameter(f"Sensitivity must be at least 1, not {sensitivity}.")
        deviation = sensitivity / math.sqrt(2 * self.rho)
        if deviation > discrete_gaussian.LARGEST_DEVIATION:
            raise UnusablePrivacyParameter(f"One person may change {sensitivity:,} units: that needs more epsilon.")
        return deviation

    def _drawn_with(self, sensitivity: int) -> float:
        return math.sqrt(discrete_gaussian.variance_at_least(self._deviation(sensitivity) ** 2))

    @staticmethod
    def _check(confidence: float) -> None:
        if not 0 < confidence < 1:
            raise UnusablePrivacyParameter(f"Confidence must lie between 0 and 1, not {confidence}.")


_MECHANISMS: Mapping[str, Callable[[float, float], Mechanism]] = {
    "geometric": lambda epsilon, _delta: Geometric(epsilon),
    "gaussian": Gaussian.of,
}


def of(name: str, epsilon: float, delta: float) -> Mechanism:
    """Return the mechanism of a name for a cost. Raises UnusablePrivacyParameter."""
    return _MECHANISMS[name](epsilon, delta)
