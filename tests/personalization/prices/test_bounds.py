"""The arithmetic of bounds: no price lies outside of them by a cent, and none that lies inside is changed."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalization.prices.bounds import Bounds

MONEY = st.decimals("0.00", "999999999.99", places=2)
PERCENT = st.integers(0, 100)


@given(listed=MONEY, wanted=MONEY, below=PERCENT, above=PERCENT)
def test_a_price_is_within_its_bounds_and_the_nearest_to_what_was_wanted(
    listed: Decimal, wanted: Decimal, below: int, above: int
) -> None:
    price = Bounds(below, above).keep(wanted, listed)

    assert listed * (100 - below) <= price * 100 <= listed * (100 + above)
    assert price == price.quantize(Decimal("0.01"))
    if listed * (100 - below) <= wanted * 100 <= listed * (100 + above):
        assert price == wanted
    else:
        assert abs(price - wanted) <= abs(listed - wanted)


@given(listed=MONEY, wanted=MONEY)
def test_closed_bounds_leave_the_list_price(listed: Decimal, wanted: Decimal) -> None:
    assert Bounds().keep(wanted, listed) == listed
    assert not Bounds().is_open


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([], Bounds(0, 0)),
        ([{"most_below": 20, "most_above": 5}], Bounds(20, 5)),
        ([{"most_below": 20, "most_above": 5}, {"most_below": 100, "most_above": 0}], Bounds(20, 0)),
        ([{"most_below": 20}], Bounds(20, 0)),
        ([{"most_below": "20", "most_above": True}], Bounds(0, 0)),
        ([{"most_below": -1, "most_above": 101}], Bounds(0, 0)),
    ],
)
def test_the_narrowest_bounds_count_and_what_cannot_be_read_permits_nothing(said: list[Any], expected: Bounds) -> None:
    assert Bounds.of(said) == expected
