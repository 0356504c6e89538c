"""Choices that make a model: its parts, and how they are weighed for people of short and of long history."""

import math
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How the weights between items are computed."""

    EASE = "ease"
    COSINE = "cosine"
    TFIDF_COSINE = "tfidf_cosine"
    NEAR = "near"
    FORWARD = "forward"


@dataclass(frozen=True, slots=True)
class Spec:
    """Choice of a part: how it is computed, and how fast a person's older touches fade (in touches; None: never).

    ``regularisation`` is that of EASE, and no more than a number for the other kinds. ``rank``: from 1 on, how many
    directions of the weights are kept whole before each row is cut to its strongest remainders.
    """

    kind: Kind
    half_life: float | None = None
    regularisation: float = 0.0
    rank: int = 1

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise ValueError("The rank of a part must be at least 1.")

    @property
    def likes_only(self) -> bool:
        """Return whether only what the person liked counts: the parts about sequence take every touch."""
        return self.kind not in (Kind.NEAR, Kind.FORWARD)


class Lists(StrEnum):
    """How the list of a segment is made."""

    COUNTS = "counts"
    """Of the people in it who touched an item."""
    SCORES = "scores"
    """Of the mean of its people's standardised scores."""


@dataclass(frozen=True, slots=True)
class Band:
    """Weights of the parts, and of what is popular in the person's segment, for up to so many items of a person."""

    up_to: int | None
    weights: tuple[float, ...]
    prior: float = 0.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """Parts and bands, shortest histories first; the last band has no end.

    Below ``min_likes`` distinct known items a person is served as at ``segment``. A new item takes its weights from the
    ``content`` known items it is most like; from none where that is 0.
    """

    parts: tuple[Spec, ...]
    bands: tuple[Band, ...]
    min_likes: int = 2
    lists: Lists = Lists.COUNTS
    content: int = 0

    def __post_init__(self) -> None:
        if self.content < 0:
            raise ValueError("A recipe's content is a number of items.")
        ends = [band.up_to for band in self.bands]
        if not self.parts or not ends or ends[-1] is not None or None in ends[:-1]:
            raise ValueError("A recipe has parts, and bands of which only the last has no end.")
        if any(len(band.weights) != len(self.parts) for band in self.bands):
            raise ValueError("Every band of a recipe weighs each of its parts.")
        if not all(math.isfinite(number) for band in self.bands for number in (*band.weights, band.prior)):
            raise ValueError("Every weight of a recipe must be a finite number.")

    def band(self, likes: int) -> Band:
        """Return the weights for a person of so many distinct items."""
        return next(band for band in self.bands if band.up_to is None or likes <= band.up_to)


def of_one_part(spec: Spec, *, min_likes: int = 2) -> Recipe:
    """Return the recipe of a single part at every length of history."""
    return Recipe((spec,), (Band(None, (1.0,)),), min_likes)
