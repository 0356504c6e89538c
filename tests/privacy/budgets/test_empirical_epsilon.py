"""Empirical epsilon of each mechanism: two neighbouring data sets, events fixed beforehand, a stated error rate.

Each pair of samples gives one event whose probabilities differ the most by theory. The log ratio of its frequencies
has a standard error of at most sqrt((1 - p) / (p n) + (1 - q) / (q n)); a mechanism is convicted when the ratio lies
more than Z of them above its epsilon. An honest mechanism is convicted for fewer than 1 seed in 30,000.

The traps are mechanisms that protect less than they say: they have to be convicted, so a test that cannot fail would
be found here.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest
from diffprivlib.mechanisms import Laplace

from privacy.budgets import discrete_gaussian, noise
from privacy.budgets.estimates import Bounds, Cell, counts, largest, means, quantile, rates, sums
from privacy.budgets.mechanisms import Gaussian, Geometric
from tests.helpers.scale import scale

Z = 4.0
SMALL = 20_000


@pytest.fixture
def seeded(monkeypatch):
    """Draw noise from a fixed seed: one generator for each test."""

    def seed(number):
        rng, honest = np.random.RandomState(number), noise.noisy_count
        monkeypatch.setattr(noise, "noisy_count", lambda value, **how: honest(value, **{**how, "rng": rng}))

    return seed


def _convicted(epsilon: float, hits: int, others: int, number: int) -> bool:
    """Return whether the frequencies of an event prove that a loss exceeds epsilon."""
    error = math.sqrt((number - hits) / (hits * number) + (number - others) / (others * number))
    return math.log(hits / others) > epsilon + Z * error


def _measured(event: Callable[[int], bool], number: int) -> tuple[int, int]:
    """Count how often an event happens with one person more, and without."""
    return sum(event(1) for _ in range(number)), sum(event(0) for _ in range(number))


def _first(estimates):
    return estimates[0].value


def _of_halves(rows):
    return quantile([Cell(3), Cell(rows)], [0, 1, 2], 0.5, mechanism=Geometric(0.5), bounds=Bounds()).rows


_HALF = Geometric(0.5)
_OWN = {"mechanism": _HALF, "bounds": Bounds()}
_VALUED = {"mechanism": _HALF, "bounds": Bounds(1, 0, 4)}
# What happens more often by exp(0.5), or by exp(0.25) where half sees it, with one person more.
_EVENTS = {
    "count": lambda more: _first(counts({"g": Cell(50 + more)}, **_OWN)) > 50,
    "histogram": lambda more: counts({"a": Cell(0), "b": Cell(9 + more)}, **_OWN)[1].value > 9,
    "two rows": lambda more: _first(counts({"g": Cell(50 + 2 * more)}, mechanism=_HALF, bounds=Bounds(2))) > 51,
    "sum": lambda more: _first(sums({"g": Cell(0, 90 + 4 * more)}, **_VALUED)) > 93,
    "mean": lambda more: means({"g": Cell(30 + more, 4 * (30 + more))}, **_VALUED)[0].rows > 30,
    "rate": lambda more: rates({"g": Cell(40 + more, 40 + more)}, **_OWN)[0].rows > 40,
    "top-k": lambda more: _first(largest({"a": Cell(9 + more), "b": Cell(2)}, 1, **_OWN)) > 9,
    "quantile": lambda more: _of_halves(30 + more) > 33,
}


@scale("number", small=4_000, long=400_000)
@pytest.mark.parametrize("name", _EVENTS)
def test_a_mechanism_keeps_its_epsilon(seeded, name, number):
    seeded(1)
    hits, others = _measured(_EVENTS[name], number)

    assert hits > others
    assert not _convicted(0.5, hits, others, number)


@scale("number", small=SMALL, long=2_500_000)
def test_more_epsilon_than_stated_is_caught(number):
    """The trap: .6 sold as .5. The honest .5 of the same size is not convicted. 10,000,000 draws in the long form."""
    rng = np.random.RandomState(2)

    def frequencies(epsilon):
        return [
            sum(noise.noisy_count(50 + more, epsilon=epsilon, rng=rng) > 50 for _ in range(number)) for more in (1, 0)
        ]

    assert _convicted(0.5, *frequencies(0.6), number)
    assert not _convicted(0.5, *frequencies(0.5), number)


_DELTA = 1e-6
_ROWS = 50


def _claimed(epsilon: float) -> float:
    """Return the log ratio that noise sold with an epsilon at the delta may show in the event, from its masses."""
    variance = float(discrete_gaussian.variance_at_least(1 / (2 * Gaussian.of(epsilon, _DELTA).rho)))
    masses = np.exp(-(np.arange(-400.0, 401) ** 2) / (2 * variance))
    return math.log(masses[400:].sum() / masses[401:].sum())


def _above(mechanism: Gaussian, number: int, seed: int, cut: int = _ROWS) -> tuple[int, int]:
    """Count how often a noisy count lies above the cut with 51 rows, and with 50."""
    rng = np.random.default_rng(seed)
    drawn = [
        mechanism.draw([_ROWS + more] * number, 1, lambda words: rng.integers(0, 2**64, words, dtype=np.uint64))
        for more in (1, 0)
    ]
    hits, others = (int((np.array(each) > cut).sum()) for each in drawn)
    return hits, others


@scale("number", small=400_000, long=2_500_000)
def test_gaussian_noise_of_more_epsilon_than_stated_is_caught(number):
    """.6 sold as .5, at one delta: the loss of the event is above what is claimed; the honest .5 keeps to it."""
    assert _convicted(_claimed(0.5), *_above(Gaussian.of(0.6, _DELTA), number, 21), number)
    assert not _convicted(_claimed(0.5), *_above(Gaussian.of(0.5, _DELTA), number, 22), number)


@scale("number", small=100_000, long=2_500_000)
def test_gaussian_noise_keeps_its_epsilon_but_for_its_delta(number):
    """P <= exp(.5) Q + delta in the event "above 52"; noise of half of the deviation sold as that breaks it."""

    def exceeds(mechanism, seed):
        hits, others = (each / number for each in _above(mechanism, number, seed, cut=_ROWS + 2))
        error = math.sqrt((hits * (1 - hits) + math.e * others * (1 - others)) / number)
        return hits > math.exp(0.5) * others + 1e-2 + Z * error

    honest = Gaussian.of(0.5, 1e-2)
    assert not exceeds(honest, 23)
    assert exceeds(Gaussian(4 * honest.rho), 24)


def test_the_power_of_the_gaussian_form_is_known():
    """A loss of .6 is convicted at .5 for all but one seed in 1,000."""
    number, loss = 400_000, _claimed(0.6)
    without = 0.5 * (1 - 0.05)  # about half of the draws lie above the cut
    hits, others = math.exp(loss) * without * number, without * number
    error = math.sqrt((number - hits) / (hits * number) + (number - others) / (others * number))

    assert (loss - _claimed(0.5) - Z * error) / error > 3.1


def test_the_power_of_the_small_form_is_known():
    """A loss of .6 is convicted at .5 for all but one seed in 1,000: its mean lies so many errors above the cut."""
    decay = math.exp(-0.6)
    with_person, without = 1 / (1 + decay), decay / (1 + decay)
    error = math.sqrt((1 - with_person) / with_person / SMALL + (1 - without) / without / SMALL)

    assert (0.1 - Z * error) / error > 3.1


@scale("number", small=SMALL, long=1_000_000)
def test_a_count_clamped_to_the_rows_there_are_is_caught(number):
    """The first fault of diffprivlib: count_nonzero cuts its noise off at the length of the data."""
    rng = np.random.RandomState(3)

    def clamped(rows):
        return min(max(noise.noisy_count(rows, epsilon=0.5, rng=rng), 0), rows)

    # Without the person the clamped count is never above 50: an event of probability zero on one side only.
    hits = sum(clamped(51) > 50 for _ in range(number))
    others = sum(clamped(50) > 50 for _ in range(number))
    assert _convicted(0.5, hits, max(others, 1), number)

    honest = [noise.noisy_count(rows, epsilon=0.5, rng=rng) > 50 for rows in (51, 50) for _ in range(number)]
    assert not _convicted(0.5, sum(honest[:number]), sum(honest[number:]), number)


@scale("number", small=SMALL, long=1_000_000)
def test_a_mean_over_a_public_number_of_rows_is_caught(number):
    """The second fault: mean takes its number of rows from the data as if it were public, and nobody may be added.

    One row more of the value in the middle changes the divisor alone, and with it where all outputs lie.
    """
    rng = np.random.RandomState(4)

    def of_len(rows):
        # Noise for a sum over a known number of rows, divided by that number: outputs are multiples of 1 / rows.
        return noise.noisy_count(2 * rows, epsilon=0.5, sensitivity=4, rng=rng) / rows

    def is_multiple(value):
        return abs(value * 31 - round(value * 31)) < 1e-9

    hits, others = (sum(is_multiple(of_len(rows)) for _ in range(number)) for rows in (31, 30))
    assert _convicted(0.5, hits, max(others, 1), number)


@scale("number", small=SMALL, long=400_000)
def test_noise_on_the_grid_of_doubles_is_caught(number):
    """The third fault: Laplace noise added to a double says by its last digits what it was added to."""

    def is_off_grid(value, seed):
        laplace = Laplace(epsilon=0.5, sensitivity=1, random_state=seed)
        # A small sum with 1 lies on the grid of doubles about 1; small noise by itself lies on a finer one.
        outputs = (laplace.randomise(value) for _ in range(number))
        return sum(abs(out) < 1 / 16 and out * 2**53 % 1 != 0 for out in outputs)

    assert _convicted(0.5, is_off_grid(0.0, 5), max(is_off_grid(1.0, 6), 1), number)

    rng = np.random.RandomState(7)
    assert all(type(noise.noisy_count(value, epsilon=0.5, rng=rng)) is int for value in (0, 1))


def test_a_sum_of_bounded_draws_stays_within_its_margin():
    """Chernoff's bound covers at least as many as it says, and is not so wide that it says nothing."""
    rng = np.random.RandomState(8)
    total = [abs(sum(noise.noisy_count(0, epsilon=0.5, rng=rng) for _ in range(20))) for _ in range(500)]
    margin = noise.sum_error_bound(20, 0.5)

    assert np.mean([each <= margin for each in total]) >= 0.95
    assert margin < 2.2 * np.quantile(total, 0.95)
