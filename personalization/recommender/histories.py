"""Training data in order: of every person the distinct items, oldest first, with strength and liking."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from personalization.recommender.interactions import Interactions, Item, Person
from personalization.recommender.signals import Signals

MOST_ITEMS = 1_000


@dataclass(frozen=True, eq=False)
class Histories:
    """Distinct (person, item) pairs, sorted by person and by the latest touch.

    ``number`` is the person's place in ``people``, ``position`` the item's in the catalogue of ``items`` items.
    A strength is the person's strongest touch of the item, relative to their strongest with any: so each person
    has the same bounded pull on the weights, independent of their worth to the shop. Of a person the latest
    ``MOST_ITEMS`` items count, so that a profile that touched everything speaks for few of all pairs.
    """

    people: Sequence[Person]
    items: int
    number: NDArray[np.intp]
    position: NDArray[np.intp]
    strength: NDArray[np.float64]
    liked: NDArray[np.bool_]

    @classmethod
    def of(cls, interactions: Interactions, catalogue: Sequence[Item]) -> "Histories":
        """Sort the interactions with items of ``catalogue``; the others are left out."""
        column = interactions.items.renumbered(item.id for item in catalogue)
        known = np.flatnonzero(column >= 0)
        people = sorted_people(interactions.people.take(known).distinct())
        number = interactions.people.take(known).renumbered(people)
        # Stable: interactions of the same moment keep the order they were given in.
        order = np.lexsort((interactions.time[known], number))
        liked = np.ones(len(interactions), dtype=np.bool_) if interactions.liked is None else interactions.liked
        rows = known[order]
        position = column[rows]
        return cls._distinct(people, len(catalogue), number[order], position, interactions.weight[rows], liked[rows])

    @classmethod
    def _distinct(
        cls,
        people: Sequence[Person],
        items: int,
        number: NDArray[np.intp],
        position: NDArray[np.intp],
        weight: NDArray[np.float64],
        liked: NDArray[np.bool_],
    ) -> "Histories":
        keys = number * items + position
        pairs, latest_from_the_end, pair = np.unique(keys[::-1], return_index=True, return_inverse=True)
        strongest, wanted = np.zeros(len(pairs)), np.zeros(len(pairs), dtype=np.bool_)
        np.maximum.at(strongest, pair, weight[::-1])
        np.logical_or.at(wanted, pair, liked[::-1])
        order = np.argsort(len(keys) - 1 - latest_from_the_end)
        number = (pairs // max(items, 1))[order]
        highest = np.zeros(len(people))
        np.maximum.at(highest, number, strongest[order])
        strength = strongest[order] / highest[number]
        counts = np.searchsorted(number, number, side="right") - np.arange(len(number)) <= MOST_ITEMS
        position = (pairs % max(items, 1))[order]
        return cls(people, items, number[counts], position[counts], strength[counts], wanted[order][counts])

    def __len__(self) -> int:
        return len(self.number)

    @property
    def touched(self) -> Any:
        """Return the CSR matrix (people x items) of ones where a person touched an item."""
        return self._matrix(np.ones(len(self), dtype=np.int32), np.ones(len(self), dtype=np.bool_))

    @property
    def likes(self) -> Any:
        """Return the CSR matrix (people x items) of the strengths of what a person liked."""
        return self._matrix(self.strength, self.liked)

    def starts(self) -> NDArray[np.intp]:
        """Return where each person's rows begin, and the end of the last."""
        return np.searchsorted(self.number, np.arange(len(self.people) + 1))

    def signals(self, number: int, starts: NDArray[np.intp]) -> Signals:
        """Return everything of one person."""
        rows = slice(starts[number], starts[number + 1])
        return Signals(
            self.position[rows], self.strength[rows], self.liked[rows], np.zeros(len(self.liked[rows]), dtype=np.bool_)
        )

    def without(self, numbers: NDArray[np.intp]) -> "Histories":
        """Return the same as if these people had done nothing."""
        rows = ~np.isin(self.number, numbers)
        return Histories(
            self.people, self.items, self.number[rows], self.position[rows], self.strength[rows], self.liked[rows]
        )

    def without_items(self, positions: NDArray[np.intp]) -> "Histories":
        """Return the same as if these items were new."""
        rows = ~np.isin(self.position, positions)
        return Histories(
            self.people, self.items, self.number[rows], self.position[rows], self.strength[rows], self.liked[rows]
        )

    def _matrix(self, values: NDArray[Any], rows: NDArray[np.bool_]) -> Any:
        entries = (values[rows], (self.number[rows], self.position[rows]))
        return sparse.csr_matrix(entries, shape=(len(self.people), self.items))


def members(people: Sequence[Person], segments: Mapping[Person, str]) -> dict[str, list[int]]:
    """Return the numbers of each segment's people, by key."""
    found: dict[str, list[int]] = {}
    for number, person in enumerate(people):
        if person in segments:
            found.setdefault(segments[person], []).append(number)
    return dict(sorted(found.items()))


def sorted_people(people: Iterable[Person]) -> list[Person]:
    """Order people so that the order of rows does not change the model."""
    return sorted(people, key=lambda person: (isinstance(person, bytes), person))
