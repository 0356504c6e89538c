"""Mechanisms: discrete Gaussian noise is what it says it is; rates are post-processing of two noisy counts.

Statistical tests use fixed seeds; each states how often a correct mechanism would fail under a fresh seed.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from privacy.budgets import discrete_gaussian, mechanisms, noise
from privacy.budgets.composition import ORDERS, concentrated, renyi_epsilon
from privacy.budgets.estimates import Bounds, Cell, rates
from privacy.budgets.mechanisms import Gaussian, Geometric
from privacy.budgets.noise import UnusablePrivacyParameter, noisy_count
from tests.helpers.scale import scale

DELTA = 1e-6


def seeded(number):
    rng = np.random.default_rng(number)
    return lambda words: rng.integers(0, 2**64, words, dtype=np.uint64)


def masses(variance, reach):
    """The probabilities of -reach to reach by the formula, in doubles."""
    weights = np.exp(-(np.arange(-reach, reach + 1.0) ** 2) / (2 * float(variance)))
    return weights / weights.sum()


@scale("number", small=200_000, long=10_000_000)
@pytest.mark.parametrize("variance", [Fraction(1, 16), Fraction(3, 2), Fraction(1477, 16), Fraction(1_002_001)])
def test_draws_follow_the_discrete_gaussian_distribution(variance, number):
    deviation = math.sqrt(variance)
    reach = math.ceil(8 * deviation) + 2
    drawn = np.array(discrete_gaussian.draws(number, variance, seeded(1)))
    # Cells of half a deviation, those at the ends open.
    width = max(1, int(deviation / 2))
    edges = np.arange(-math.ceil(3 * deviation / width) - 1, math.ceil(3 * deviation / width) + 2) * width
    observed = np.bincount(np.digitize(drawn, edges), minlength=len(edges) + 1)
    expected = np.bincount(
        np.digitize(np.arange(-reach, reach + 1), edges), weights=masses(variance, reach), minlength=len(edges) + 1
    )
    # Cells that are hardly met are taken together. False alarm rate 0.001 for each of the cases.
    rare = expected * number < 5
    if rare.any():
        observed = np.append(observed[~rare], observed[rare].sum())
        expected = np.append(expected[~rare], expected[rare].sum())
    assert stats.chisquare(observed, expected / expected.sum() * number).pvalue > 0.001
    assert drawn.mean() == pytest.approx(0, abs=5 * deviation / math.sqrt(number) + 1e-3)


def test_noise_of_another_variance_does_not_pass_for_it():
    drawn = discrete_gaussian.draws(20_000, Fraction(36), seeded(2))
    observed = np.bincount(np.clip(np.array(drawn), -15, 15) + 15, minlength=31)
    expected = masses(25, 15)

    assert stats.chisquare(observed, expected * observed.sum() / expected.sum()).pvalue < 1e-9


@given(epsilon=st.floats(0.05, 10), delta=st.floats(1e-12, 1e-4), share=st.floats(0.01, 1))
def test_noise_has_the_epsilon_it_is_asked_for_at_its_delta(epsilon, delta, share):
    gaussian = Gaussian.of(epsilon, delta)

    assert renyi_epsilon(concentrated(gaussian.rho), delta) == pytest.approx(epsilon, rel=1e-9)
    assert renyi_epsilon(concentrated(gaussian.rho), delta) <= epsilon
    parts = gaussian.part(share).rho + gaussian.part(1 - share).rho
    assert parts == pytest.approx(gaussian.rho)


@pytest.mark.parametrize("sensitivity", [1, 3, 40])
def test_the_divergence_charged_is_never_below_that_of_the_distributions(sensitivity):
    """Summed up in doubles from the masses that are drawn with, for every order."""
    gaussian = Gaussian.of(2.0, DELTA)
    variance = float(discrete_gaussian.variance_at_least(sensitivity**2 / (2 * gaussian.rho)))
    reach = np.arange(-30_000, 30_001.0)
    logs = -(reach**2) / (2 * variance)
    total = np.log(np.exp(logs).sum())
    for order, charged in zip(ORDERS, concentrated(gaussian.rho), strict=True):
        moved = -((reach - sensitivity) ** 2) / (2 * variance)
        exponents = order * logs + (1 - order) * moved
        largest = exponents.max()
        divergence = (largest + np.log(np.exp(exponents - largest).sum()) - total) / (order - 1)

        assert divergence <= charged * (1 + 1e-9)
        assert divergence > 0.9 * charged, "nothing is wasted"


@pytest.mark.parametrize("sensitivity", [1, 2, 50])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.999])
def test_a_margin_covers_what_it_says_and_little_more(sensitivity, confidence):
    gaussian = Gaussian.of(1.0, DELTA)
    variance = discrete_gaussian.variance_at_least(sensitivity**2 / (2 * gaussian.rho))
    margin = gaussian.margin(sensitivity, confidence)
    reach = margin + 20 * sensitivity
    covered = masses(variance, reach)[reach - margin : reach + margin + 1].sum()

    assert covered >= confidence
    assert masses(variance, reach)[reach - margin + 2 : reach + margin - 1].sum() < confidence


def test_a_margin_of_a_sum_covers_it():
    gaussian = Gaussian.of(1.0, DELTA)
    drawn = np.array(gaussian.draw([0] * 20 * 2_000, 1, seeded(3))).reshape(2_000, 20).sum(axis=1)

    assert np.mean(np.abs(drawn) <= gaussian.margin_of_sum(20)) >= 0.95
    assert gaussian.margin_of_sum(20) < 2 * np.quantile(np.abs(drawn), 0.95)


def test_large_numbers_keep_every_digit_and_noise_is_drawn_anew():
    gaussian, large = Gaussian.of(1.0, DELTA), 2**80 + 1
    (first,), (second,) = gaussian.draw([0], 1, seeded(4)), gaussian.draw([large], 1, seeded(4))

    assert second - large == first
    assert type(second) is int
    assert len(set(gaussian.draw([0] * 50))) > 5


@pytest.mark.parametrize(("epsilon", "delta"), [(0.5, 0), (0.001, 1e-6), (math.inf, 1e-6), (1.0, 1.0), (-1.0, 1e-6)])
def test_what_no_gaussian_noise_keeps_is_refused(epsilon, delta):
    with pytest.raises(UnusablePrivacyParameter):
        mechanisms.of("gaussian", epsilon, delta)


def test_noise_too_wide_to_draw_is_refused():
    with pytest.raises(UnusablePrivacyParameter, match="needs more epsilon"):
        Gaussian.of(0.5, DELTA).draw([1], 10**8)
    with pytest.raises(UnusablePrivacyParameter, match="Sensitivity"):
        Gaussian.of(0.5, DELTA).margin(0)


@dataclass(frozen=True)
class _Seeded(Geometric):
    """Geometric noise of a fixed seed."""

    rng: np.random.RandomState = None

    def part(self, share):
        return _Seeded(self.epsilon * share, self.rng)

    def draw(self, values, sensitivity=1):
        return [noisy_count(each, epsilon=self.epsilon, sensitivity=sensitivity, rng=self.rng) for each in values]


def _rate(part, whole, *, epsilon, seed=0, **how):
    seeded = _Seeded(epsilon, np.random.RandomState(seed))
    return rates({"g": Cell(whole, part)}, mechanism=seeded, bounds=Bounds(), **how)[0]


@given(
    whole=st.integers(0, 200),
    share=st.floats(0, 1),
    epsilon=st.floats(0.01, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_rate_is_a_proportion_of_its_own_noisy_counts(whole, share, epsilon, seed):
    rate = _rate(int(whole * share), whole, epsilon=epsilon, seed=seed)

    assert rate.rows >= 0
    assert (rate.value is None) == (rate.rows < 10)
    assert rate.value is None or 0 <= rate.low <= rate.value <= rate.high <= 1


def test_each_count_of_a_rate_gets_half_of_the_epsilon():
    rate = _rate(3000, 9000, epsilon=1.0, seed=11)

    same = np.random.RandomState(11)
    whole, part = (noisy_count(each, epsilon=0.5, rng=same) for each in (9000, 3000))
    assert (rate.rows, rate.value) == (whole, part / whole)


def test_the_floor_looks_at_the_noisy_denominator():
    found = [_rate(0, 10, epsilon=0.5, seed=seed).value for seed in range(200)]

    assert {value is None for value in found} == {True, False}
    assert _rate(5, 50, epsilon=50.0, smallest=51).value is None
    assert _rate(0, 0, epsilon=50.0, smallest=0).value is None


@pytest.mark.parametrize(("part", "whole"), [(-1, 5), (6, 5)])
def test_a_ratio_that_is_no_proportion_is_refused(part, whole):
    with pytest.raises(ValueError, match="rate"):
        _rate(part, whole, epsilon=1.0)


def test_geometric_margins_are_those_of_the_noise():
    assert Geometric(0.5).margin(3, 0.9) == noise.error_bound(0.5, 3, 0.9)
    assert Geometric(0.5).margin_of_sum(4) == noise.sum_error_bound(4, 0.5)
