"""How evenly a catalogue is shown: coverage, Gini coefficient, and what goes to its most popular tenth."""

from collections.abc import Sequence
from math import ceil

import numpy as np

HEAD = 0.1


def coverage(shown: Sequence[int]) -> float:
    """Return the share of items that were shown at all."""
    counts = np.asarray(shown)
    return float((counts > 0).mean()) if len(counts) else 0.0


def gini(shown: Sequence[int]) -> float:
    """Return the Gini coefficient: 0 where all items are shown equally often, near 1 where one item has it all."""
    counts = np.sort(np.asarray(shown, dtype=np.float64))
    total, size = counts.sum(), len(counts)
    if not total:
        return 0.0
    ranks = np.arange(1, size + 1)
    return float(((2 * ranks - size - 1) * counts).sum() / (size * total))


def head_share(shown: Sequence[int], popularity: Sequence[float], *, head: float = HEAD) -> float:
    """Return the share of all showings that went to the most popular items, a tenth of the catalogue."""
    counts = np.asarray(shown, dtype=np.float64)
    if not counts.sum():
        return 0.0
    first = np.argsort(-np.asarray(popularity), kind="stable")[: ceil(head * len(counts))]
    return float(counts[first].sum() / counts.sum())
