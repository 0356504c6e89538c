"""What a person did, as the scoring reads it: distinct items, oldest first."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from personalization.recommender.interactions import InvalidInteractions

Touched = tuple[int, float, bool, bool]
"""Touch of an item: its position in the model, weight, whether liked, whether of this session."""


@dataclass(frozen=True, eq=False)
class Signals:
    """Distinct items of a person that may be used: position, strength 0..1, whether liked, whether of this session."""

    positions: NDArray[np.intp]
    strengths: NDArray[np.float64]
    liked: NDArray[np.bool_]
    in_session: NDArray[np.bool_]

    @classmethod
    def of(cls, touched: Iterable[Touched], usable: Sequence[bool]) -> "Signals":
        """Read touches of items that the model knows, oldest first; those that are not ``usable`` are left out."""
        weights: dict[int, float] = {}
        liked: set[int] = set()
        session: set[int] = set()
        for position, strength, is_liked, is_of_session in touched:
            if not usable[position]:
                continue
            # The strongest counts once, at its latest moment: reloading a page is not a stronger wish. Training
            # does the same.
            before = weights.pop(position, 0.0)
            weights[position] = max(before, strength)
            if is_liked:
                liked.add(position)
            if is_of_session:
                session.add(position)
        strengths = np.array(list(weights.values()), dtype=np.float64)
        if len(strengths) and not (np.isfinite(strengths).all() and strengths.min() > 0):
            raise InvalidInteractions("An interaction's weight must be a finite number above 0.")
        return cls(
            positions=np.array(list(weights), dtype=np.intp),
            strengths=strengths / strengths.max() if len(strengths) else strengths,
            liked=_flags(weights, liked),
            in_session=_flags(weights, session),
        )

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


def _flags(positions: Collection[int], flagged: Collection[int]) -> NDArray[np.bool_]:
    if len(flagged) in (0, len(positions)):  # as it is nearly always
        return np.full(len(positions), bool(flagged))
    return np.array([position in flagged for position in positions], dtype=np.bool_)
