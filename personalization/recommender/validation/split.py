"""Split by time: of every person the first part is trained on, and what came after it is held out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from personalization.recommender.interactions import Interactions, Person

TRAINED_ON = 0.8


@dataclass(frozen=True, eq=False)
class Split:
    """Rows to train on, in their order, and of each person the held-out items that they liked."""

    training: Sequence[int]
    relevant: Mapping[Person, tuple[str, ...]]


def split(interactions: Interactions) -> Split:
    """Hold out the last fifth of each person's distinct items (at least one of two), by the first touch of each.

    All touches of a held-out item are held out. Interactions of one moment keep their order.
    """
    rows_of: dict[Person, list[int]] = {}
    for row in np.argsort(interactions.time, kind="stable"):
        rows_of.setdefault(interactions.person[row], []).append(int(row))
    training: list[int] = []
    relevant: dict[Person, tuple[str, ...]] = {}
    for person, rows in rows_of.items():
        distinct = list(dict.fromkeys(interactions.item[row] for row in rows))
        kept = max(int(TRAINED_ON * len(distinct)), 1)
        held = set(distinct[kept:])
        training += [row for row in rows if interactions.item[row] not in held]
        liked = {interactions.item[row] for row in rows if _is_liked(interactions, row)}
        if held & liked:
            relevant[person] = tuple(item for item in distinct[kept:] if item in liked)
    return Split(sorted(training), relevant)


def _is_liked(interactions: Interactions, row: int) -> bool:
    return interactions.liked is None or bool(interactions.liked[row])
