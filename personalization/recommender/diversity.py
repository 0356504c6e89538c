"""Likeness of items by their categories, and the diversity of a list."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def vectors(categories: Sequence[Sequence[str]]) -> NDArray[np.float32]:
    """Return a row of unit length per item, so that a product of two rows is the cosine of their categories."""
    names = {name: column for column, name in enumerate(sorted({name for one in categories for name in one}))}
    table = np.zeros((len(categories), len(names)), dtype=np.float32)
    for row, some in enumerate(categories):
        table[row, [names[name] for name in some]] = 1.0
    lengths = np.linalg.norm(table, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (table / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return unit


def intra_list(categories: NDArray[np.float32]) -> float:
    """Return the mean distance (1 - cosine) of the pairs in a list; 0 for a single item."""
    size = len(categories)
    if size < 2:
        return 0.0
    alike = categories @ categories.T
    return float(1 - (alike.sum() - np.trace(alike)) / (size * (size - 1)))
