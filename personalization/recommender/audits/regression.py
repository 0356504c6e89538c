"""Regression set: recorded cases, each a history with items that must or must not be recommended, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from common.levels import Level
from personalization.recommender.answers import Served
from personalization.recommender.interactions import Interaction
from personalization.recommender.model import Model


@dataclass(frozen=True, slots=True)
class Touch:
    """One touch of a case's history, oldest first."""

    item: str
    weight: float = 1.0
    liked: bool = True


@dataclass(frozen=True)
class Case:
    """A recorded case. ``reasons``: items of the history of which each has to speak for a recommended item.

    ``level_used``: the level that has to be served; empty: any.
    """

    name: str
    level: Level
    history: Sequence[Touch] = ()
    segment: str | None = None
    count: int = 10
    expected: Sequence[str] = field(default_factory=tuple)
    forbidden: Sequence[str] = field(default_factory=tuple)
    level_used: str = ""
    reasons: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a version answered to a case: what differs from the record; nothing, where it holds."""

    name: str
    differences: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.differences


def replay(model: Model, cases: Sequence[Case]) -> list[Outcome]:
    """Replay the cases against a model."""
    return [Outcome(case.name, tuple(_differences(case, _answer(model, case)))) for case in cases]


def _answer(model: Model, case: Case) -> Served:
    history = [
        Interaction(touch.item, touch.weight, float(place), touch.liked) for place, touch in enumerate(case.history)
    ]
    return model.recommend(case.level, history=history, segment=case.segment, count=case.count)


def _differences(case: Case, served: Served) -> list[str]:
    shown = {one.item.id for one in served.recommendations}
    given = {reason.item for one in served.recommendations for reason in one.because}
    found = [f"{item} is not recommended" for item in case.expected if item not in shown]
    found += [f"{item} is recommended" for item in case.forbidden if item in shown]
    found += [f"{item} is no reason" for item in case.reasons if item not in given]
    if case.level_used and served.level_used != case.level_used:
        found.append(f"served at {served.level_used}, not {case.level_used}")
    return found
