"""Mathematics of monitors: properties, and scipy as the judge."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from personalization.monitors.measures import drift

counts = st.lists(st.integers(0, 500), min_size=2, max_size=40)


@st.composite
def pairs(draw: Any, least: int = 1) -> tuple[list[int], list[int]]:
    one = draw(st.lists(st.integers(0, 500), min_size=2, max_size=40))
    other = draw(st.lists(st.integers(0, 500), min_size=len(one), max_size=len(one)))
    assume(sum(one) >= least and sum(other) >= least)
    return one, other


def _values(found: list[int]) -> np.ndarray:
    return np.repeat(np.arange(len(found)), found)


@given(pairs(), st.booleans())
def test_it_is_never_negative_and_the_order_of_the_two_is_no_matter(two: Any, is_ordered: bool) -> None:
    one, other = two
    there, back = (drift.psi(np.array(a, float), np.array(b, float)) for a, b in (two, two[::-1]))
    found = drift.compare(one, other, is_ordered=is_ordered)

    assert there >= 0
    assert there == pytest.approx(back)
    assert found.psi >= -1e-12
    assert 0 <= found.p <= 1


@given(counts, st.booleans())
def test_a_distribution_has_not_drifted_from_itself(same: list[int], is_ordered: bool) -> None:
    assume(sum(same))
    found = drift.compare(same, same, is_ordered=is_ordered)

    assert found.psi == pytest.approx(0, abs=1e-12)
    assert found.p == pytest.approx(1)


@given(pairs(), st.randoms())
def test_names_without_an_order_may_stand_in_any(two: Any, random: Any) -> None:
    both = list(zip(*two, strict=True))
    random.shuffle(both)
    one, other = zip(*both, strict=True)

    found, moved = drift.compare(*two, is_ordered=False), drift.compare(one, other, is_ordered=False)

    assert moved.psi == pytest.approx(found.psi)


@given(pairs(), st.integers(2, 50))
def test_more_of_the_same_shares_is_never_less_significant(two: Any, times: int) -> None:
    found = drift.largest_gap(*(np.array(each, float) for each in two))
    more = drift.largest_gap(*(times * np.array(each, float) for each in two))
    sizes = [sum(each) for each in two]

    assert more == pytest.approx(found)
    assert drift.ks_p(found, *(times * size for size in sizes)) <= drift.ks_p(found, *sizes) + 1e-9


@given(pairs())
def test_the_gap_is_that_of_scipy(two: Any) -> None:
    judged = stats.ks_2samp(*map(_values, two), method="asymp")

    assert drift.largest_gap(*(np.array(each, float) for each in two)) == pytest.approx(judged.statistic)


@pytest.mark.parametrize("sizes", [(20, 30), (100, 100), (100, 2_000), (700, 900)])
@pytest.mark.parametrize("level", [0.3, 0.05, 0.01, 0.001])
def test_its_probability_is_that_of_the_exact_test(sizes: tuple[int, int], level: float) -> None:
    rng = np.random.default_rng(1)
    shift = stats.kstwobign.isf(level) / np.sqrt(sizes[0] * sizes[1] / sum(sizes))
    one, other = rng.random(sizes[0]), rng.random(sizes[1]) + shift
    judged = stats.ks_2samp(one, other, method="exact")

    own = drift.ks_p(float(judged.statistic), *sizes)

    assert own == pytest.approx(judged.pvalue, rel=0.35, abs=0.004)


def test_the_index_without_drift_is_significant_as_often_as_it_says() -> None:
    rng = np.random.default_rng(17)
    shares = np.array([0.3, 0.25, 0.2, 0.15, 0.1])
    draws = [(rng.multinomial(400, shares), rng.multinomial(250, shares)) for _ in range(4_000)]

    low = np.mean([drift.compare(*map(list, two), is_ordered=False).p < 0.05 for two in draws])

    # Three standard errors of 4,000 draws are 0.0103.
    assert low == pytest.approx(0.05, abs=0.0125)


def test_a_drift_that_matters_is_found() -> None:
    rng = np.random.default_rng(3)
    before = np.histogram(rng.normal(0, 1, 2_000), bins=np.linspace(-5, 5, 65))[0]
    after = np.histogram(rng.normal(0.6, 1, 500), bins=np.linspace(-5, 5, 65))[0]

    found = drift.compare(list(before), list(after), is_ordered=True)

    assert found.psi > 0.25
    assert found.p < 1e-9


def test_a_bin_that_is_new_or_empty_has_a_finite_index() -> None:
    found = drift.compare([1_000, 1_000, 0], [0, 1_000, 1_000], is_ordered=False)

    assert 1 < found.psi < 100


def test_an_empty_sample_is_no_drift() -> None:
    assert drift.compare([0, 0], [500, 500], is_ordered=True) == drift.Drift(0.0, None, 1.0, 0, 1_000)


@given(counts)
def test_groups_cover_all_bins_and_hold_a_tenth_each(found: list[int]) -> None:
    assume(sum(found))
    old = np.array(found, float)
    starts = list(drift.tenths(old))

    assert starts[0] == 0
    assert len(starts) <= drift.GROUPS
    held = [old[begin:end].sum() for begin, end in pairwise(starts)]
    assert all(each > 0 for each in held)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_probabilities_are_those_of_scipy(found: list[float]) -> None:
    assert drift.adjusted(found) == pytest.approx(list(stats.false_discovery_control(found)))


def test_nothing_is_adjusted_of_nothing() -> None:
    assert drift.adjusted([]) == []


@pytest.mark.parametrize("wrong", [([1, 2], [1]), ([], []), ([1, -1], [1, 1])])
def test_what_cannot_be_compared_is_refused(wrong: tuple[list[int], list[int]]) -> None:
    with pytest.raises(ValueError, match=r"bins|below 0"):
        drift.compare(*wrong, is_ordered=True)
