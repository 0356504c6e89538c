"""Noise: its distribution, its epsilon, its bounds, and what is refused.

Statistical tests use fixed seeds; each states how often a correct mechanism would fail under a fresh seed.
"""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from privacy.budgets.noise import UnusablePrivacyParameter, error_bound, noisy_count
from tests.helpers.scale import scale

DRAWS = 20_000


def draws(value, *, epsilon, sensitivity=1, seed, number=DRAWS):
    rng = np.random.RandomState(seed)
    return [noisy_count(value, epsilon=epsilon, sensitivity=sensitivity, rng=rng) for _ in range(number)]


@scale("number", small=DRAWS, long=2_000_000)
@pytest.mark.parametrize(("epsilon", "sensitivity"), [(0.5, 1), (1.0, 1), (1.0, 3)])
def test_counts_follow_the_two_sided_geometric_distribution(epsilon, sensitivity, number):
    reach = 8 * sensitivity
    decay = math.exp(-epsilon / sensitivity)
    drawn = np.array(draws(100, epsilon=epsilon, sensitivity=sensitivity, seed=1, number=number))
    noise = np.clip(drawn - 100, -reach, reach)

    observed = np.array([(noise == n).sum() for n in range(-reach, reach + 1)])
    expected = number * (1 - decay) / (1 + decay) * decay ** np.abs(np.arange(-reach, reach + 1.0))
    expected[[0, -1]] = number * decay**reach / (1 + decay)

    # False alarm rate 0.001 for each of the three cases.
    assert stats.chisquare(observed, expected).pvalue > 0.001


def test_neighbouring_counts_are_told_apart_no_better_than_epsilon_allows():
    epsilon = 0.7
    with_person, without = (Counter(draws(value, epsilon=epsilon, seed=value)) for value in (51, 50))

    measured = [
        abs(math.log(with_person[n] / without[n])) for n in range(44, 58) if min(with_person[n], without[n]) > 200
    ]

    # A log ratio of two counts above 200 has a standard deviation below 0.1, so the margin of four of them is
    # exceeded by one of these values in fewer than 1 of 1000 seeds. Noise for twice the epsilon exceeds it.
    assert len(measured) >= 5
    assert max(measured) < epsilon + 0.4


@pytest.mark.parametrize(("epsilon", "sensitivity", "confidence"), [(0.1, 1, 0.95), (1, 1, 0.9), (0.5, 4, 0.99)])
def test_the_error_bound_is_the_smallest_with_its_confidence(epsilon, sensitivity, confidence):
    bound = error_bound(epsilon, sensitivity, confidence)
    decay = math.exp(-epsilon / sensitivity)

    def within(n):
        return 1 - 2 * decay ** (n + 1) / (1 + decay)

    assert within(bound) >= confidence > within(bound - 1)


@scale("number", small=DRAWS, long=2_000_000)
def test_the_error_bound_holds_for_drawn_noise(number):
    noise = np.abs(np.array(draws(0, epsilon=0.2, seed=5, number=number)))

    covered = (noise <= error_bound(0.2, confidence=0.95)).mean()

    # The bound of 15 covers 0.95518; a share strays by more than four standard errors for 1 seed in 10,000.
    assert covered == pytest.approx(0.95518, abs=4 * math.sqrt(0.95518 * 0.04482 / number))


def test_much_epsilon_needs_no_margin():
    assert error_bound(50.0) == 0
    assert noisy_count(7, epsilon=50.0, rng=np.random.RandomState(0)) == 7


@given(value=st.integers(-(2**70), 2**70), seed=st.integers(0, 2**32 - 1))
def test_the_noise_does_not_depend_on_the_value(value, seed):
    def noise(of):
        return noisy_count(of, epsilon=0.5, rng=np.random.RandomState(seed)) - of

    assert noise(value) == noise(0)
    assert isinstance(noisy_count(np.int64(3), epsilon=1.0), int)


def test_without_a_seed_two_releases_differ():
    assert len({noisy_count(0, epsilon=0.001) for _ in range(20)}) > 1


@pytest.mark.parametrize("epsilon", [0, -1.0, math.nan, math.inf, -math.inf, 1e-9])
def test_an_epsilon_that_protects_nobody_or_cannot_be_kept_is_refused(epsilon):
    for attempt in (
        lambda: noisy_count(5, epsilon=epsilon),
        lambda: error_bound(epsilon),
    ):
        with pytest.raises(UnusablePrivacyParameter, match="Epsilon"):
            attempt()


def test_a_sensitivity_below_one_and_a_fraction_are_refused():
    with pytest.raises(UnusablePrivacyParameter, match="Sensitivity"):
        noisy_count(5, epsilon=1.0, sensitivity=0)
    with pytest.raises(TypeError):
        noisy_count(5, epsilon=1.0, sensitivity=0.5)
    with pytest.raises(TypeError):
        noisy_count(5.5, epsilon=1.0)


@pytest.mark.parametrize("confidence", [0, 1, 95, math.nan])
def test_a_confidence_outside_nought_and_one_is_refused(confidence):
    with pytest.raises(UnusablePrivacyParameter, match="Confidence"):
        error_bound(1.0, confidence=confidence)
