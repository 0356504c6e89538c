"""Answers of a model: what is recommended, computed from what, and which of the person's own items speak for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

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


@dataclass(frozen=True, slots=True)
class Recommendation:
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


@dataclass(frozen=True, slots=True)
class Served:
    """An answer: the level whose scores were really used, and why if that is less than was allowed.

    At a personal level the list may end with popular items when too few are related to the person's own. ``segment``:
    whose list it is, or ends with.
    """

    level_used: Level
    fallback: Fallback | None
    recommendations: tuple[Recommendation, ...]
    segment: str | None = None


def explained(
    items: Sequence[Item],
    chosen: _Positions,
    signals: Signals,
    contributions: NDArray[np.float64],
    prior: NDArray[np.float64],
    number: int,
) -> list[Recommendation]:
    """Return the chosen items with ``number`` reasons each way, from their (chosen x signals) contributions.

    All items are sorted at once, and only what is named leaves NumPy.
    """
    personal = contributions.sum(axis=1)
    speaking_for = np.maximum(np.maximum(contributions, 0.0).sum(axis=1) + prior, NOISE)
    from_session = contributions[:, signals.in_session].sum(axis=1)
    order = np.argsort(-contributions, axis=1, kind="stable")
    reasons = [
        _named(items, places, signals, contributions, speaking_for)
        for places in (order[:, :number], order[:, : -number - 1 : -1])
    ]
    totals = zip(chosen.tolist(), personal.tolist(), from_session.tolist(), prior.tolist(), *reasons, strict=True)
    return [
        Recommendation(
            items[position],
            own + general,
            Basis.SESSION if of_session > own / 2 else Basis.HISTORY,
            because=tuple([each for each in best if each.contribution > 0]),
            despite=tuple([each for each in worst if each.contribution < 0]),
            prior=general,
        )
        for position, own, of_session, general, best, worst in totals
    ]


def _named(
    items: Sequence[Item],
    places: _Positions,
    signals: Signals,
    contributions: NDArray[np.float64],
    speaking_for: NDArray[np.float64],
) -> list[list[Because]]:
    """Return for each chosen item the person's items at ``places`` (chosen x reasons), with what they contribute."""
    values = np.take_along_axis(contributions, places, axis=1)
    columns = (
        signals.positions[places].tolist(),
        (values / speaking_for[:, np.newaxis]).tolist(),
        values.tolist(),
        signals.in_session[places].tolist(),
    )
    return [
        [
            Because(items[position].id, share, value, Basis.SESSION if is_now else Basis.HISTORY)
            for position, share, value, is_now in zip(*of_one, strict=True)
        ]
        for of_one in zip(*columns, strict=True)
    ]
