"""What a person did, as the scoring reads it: distinct items, oldest first."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from personalization.recommender.interactions import InvalidInteractions


class Touched(NamedTuple):
    """Touches of items in columns, oldest first.

    Of each: the item's position in the model, the weight, whether liked, and whether of this session.
    """

    positions: NDArray[np.intp]
    weights: NDArray[np.float64]
    liked: NDArray[np.bool_]
    in_session: NDArray[np.bool_]

    def only(self, rows: NDArray[np.bool_]) -> "Touched":
        """Return some of them."""
        return Touched(self.positions[rows], self.weights[rows], self.liked[rows], self.in_session[rows])

    def distinct(self) -> "Touched":
        """Return each item once, at its latest moment, with its strongest weight.

        Reloading a page is not a stronger wish. Training does the same.
        """
        by_item = np.argsort(self.positions, kind="stable")
        items = self.positions[by_item]
        is_first = np.empty(len(items), dtype=np.bool_)
        is_first[:1] = True
        np.not_equal(items[1:], items[:-1], out=is_first[1:])
        begins = np.flatnonzero(is_first)
        if len(begins) == len(items):
            return self
        latest = by_item[np.append(begins[1:], len(items)) - 1]
        by_time = np.argsort(latest)
        return Touched(
            self.positions[latest[by_time]],
            np.maximum.reduceat(self.weights[by_item], begins)[by_time],
            np.logical_or.reduceat(self.liked[by_item], begins)[by_time],
            np.logical_or.reduceat(self.in_session[by_item], begins)[by_time],
        )


@dataclass(frozen=True, eq=False)
class Signals:
    """Distinct items of a person that may be used: position, strength 0..1, whether liked, whether of this session."""

    positions: NDArray[np.intp]
    strengths: NDArray[np.float64]
    liked: NDArray[np.bool_]
    in_session: NDArray[np.bool_]

    @classmethod
    def of(cls, touched: Touched, usable: NDArray[np.bool_]) -> "Signals":
        """Read touches; those of items that are not ``usable`` are left out."""
        rows = usable[touched.positions]
        positions, weights, liked, in_session = (touched if rows.all() else touched.only(rows)).distinct()
        if len(weights):
            strongest = weights.max()
            # Every comparison with what is no number is false.
            if not (weights.min() > 0 and strongest < np.inf):
                raise InvalidInteractions("An interaction's weight must be a finite number above 0.")
            weights = weights / strongest
        return cls(positions, weights, liked, in_session)

    def __len__(self) -> int:
        return len(self.positions)

    def latest_likes(self, number: int) -> "Signals":
        """Return the ``number`` latest of those that the person liked."""
        rows = self.wanted[-number:]
        return Signals(self.positions[rows], self.strengths[rows], self.liked[rows], self.in_session[rows])

    @cached_property
    def everything(self) -> NDArray[np.intp]:
        """Return the numbers of all signals."""
        return np.arange(len(self.positions))

    @cached_property
    def wanted(self) -> NDArray[np.intp]:
        """Return the numbers of the signals that the person liked."""
        return np.flatnonzero(self.liked)
