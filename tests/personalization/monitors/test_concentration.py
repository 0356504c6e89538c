"""Coverage, Gini and the share of the head; bins of scores and quantiles out of bins."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from personalization.monitors.measures import bins, concentration

shown = st.lists(st.integers(0, 1_000), min_size=1, max_size=60)


@given(shown)
def test_gini_is_the_mean_difference_of_two_items(counts: list[int]) -> None:
    assume(sum(counts))
    each = np.array(counts, float)
    pairwise = np.abs(each[:, None] - each[None, :]).mean() / (2 * each.mean())

    assert concentration.gini(counts) == pytest.approx(pairwise, abs=1e-9)


@given(shown, st.integers(1, 9))
def test_gini_knows_no_order_and_no_scale(counts: list[int], times: int) -> None:
    same = concentration.gini([times * count for count in reversed(counts)])

    assert same == pytest.approx(concentration.gini(counts))
    assert -1e-12 <= same < 1


def test_the_ends_of_the_scale() -> None:
    assert concentration.gini([7] * 20) == pytest.approx(0)
    assert concentration.gini([0] * 99 + [5]) == pytest.approx(0.99)
    assert concentration.gini([]) == concentration.gini([0, 0]) == 0


def test_coverage_and_the_head() -> None:
    counts, popularity = [0, 90, 10, 0, 0, 0, 0, 0, 0, 0], [0.1, 0.9, *[0.2] * 8]

    assert concentration.coverage(counts) == pytest.approx(0.2)
    assert concentration.head_share(counts, popularity) == pytest.approx(0.9)
    assert concentration.head_share([0] * 10, popularity) == 0
    assert concentration.coverage([]) == 0


@given(shown)
def test_the_head_of_everything_is_everything(counts: list[int]) -> None:
    assume(sum(counts))
    assert concentration.head_share(counts, [1.0] * len(counts), head=1.0) == pytest.approx(1)


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_a_higher_score_is_in_no_lower_bin(one: float, other: float) -> None:
    assert 0 <= bins.of_score(one) < bins.SCORES
    if one <= other:
        assert bins.of_score(one) <= bins.of_score(other)


@given(st.integers(1, bins.SCORES - 1))
def test_a_bin_begins_where_it_says(number: int) -> None:
    assert bins.of_score(bins.begin_of(number) * 1.0001) == number
    assert bins.of_score(bins.begin_of(number) * 0.9999) == max(number - 1, 0)


def test_a_quantile_is_the_end_of_its_bin() -> None:
    ends = (0.1, 0.2, 0.4)

    assert bins.quantile([90, 9, 1, 0], ends, 0.5) == 0.1
    assert bins.quantile([90, 9, 1, 0], ends, 0.99) == 0.2
    assert bins.quantile([90, 9, 1, 0], ends, 0.995) == 0.4
    assert bins.quantile([0, 0, 0, 5], ends, 0.5) == math.inf
    assert bins.quantile([0, 0, 0, 0], ends, 0.5) is None
