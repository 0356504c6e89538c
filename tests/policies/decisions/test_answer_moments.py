"""Moments in answers are written as RFC 3339 has them."""

from datetime import UTC, datetime

from hypothesis import example
from hypothesis import strategies as st

from policies.decisions.rendering import _timestamp
from tests.helpers.scale import property_test


@property_test(300, 30_000, epoch=st.floats(0, 250_000_000_000))
@example(epoch=951_782_399.9)
@example(epoch=951_782_400.0)
def test_a_moment_is_written_as_datetime_writes_it(epoch: float) -> None:
    written = datetime.fromtimestamp(int(epoch), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    assert _timestamp(epoch) == written.encode()
