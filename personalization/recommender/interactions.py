"""Training data of the recommender: items, and who touched which of them, how strongly and when."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from common.http.problems import InvalidRequest
from personalization.recommender.coded import Coded

Person = int | bytes
"""An opaque index or pseudonym. It groups interactions while training and is never stored in a model."""


class InvalidInteractions(InvalidRequest):
    """Refusal of interactions or items; the detail says which rule they break."""

    code = "invalid_interactions"
    title = "The interactions cannot be used"


@dataclass(frozen=True, slots=True)
class Item:
    """Item that can be recommended; ``text`` says more of it than its title, and is never shown."""

    id: str
    title: str
    categories: tuple[str, ...] = ()
    text: str = ""


class Interaction(NamedTuple):
    """One touch of an item by the person a recommendation is for.

    ``weight`` is its strength, finite and > 0, in any unit the caller keeps to; ``time`` is in seconds and only orders.
    ``liked`` is false for a touch that says what the person did, but not that they wanted it. Hundreds of them are made
    for one answer, so they are judged where they are read (``Signals.of``).
    """

    item: str
    weight: float = 1.0
    time: float = 0.0
    liked: bool = True


@dataclass(frozen=True, eq=False)
class Touches:
    """Touches of liked items in columns, oldest first: items by their digests, weights finite and > 0."""

    items: NDArray[np.uint64]
    weights: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.items)

    def latest(self, number: int) -> "Touches":
        """Return the ``number`` latest."""
        return Touches(self.items[-number:], self.weights[-number:])


def digest_of(item: str) -> int:
    """Return the 64 bits that stand for an item in ``Touches``."""
    return int.from_bytes(hashlib.sha256(item.encode()).digest()[:8], "big")


@dataclass(frozen=True, eq=False)
class Interactions:
    """Interactions of many people as columns of equal length; row i is one interaction.

    Without a column ``liked`` every interaction is a liking. People and items are kept as numbers (``Coded``).
    """

    person: Sequence[Person]
    item: Sequence[str]
    weight: NDArray[np.float64]
    time: NDArray[np.float64]
    liked: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "person", Coded.of(self.person))
        object.__setattr__(self, "item", Coded.of(self.item))
        lengths = {len(self.person), len(self.item), len(self.weight), len(self.time)}
        if len(lengths) != 1:
            raise InvalidInteractions("The columns person, item, weight and time must be equally long.")
        if self.liked is not None and len(self.liked) != len(self.person):
            raise InvalidInteractions("The column liked must be as long as the others.")
        if not (np.isfinite(self.weight).all() and (self.weight > 0).all()):
            raise InvalidInteractions("Every weight must be a finite number above 0.")
        if not np.isfinite(self.time).all():
            raise InvalidInteractions("Every time must be a finite number of seconds.")

    def __len__(self) -> int:
        return len(self.weight)

    @property
    def people(self) -> Coded[Person]:
        """Return the column of people as numbers."""
        return Coded.of(self.person)

    @property
    def items(self) -> Coded[str]:
        """Return the column of items as numbers."""
        return Coded.of(self.item)

    def rows(self, numbers: Sequence[int] | NDArray[np.intp]) -> "Interactions":
        """Return the interactions in the given rows, in that order."""
        chosen = np.asarray(numbers, dtype=np.intp)
        return Interactions(
            person=self.people.take(chosen),
            item=self.items.take(chosen),
            weight=self.weight[chosen],
            time=self.time[chosen],
            liked=None if self.liked is None else self.liked[chosen],
        )


NO_INTERACTIONS = Interactions([], [], np.zeros(0), np.zeros(0))
