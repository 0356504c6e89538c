"""Classes whose items would lose less in other classes: the last ones of a block, begun with what was left over."""

import numpy as np

from privacy.anonymisation.generalisation import FloatArray, IntArray
from privacy.anonymisation.partition.leftovers import Places, attach

_ROUNDS = 4  # classes a block may give up
_WORTH = 0.95  # of what the class loses: items that join the same class widen it for each other


def dissolve(places: Places) -> None:
    """Give up, block by block, the class that loses most, where its items together lose less in other classes."""
    growing, tried = places.growing, np.zeros(len(places.growing.rows), dtype=bool)
    for _ in range(_ROUNDS):
        lost = np.where((growing.people >= places.k) & ~tried, growing.loss * growing.rows, 0)
        of_blocks = lost.reshape(places.blocks, places.slots)
        worst = of_blocks.argmax(axis=1) + np.arange(places.blocks) * places.slots
        worst = worst[lost[worst] > 0]
        tried[worst] = True
        given_up = worst[_cost_elsewhere(places, worst) < lost[worst] * _WORTH]
        if not len(given_up):
            return
        places.class_of[np.isin(places.class_of, given_up)] = -1
        growing.people[given_up] = 0
        attach(places)


def _cost_elsewhere(places: Places, classes: IntArray) -> FloatArray:
    """Return what the items of each class would cost in the other classes of its block, together."""
    growing, items = places.growing, places.items
    chosen = np.flatnonzero(np.isin(places.class_of, classes))
    own, rows = places.class_of[chosen], items.rows[chosen][:, None]
    others = (own // places.slots * places.slots)[:, None] + np.arange(places.slots)
    added = growing.added(others, growing.columns_of(items.codes[:, chosen])[:, :, None])
    cost = (added * (growing.rows[others] + rows) + growing.loss[others] * rows).astype(np.float64)
    cost[(others == own[:, None]) | (growing.people[others] < places.k)] = np.inf
    total = np.bincount(own, weights=cost.min(axis=1), minlength=len(growing.rows))
    return np.asarray(total[classes], dtype=np.float64)
