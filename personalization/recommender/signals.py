"""What a person did, as the scoring reads it: distinct items, oldest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from personalization.recommender.interactions import InvalidInteractions
from personalization.recommender.levels import Permitted


@dataclass(frozen=True, eq=False)
class Signals:
    """Distinct items of a person that may be used: position, strength 0..1, whether liked, whether of this session."""

    positions: NDArray[np.intp]
    strengths: NDArray[np.float64]
    liked: NDArray[np.bool_]
    in_session: NDArray[np.bool_]

    @classmethod
    def of(cls, permitted: Permitted, positions: Mapping[str, int], allowed: NDArray[np.bool_]) -> "Signals":
        """Read what a level permits; items that the model does not know or that are not ``allowed`` are left out."""
        weights: dict[int, float] = {}
        liked: set[int] = set()
        session: set[int] = set()
        usable, find = allowed.tolist(), positions.get
        for interactions, of_session in ((permitted.history, False), (permitted.session, True)):
            for item, weight, _time, is_liked in interactions:
                position = find(item)
                if position is None or not usable[position]:
                    continue
                # The strongest counts once, at its latest moment: reloading a page is not a stronger wish. Training
                # does the same.
                before = weights.pop(position, 0.0)
                weights[position] = max(before, weight)
                if is_liked:
                    liked.add(position)
                if of_session:
                    session.add(position)
        strengths = np.array(list(weights.values()), dtype=np.float64)
        if len(strengths) and not (np.isfinite(strengths).all() and strengths.min() > 0):
            raise InvalidInteractions("An interaction's weight must be a finite number above 0.")
        return cls(
            positions=np.array(list(weights), dtype=np.intp),
            strengths=strengths / strengths.max() if len(strengths) else strengths,
            liked=np.array([position in liked for position in weights], dtype=np.bool_),
            in_session=np.array([position in session for position in weights], dtype=np.bool_),
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
