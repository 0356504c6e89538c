"""Cutting rows to their strongest weights, against sorting each row whole."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from personalization.recommender import weights
from tests.helpers.scale import property_test

# Few different values, so that most places are tied, and zeros.
BLOCKS = arrays.arrays(
    np.float32, st.tuples(st.integers(1, 6), st.integers(1, 9)), elements=st.sampled_from([-2, -1, 0, 0.5, 1])
)


@property_test(80, 5_000, block=BLOCKS, neighbours=st.integers(1, 10), seed=st.integers(0, 99))
def test_rows_keep_their_strongest_and_ties_the_order_of_items(block, neighbours, seed):
    supported = np.random.default_rng(seed).random(block.shape) < 0.7

    columns, values = weights._strongest(block, supported, neighbours)

    kept = np.where(supported, block, np.float32(0))
    width = 0
    for row, (places, cut) in enumerate(zip(columns, values, strict=True)):
        expected = sorted(np.flatnonzero(kept[row]).tolist(), key=lambda place: (-abs(kept[row][place]), place))
        expected = expected[:neighbours]
        width = max(width, len(expected))
        assert places[: len(expected)].tolist() == expected
        assert cut[: len(expected)].tolist() == kept[row][expected].tolist()
        assert not places[len(expected) :].any()
        assert not cut[len(expected) :].any()
    assert columns.shape == values.shape == (len(block), width)
    assert (columns.dtype, values.dtype) == (np.int32, np.float32)
