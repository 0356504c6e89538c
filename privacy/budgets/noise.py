"""Two-sided geometric noise for whole numbers (Ghosh, Roughgarden and Sundararajan 2009).

Neighbours: two data sets that differ by adding or removing one person, who changes a count by at most ``sensitivity``.

Spending epsilon from a budget is the caller's matter, before the noise is drawn.
"""

import math
from operator import index

import numpy as np

# The mechanism draws from a uniform of 53 bits. Below this epsilon per unit of sensitivity the steps of that
# grid come near the difference in probability that the mechanism is meant to bound.
SMALLEST_EPSILON_PER_UNIT = 1e-6


class UnusablePrivacyParameter(ValueError):
    """Refusal of an epsilon, sensitivity or confidence for which no honest noise can be drawn."""


def noisy_count(value: int, *, epsilon: float, sensitivity: int = 1, rng: np.random.RandomState | None = None) -> int:
    """Return ``value`` plus geometric noise, unbiased and possibly negative.

    ``epsilon`` is dimensionless. ``sensitivity`` is the most by which one person changes the count; it comes from
    policy, not from the data. Without ``rng`` the noise comes from the operating system; ``rng`` is for tests, since
    noise from a known seed can be subtracted.

    Raises UnusablePrivacyParameter for an epsilon that is not a finite number large enough for the mechanism,
    or a sensitivity below 1.
    """
    _check(epsilon, sensitivity)
    # Imported here because it brings scikit-learn: seconds that a process without noise need not spend.
    from diffprivlib.mechanisms import Geometric

    mechanism = Geometric(epsilon=epsilon, sensitivity=index(sensitivity), random_state=rng)
    # Noise is drawn for zero and added as an integer: a float sum would lose the low digits of a large count.
    return index(value) + int(mechanism.randomise(0))


def error_bound(epsilon: float, sensitivity: int = 1, confidence: float = 0.95) -> int:
    """Return the smallest n with P(|noise| <= n) >= ``confidence``, for a page to show "± n".

    With a = exp(-epsilon / sensitivity) the tail is P(|noise| > n) = 2 a^(n+1) / (1 + a).
    """
    _check(epsilon, sensitivity)
    if not 0 < confidence < 1:
        raise UnusablePrivacyParameter(f"Confidence must lie between 0 and 1, not {confidence}.")
    decay = epsilon / sensitivity
    log_tail = math.log((1 - confidence) / 2) + math.log1p(math.exp(-decay))
    return max(0, math.ceil(-log_tail / decay) - 1)


def sum_error_bound(number: int, epsilon: float, sensitivity: int = 1, confidence: float = 0.95) -> int:
    """Return an n with P(|sum of ``number`` independent draws| <= n) >= ``confidence``, by Chernoff's bound.

    One draw has E exp(t X) = (1 - a)^2 / ((1 - a exp(t)) (1 - a exp(-t))) with a = exp(-epsilon / sensitivity), for
    t < epsilon / sensitivity. Any such t bounds the tail; the best of a grid is taken.
    """
    if number == 1:
        return error_bound(epsilon, sensitivity, confidence)
    _check(epsilon, sensitivity)
    decay = epsilon / sensitivity
    log_share = math.log(2 / (1 - confidence))
    grid = (decay * step / 200 for step in range(1, 200))
    return math.ceil(min((log_share + number * _log_moment(decay, t)) / t for t in grid))


def _log_moment(decay: float, t: float) -> float:
    first, second = math.log(-math.expm1(-decay)), math.log(-math.expm1(t - decay))
    return 2 * first - second - math.log(-math.expm1(-t - decay))


def _check(epsilon: float, sensitivity: int) -> None:
    if index(sensitivity) < 1:
        raise UnusablePrivacyParameter(f"Sensitivity must be at least 1, not {sensitivity}.")
    if not math.isfinite(epsilon) or epsilon < SMALLEST_EPSILON_PER_UNIT * sensitivity:
        raise UnusablePrivacyParameter(
            f"Epsilon must be finite and at least {SMALLEST_EPSILON_PER_UNIT:g} per unit, not {epsilon}."
        )
