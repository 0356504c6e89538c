"""Answers of a model: what is recommended, computed from what, and which of the person's own items speak for it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import compress
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from common.levels import Level
from personalization.recommender.interactions import Item
from personalization.recommender.signals import Signals

NOISE = 1e-5
"""A score up to this, where one standard deviation is about 1, may be all rounding."""

_Positions = NDArray[np.intp]


class Basis(StrEnum):
    """Basis of a recommendation: what it was computed from."""

    POPULAR = "popular"
    SEGMENT = "segment"
    HISTORY = "history"
    SESSION = "session"


class Fallback(StrEnum):
    """Reason why less was used than the level allows."""

    TOO_LITTLE_HISTORY = "too_little_history"
    NOTHING_RELATED = "nothing_related"
    SEGMENT_NOT_AVAILABLE = "segment_not_available"


class Because(NamedTuple):
    """Item of the person's own that speaks for a recommendation or against it.

    ``contribution`` is its exact part of the score, below 0 where it speaks against; ``share`` the same as a fraction
    of everything that speaks for the recommendation.
    """

    item: str
    share: float
    contribution: float
    source: Basis


class Recommendation(NamedTuple):
    """One recommended item. Scores compare only within one basis.

    ``people`` is the size of the group a popular or segment recommendation was counted in; ``because`` the
    person's own items behind one from history or session. Exactly one of them is set. ``despite`` are the person's
    own items that speak against it, ``prior`` is what its popularity adds for a person of short history: the
    contributions of all items and ``prior`` sum to ``score``. ``is_tried``: it is in the list to be tried out.
    """

    item: Item
    score: float
    basis: Basis
    because: tuple[Because, ...] = ()
    people: int | None = None
    despite: tuple[Because, ...] = ()
    prior: float = 0.0
    is_tried: bool = False


class Personal(Sequence[Recommendation]):
    """Items of a personal list, best first, in columns; each becomes a Recommendation where that is asked for.

    ``own`` holds in each row the person's items that say most about one of the list, by their positions in ``items``:
    the ``number`` that speak for it most, then those that speak against it most, as far as they do (``speaks``).
    ``amounts`` are their contributions, ``speaking_for`` is the sum of all that speaks for an item.
    """

    def __init__(
        self,
        items: Sequence[Item],
        chosen: _Positions,
        signals: Signals,
        contributions: NDArray[np.float64],
        prior: NDArray[np.float64],
        number: int,
        tried: Collection[int] = frozenset(),
    ) -> None:
        self.items, self.chosen, self.tried, self._prior = items, chosen, tried, prior
        personal = contributions.sum(axis=1)
        self.scores: list[float] = (personal + prior).tolist()
        self.speaking_for = np.maximum(np.maximum(contributions, 0.0).sum(axis=1) + prior, NOISE)
        # The strongest first, and from the end on the weakest first.
        order = (-contributions).argsort(axis=1, kind="stable")
        self.number = number = min(number, order.shape[1])
        places = np.concatenate((order[:, :number], order[:, : -number - 1 : -1]), axis=1)
        self.own = signals.positions[places]
        self.amounts = contributions[np.arange(len(chosen))[:, np.newaxis], places]
        self._is_now = signals.in_session[places]
        self.speaks = np.concatenate((self.amounts[:, :number] > 0, self.amounts[:, number:] < 0), axis=1)
        self.bases = [Basis.HISTORY] * len(chosen)
        if signals.in_session.any():
            from_session = contributions[:, signals.in_session].sum(axis=1) > personal / 2
            self.bases = [Basis.SESSION if is_most else Basis.HISTORY for is_most in from_session.tolist()]

    def __len__(self) -> int:
        return len(self.scores)

    @overload
    def __getitem__(self, place: int) -> Recommendation: ...
    @overload
    def __getitem__(self, place: slice) -> list[Recommendation]: ...
    def __getitem__(self, place: int | slice) -> Recommendation | list[Recommendation]:
        return self._recommendations[place]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._recommendations == list(other)

    __hash__ = None  # type: ignore[assignment]  # as of a list

    def certainties(self) -> list[float]:
        """Return of each item how much of what speaks about it speaks for it; 0 where nothing of the person's does."""
        parts = zip(self.scores, self.speaking_for.tolist(), self.amounts[:, 0].tolist(), strict=True)
        return [min(1.0, max(0.0, score / total)) if first > 0 else 0.0 for score, total, first in parts]

    @cached_property
    def _recommendations(self) -> list[Recommendation]:
        columns = zip(
            self.chosen.tolist(), self.scores, self.bases, self._prior.tolist(), self.speaking_for.tolist(),
            self.own.tolist(), self.amounts.tolist(), self._is_now.tolist(), self.speaks.tolist(), strict=True,
        )  # fmt: skip
        found: list[Recommendation] = []
        for position, score, basis, prior, total, own, amounts, is_now, speaks in columns:
            named = [
                Because(self.items[each].id, amount / total, amount, Basis.SESSION if now else Basis.HISTORY)
                for each, amount, now in zip(own, amounts, is_now, strict=True)
            ]
            because = tuple(compress(named[: self.number], speaks))
            despite = tuple(compress(named[self.number :], speaks[self.number :]))
            item, is_tried = self.items[position], len(found) in self.tried
            found.append(Recommendation(item, score, basis, because, None, despite, prior, is_tried))
        return found


@dataclass(frozen=True, slots=True)
class Served:
    """An answer: the level whose scores were really used, and why if that is less than was allowed.

    At a personal level the list may end with popular items when too few are related to the person's own. ``segment``:
    whose list it is, or ends with.
    """

    level_used: Level
    fallback: Fallback | None
    recommendations: Sequence[Recommendation]
    segment: str | None = None

    @property
    def scores(self) -> list[float]:
        listed = self.recommendations
        return listed.scores if isinstance(listed, Personal) else [each.score for each in listed]
