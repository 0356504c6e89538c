"""Parts of a model: padded rows of weights between items, scored with their exact additive reasons.

A part's weight from item i to item j is ``weights`` at j among i's neighbours, plus ``out[i] @ into[:, j]``: the
directions that many rows share (with a rank of 1 the general popularity), which are taken out before rows are cut to
their strongest and added back here. Both terms are linear in the person's items, so every contribution is exact.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from personalization.recommender.recipe import Spec
from personalization.recommender.signals import Signals

_HALF_LIVES = 4
"""A touch that is older than so many half-lives counts less than 1/16, and is left out."""


@dataclass(frozen=True, eq=False)
class Part:
    """Weights of one kind between items; ``scale`` makes the scores of different parts comparable.

    Rows shorter than the widest are padded with weight 0 for position 0. ``out`` is (items x rank), ``into`` (rank x
    items).
    """

    spec: Spec
    scale: float
    neighbours: NDArray[np.int32]
    weights: NDArray[np.float32]
    out: NDArray[np.float32]
    into: NDArray[np.float32]

    def __post_init__(self) -> None:
        size = len(self.out)
        shape = (size, self.out.shape[-1])
        if self.out.shape != shape or self.into.shape != shape[::-1]:
            raise ValueError("The factors of a part must cover exactly the model's items.")
        if self.neighbours.shape != self.weights.shape or len(self.neighbours) != size:
            raise ValueError("The arrays of a part must cover exactly the model's items.")
        if self.neighbours.size and not (self.neighbours.min() >= 0 and self.neighbours.max() < size):
            raise ValueError("A neighbour is not among the model's items.")
        if not all(np.isfinite(values).all() for values in (self.weights, self.out, self.into, self.scale)):
            raise ValueError("Every weight of a part must be a finite number.")

    def at_pace(self, half_life: float | None) -> "Part":
        """Return the same weights with another half-life."""
        return replace(self, spec=replace(self.spec, half_life=half_life))

    def counted(self, signals: Signals) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Return which signals this part counts, and how much of each."""
        rows = signals.wanted if self.spec.likes_only else signals.everything
        half_life = self.spec.half_life
        if half_life is None:
            return rows, (signals.strengths[rows] * self.scale).astype(np.float32)
        rows = rows[-math.ceil(_HALF_LIVES * half_life) :]
        fading = np.exp2(np.arange(1 - len(rows), 1) / half_life)
        return rows, (signals.strengths[rows] * fading * self.scale).astype(np.float32)

    def scores(self, signals: Signals) -> NDArray[np.float64]:
        """Return this part's score of every item."""
        return Weighing([self], [1.0], signals).scores


class Weighing:
    """Scores of all items for one person by several parts, and what each signal contributes to some of them."""

    def __init__(self, parts: Sequence[Part], weights: Sequence[float], signals: Signals) -> None:
        self._signals = len(signals)
        self._rows: list[NDArray[np.intp]] = []
        self._neighbours: list[NDArray[np.int32]] = []
        self._values: list[NDArray[np.float32]] = []
        self._common: list[tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]] = []
        size = len(parts[0].out)
        common = np.zeros(size, dtype=np.float32)
        for part, weight in zip(parts, weights, strict=True):
            if weight:
                common += self._add(part, weight, signals)
        self.scores = self._remainders(size)
        self.scores += common

    def _remainders(self, size: int) -> NDArray[np.float64]:
        """Return what the rows add to the score of each item."""
        found = np.zeros(size)
        for neighbours, values in zip(self._neighbours, self._values, strict=True):
            if values.size:
                found += np.bincount(neighbours.ravel(), weights=values.ravel(), minlength=size)
        return found

    def _add(self, part: Part, weight: float, signals: Signals) -> NDArray[np.float32]:
        rows, counts = part.counted(signals)
        counts *= np.float32(weight)
        positions = signals.positions[rows]
        outgoing = part.out[positions]
        self._common.append((rows, counts, outgoing, part.into))
        if part.neighbours.shape[1]:
            self._rows.append(rows)
            self._neighbours.append(part.neighbours[positions])
            self._values.append(part.weights[positions] * counts[:, np.newaxis])
        # From the left: one row of the rank first, then one product with all items.
        common: NDArray[np.float32] = np.matmul(counts @ outgoing, part.into)
        return common

    def contributions(self, chosen: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return (chosen x signals) what each signal adds to the score of each chosen item."""
        width = self._signals
        begins = np.full(len(self.scores), -1, dtype=np.int32)
        begins[chosen] = np.arange(0, len(chosen) * width, width)
        found = np.zeros(len(chosen) * width)
        for rows, neighbours, values in zip(self._rows, self._neighbours, self._values, strict=True):
            cells = begins.take(neighbours.ravel())
            hits = (cells >= 0).nonzero()[0]
            if len(hits):
                at = cells[hits] + rows[hits // neighbours.shape[1]]
                found += np.bincount(at, weights=values.ravel()[hits], minlength=len(found))
        table = found.reshape(len(chosen), width)
        for rows, counts, outgoing, into in self._common:
            common = (into[:, chosen].T @ outgoing.T) * counts
            if len(rows) == width:
                table += common
            else:
                table[:, rows] += common
        return table
