"""Split by time: of every person the first part is trained on, and what came after it is held out."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from personalization.recommender.histories import sorted_people
from personalization.recommender.interactions import Interactions, Person

TRAINED_ON = 0.8
NEW_ITEMS = 5
"""One item in so many is treated as new, to see how new items are ranked."""
PEOPLE, TOUCHES_OF_AN_ITEM = 20_000, 100
"""A sample has so many people, or as many more as leave items so many touches on average."""


@dataclass(frozen=True, eq=False)
class Split:
    """Rows to train on, in their order, and of each person the held-out items that they liked."""

    training: NDArray[np.intp]
    relevant: Mapping[Person, tuple[str, ...]]


def sample(interactions: Interactions, items: int) -> Interactions:
    """Return the rows of a sample of people, evenly over all; everything where they are few.

    What is chosen or compared needs no more of them, and takes no longer the more people there are.
    """
    people = interactions.people
    number = len(people.distinct())
    touches = len(interactions) / max(number, 1)
    size = max(PEOPLE, math.ceil(TOUCHES_OF_AN_ITEM * items / max(touches, 1.0)))
    if number <= size:
        return interactions
    places = people.renumbered(sorted_people(people.distinct()))
    chosen = np.zeros(number, dtype=np.bool_)
    chosen[np.linspace(0, number - 1, size).astype(np.intp)] = True
    return interactions.rows(np.flatnonzero(chosen[places]))


def split(interactions: Interactions) -> Split:
    """Hold out the last fifth of each person's distinct items (at least one of two), by the first touch of each.

    All touches of a held-out item are held out. Interactions of one moment keep their order.
    """
    people, items = interactions.people, interactions.items
    order = np.lexsort((interactions.time, people.codes))
    keys = people.codes[order].astype(np.int64) * max(len(items.values), 1) + items.codes[order]
    pairs, first, pair = np.unique(keys, return_index=True, return_inverse=True)
    # The distinct items of a person in their order, one person after the other.
    by_first = np.argsort(first)
    owner = pairs[by_first] // max(len(items.values), 1)
    distinct = np.bincount(owner, minlength=len(people.values))
    kept = np.maximum((TRAINED_ON * distinct).astype(np.intp), 1)
    place = np.arange(len(owner)) - (np.cumsum(distinct) - distinct)[owner]
    is_held = np.zeros(len(pairs), dtype=np.bool_)
    is_held[by_first] = place >= kept[owner]
    liked = np.ones(len(order)) if interactions.liked is None else interactions.liked[order]
    is_liked = np.bincount(pair, weights=liked, minlength=len(pairs)) > 0
    wanted = by_first[(is_held & is_liked)[by_first]]
    return Split(np.sort(order[~is_held[pair]]), _relevant(interactions, pairs[wanted]))


def _relevant(interactions: Interactions, pairs: NDArray[np.int64]) -> dict[Person, tuple[str, ...]]:
    """Return by person the items of pairs, which are sorted by person."""
    people, items = interactions.people.values, interactions.items.values
    owners, codes = np.divmod(pairs, max(len(items), 1))
    bounds = np.flatnonzero(np.diff(owners, prepend=-1, append=-1)).tolist()
    found = codes.tolist()
    return {people[owners[start]]: tuple([items[code] for code in found[start:end]]) for start, end in pairwise(bounds)}
