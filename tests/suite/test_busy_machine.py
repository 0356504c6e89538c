"""A busy machine, on which each example of a property takes long, fails no property."""

import time

from hypothesis import given, settings
from hypothesis import strategies as st


@settings(max_examples=1)
@given(st.just(0.3))
def test_an_example_may_take_as_long_as_it_takes(seconds):
    time.sleep(seconds)
