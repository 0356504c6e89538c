"""Diversity of a list by maximal marginal relevance (Carbonell & Goldstein 1998), over categories."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

POOL = 50


def vectors(categories: Sequence[Sequence[str]]) -> NDArray[np.float32]:
    """Return a row of unit length per item, so that a product of two rows is the cosine of their categories."""
    names = {name: column for column, name in enumerate(sorted({name for one in categories for name in one}))}
    table = np.zeros((len(categories), len(names)), dtype=np.float32)
    for row, some in enumerate(categories):
        table[row, [names[name] for name in some]] = 1.0
    lengths = np.linalg.norm(table, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (table / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return unit


def order(
    scores: NDArray[np.float64], categories: NDArray[np.float32], count: int, diversity: float
) -> NDArray[np.intp]:
    """Choose one item after the other: a high score, and unlike what is chosen already."""
    if not len(scores):
        return np.zeros(0, dtype=np.intp)
    spread = float(scores.max() - scores.min())
    scaled = (scores - scores.min()) / spread if spread else np.ones_like(scores)
    alike = categories @ categories.T
    penalty, chosen = np.zeros(len(scores)), np.zeros(0, dtype=np.intp)
    worth = scaled
    for _ in range(min(count, len(scores))):
        chosen = np.append(chosen, np.argmax(worth))
        penalty += alike[chosen[-1]]
        worth = (1 - diversity) * scaled - diversity * penalty / len(chosen)
        worth[chosen] = -np.inf
    return chosen


def intra_list(categories: NDArray[np.float32]) -> float:
    """Return the mean distance (1 - cosine) of the pairs in a list; 0 for a single item."""
    size = len(categories)
    if size < 2:
        return 0.0
    alike = categories @ categories.T
    return float(1 - (alike.sum() - np.trace(alike)) / (size * (size - 1)))
