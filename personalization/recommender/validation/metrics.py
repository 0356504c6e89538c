"""Figures of ranked lists: nDCG, precision, recall, coverage, intra-list diversity, novelty, popularity lift."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

RANKS = 10
DRAWS = 1_000
SEED = 0
_DISCOUNTS = 1 / np.log2(np.arange(2, RANKS + 2))
_IDEAL = np.concatenate([[0.0], np.cumsum(_DISCOUNTS)])


def ndcg(hits: Sequence[bool], relevant: int) -> float:
    """Return nDCG@10 of one list (Järvelin & Kekäläinen 2002); the ideal list has min(10, relevant) hits."""
    found = np.asarray(hits[:RANKS], dtype=np.bool_)
    gained = float(_DISCOUNTS[: len(found)][found].sum())
    return gained / float(_IDEAL[min(relevant, RANKS)])


def ndcg_of_scores(scores: NDArray[np.floating], relevant: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return nDCG@10 of each row of scores; ``relevant`` says which of its columns are hits, at least one."""
    ranks = min(RANKS, scores.shape[1])
    best = np.argpartition(-scores, ranks - 1, axis=1)[:, :ranks]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    hits = np.take_along_axis(relevant, np.take_along_axis(best, order, axis=1), axis=1)
    ideal: NDArray[np.float64] = _IDEAL[np.minimum(relevant.sum(axis=1), RANKS)]
    gained: NDArray[np.float64] = (hits * _DISCOUNTS[:ranks]).sum(axis=1)
    return gained / ideal


def interval(values: Sequence[float], *, seed: int = SEED) -> tuple[float, float]:
    """Return the 95 % interval of the mean, by drawing people with replacement."""
    if not len(values):
        return 0.0, 0.0
    given, random = np.asarray(values), np.random.default_rng(seed)
    means = [given[random.integers(0, len(given), len(given))].mean() for _ in range(DRAWS)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
