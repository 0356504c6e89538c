"""Nearest matrix of low rank: what many items have in common, taken out of a matrix of weights between items.

Found by subspace iteration (Halko, Martinsson & Tropp 2011, algorithm 4.4) from a fixed start: the same matrix gives
the same factors.
"""

import numpy as np
from numpy.typing import NDArray

_SEED = 0
_SPARE = 8
_STEPS = 12

_Matrix = NDArray[np.float32]


def nearest(matrix: _Matrix, rank: int) -> tuple[_Matrix, _Matrix]:
    """Return out (rows x rank) and into (rank x columns), whose product is nearest to the matrix."""
    width = min(len(matrix), rank + _SPARE if rank > 1 else 1)
    into = np.random.default_rng(_SEED).standard_normal((len(matrix), width), dtype=np.float32)
    # What is popular with everybody comes first: in most matrices it is the strongest direction by far.
    into[:, 0] = np.abs(matrix).sum(axis=0)
    into = np.linalg.qr(into)[0]
    for _ in range(_STEPS):
        out = np.linalg.qr(matrix @ into)[0]
        into = np.linalg.qr(matrix.T @ out)[0]
    left, strengths, right = np.linalg.svd(matrix @ into, full_matrices=False)
    rows = (right @ into.T)[:rank]
    # A pair of factors may change its sign together: the largest entry of each row is made positive.
    signs = np.sign(rows[np.arange(len(rows)), np.abs(rows).argmax(axis=1)])
    signs[signs == 0] = 1.0
    columns = left[:, :rank] * strengths[:rank]
    return (
        np.ascontiguousarray(columns * signs, dtype=np.float32),
        np.ascontiguousarray(rows * signs[:, np.newaxis], dtype=np.float32),
    )
