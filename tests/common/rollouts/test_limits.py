"""Mathematics of the limits: intervals hold what they should, chance is not mistaken for a finding."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.rollouts import limits
from common.rollouts.limits import Rate, Spread

counts = st.integers(1, 5_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


@given(counts)
def test_an_interval_holds_its_rate_and_stays_between_nobody_and_everybody(found: tuple[int, int]) -> None:
    rate = Rate(*found)
    low, high = limits.interval(rate) or (1, 0)

    assert 0 <= low <= rate.value + 1e-9
    assert rate.value - 1e-9 <= high <= 1


def test_an_interval_is_that_of_the_literature() -> None:
    """Wilson's interval of 10 of 100, as statsmodels computes it."""
    assert limits.interval(Rate(10, 100)) == pytest.approx((0.05523, 0.17437), abs=1e-4)
    assert limits.interval(Rate()) is None
    assert limits.interval_of_mean(Spread()) is None


@given(counts, counts)
def test_chance_is_the_same_both_ways_and_less_with_more_people(one: tuple[int, int], other: tuple[int, int]) -> None:
    first, second = Rate(*one), Rate(*other)

    assert limits.chance(first, second) == limits.chance(second, first)
    tenfold = limits.chance(Rate(one[0] * 10, one[1] * 10), Rate(other[0] * 10, other[1] * 10))
    assert tenfold <= limits.chance(first, second)


def test_two_halves_of_the_same_people_are_hardly_ever_found_apart() -> None:
    """Three standard errors: about three in a thousand looks; of 2,000 that is fewer than 20 but once in millions."""
    chance = random.Random(7)
    found = 0
    for _ in range(2_000):
        sides = [Rate(sum(chance.random() < 0.1 for _ in range(200)), 200) for _ in range(2)]
        found += abs(sides[0].value - sides[1].value) > limits.chance(*sides)

    assert found < 20


def test_nothing_is_found_where_one_side_has_nothing() -> None:
    assert limits.chance(Rate(), Rate(5, 10)) >= 1
    assert limits.chance_of_means(Spread(), Spread((0, 0, 5))) >= 3


@given(st.lists(st.integers(0, 200), min_size=5, max_size=5))
def test_a_spread_is_its_steps(steps: list[int]) -> None:
    every = [step for step, count in enumerate(steps) for _ in range(count)]
    spread = Spread(tuple(steps))

    assert spread.of == len(every)
    if every:
        mean = sum(every) / len(every)
        assert spread.mean == pytest.approx(mean)
        assert spread.variance == pytest.approx(sum((step - mean) ** 2 for step in every) / len(every))


@pytest.mark.parametrize(
    ("now", "usual", "is_slower"),
    [
        (60_000, 20_000, True),
        (40_000, 20_000, False),
        (6_000, 1_000, False),
        (None, 20_000, False),
        (60_000, None, False),
    ],
)
def test_slower_is_many_times_as_long_and_noticeable(now: int | None, usual: int | None, is_slower: bool) -> None:
    assert limits.is_slower(now, usual, 2.0) is is_slower
