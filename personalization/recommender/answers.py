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
    has_session = signals.in_session.any()
    from_session = contributions[:, signals.in_session].sum(axis=1) if has_session else np.zeros(len(chosen))
    # The strongest first, and from the end on the weakest first.
    order = (-contributions).argsort(axis=1, kind="stable")
    number = min(number, order.shape[1])
    places = np.concatenate((order[:, :number], order[:, : -number - 1 : -1]), axis=1)
    values = contributions[np.arange(len(chosen))[:, np.newaxis], places]
    totals = zip(
        chosen.tolist(), personal.tolist(), from_session.tolist(), prior.tolist(), speaking_for.tolist(),
        signals.positions[places].tolist(), values.tolist(), signals.in_session[places].tolist(), strict=True,
    )  # fmt: skip
    found = []
    for position, own, of_session, general, total, named, amounts, now in totals:
        because, despite = [], []
        for place, (own_item, amount, is_now) in enumerate(zip(named, amounts, now, strict=True)):
            source = Basis.SESSION if is_now else Basis.HISTORY
            if place < number and amount > 0:
                because.append(Because(items[own_item].id, amount / total, amount, source))
            elif place >= number and amount < 0:
                despite.append(Because(items[own_item].id, amount / total, amount, source))
        basis = Basis.SESSION if of_session > own / 2 else Basis.HISTORY
        found.append(
            Recommendation(items[position], own + general, basis, tuple(because), None, tuple(despite), general)
        )
    return found
