"""Judge what was measured by its objectives. Pure: no database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from personalization.monitors.kinds import MONITORS, SIGNIFICANT
from personalization.monitors.measures import drift

WITHIN, BEYOND, TOO_FEW, UNKNOWN, WATCHED = "within", "beyond", "too_few", "unknown", "watched"


@dataclass(frozen=True)
class Objective:
    """Objective in force of a monitor; without one (``limit`` None) a value is kept and not judged."""

    limit: float | None
    suspends_after: int | None = None


@dataclass(frozen=True)
class Measured:
    """A value that a monitor found. ``value`` None: there is nothing to measure it by. ``p``: of a drift."""

    monitor: str
    part: str = ""
    value: float | None = None
    samples: int = 0
    p: float | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """A measured value with its verdict."""

    measured: Measured
    state: str
    limit: float | None


def judge(found: Iterable[Measured], objectives: Mapping[str, Objective]) -> list[Judged]:
    """Judge all that was measured of a version on a day. Probabilities are adjusted for all tests among it."""
    adjusted = _adjusted(list(found))
    return [_judged(each, objectives.get(each.monitor, own(each.monitor))) for each in adjusted]


def own(monitor: str) -> Objective:
    """Return the objective that a monitor has without the register."""
    return Objective(MONITORS[monitor].limit)


def _adjusted(found: Sequence[Measured]) -> list[Measured]:
    """Adjust those probabilities that a verdict may rest on: a test on too few values is none."""
    tests = [number for number, each in enumerate(found) if each.p is not None and not _is_too_few(each)]
    values = drift.adjusted([found[number].p or 0.0 for number in tests])
    by_number = dict(zip(tests, values, strict=True))
    return [replace(each, p=by_number.get(number, each.p)) for number, each in enumerate(found)]


def _is_too_few(each: Measured) -> bool:
    return each.samples < MONITORS[each.monitor].least_samples


def _judged(each: Measured, objective: Objective) -> Judged:
    return Judged(each, _state(each, objective), objective.limit)


def _state(each: Measured, objective: Objective) -> str:
    if _is_too_few(each):
        return TOO_FEW
    if each.value is None:
        return UNKNOWN
    if objective.limit is None:
        return WATCHED
    is_beyond = MONITORS[each.monitor].is_beyond(each.value, objective.limit)
    is_sure = each.p is None or each.p < SIGNIFICANT
    return BEYOND if is_beyond and is_sure else WITHIN
