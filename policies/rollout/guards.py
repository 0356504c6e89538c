"""Guards of a rollout: limits an officer sets, and a judgement that is a pure function of the counts."""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from common.rollouts import limits
from common.rollouts.limits import Breach, Rate

_Points = Annotated[float, msgspec.Meta(gt=0, le=100)]


class Guards(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of one rollout. Points are percentage points."""

    window_minutes: Annotated[int, msgspec.Meta(ge=1, le=1_440)] = 15
    at_least: Annotated[int, msgspec.Meta(ge=20, le=50_000)] = 200  # decisions of the candidate, before it is judged
    deny_points: _Points = 2.0  # denials more or fewer than the active policy's
    error_points: _Points = 1.0  # decisions its engine failed at, more than the active policy's
    latency_ratio: Annotated[float, msgspec.Meta(gt=1, le=100)] = 2.0  # the slowest one in a hundred


def read_guards(document: dict[str, Any]) -> Guards:
    """Read the limits. Raises InvalidRequest, which names the limit that makes no sense."""
    return limits.read_limits(document, Guards)


@dataclass(frozen=True)
class Side:
    """Decisions of one side, how many of them permitted nothing, at how many the engine failed, and the slowest."""

    decisions: int = 0
    denied: int = 0
    failed: int = 0
    p99_us: int | None = None

    @property
    def denials(self) -> Rate:
        return Rate(self.denied, self.decisions)

    @property
    def failures(self) -> Rate:
        return Rate(self.failed, self.decisions)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Counts of the window. ``before`` is the active policy's just before the present stage began.

    In a shadow the candidate's side says what it would have answered to the active policy's decisions, and only the
    active policy's have a duration.
    """

    candidate: Side
    active: Side
    before: Side
    is_shadow: bool


def judge(guards: Guards, figures: Figures) -> Breach | None:
    """Return the first limit that is passed, in a sentence; None where all hold, or too little was decided."""
    if figures.candidate.decisions < guards.at_least:
        return None
    return limits.first([_errors(guards, figures), _denials(guards, figures), _latency(guards, figures)])


def yardstick(guards: Guards, figures: Figures) -> Side | None:
    """Return the active policy's side, from before the stage where it hardly answers any more; None without any."""
    return next((side for side in (figures.active, figures.before) if side.decisions >= guards.at_least), None)


def _errors(guards: Guards, figures: Figures) -> Breach | None:
    usual = yardstick(guards, figures) or Side()
    rate = figures.candidate.failures.value
    if rate - usual.failures.value <= guards.error_points / 100:
        return None
    return Breach(
        "error_points",
        f"The engine failed at {limits.percent(rate)} of the decisions of the candidate,"
        f" at {limits.percent(usual.failures.value)} of the active one's;"
        f" allowed: {limits.points(guards.error_points)} more.",
    )


def _denials(guards: Guards, figures: Figures) -> Breach | None:
    usual = yardstick(guards, figures)
    if usual is None:
        return None
    candidate = figures.candidate.denials
    shift = abs(candidate.value - usual.denials.value)
    by_chance = 0.0 if figures.is_shadow else limits.chance(candidate, usual.denials)
    if shift <= guards.deny_points / 100 or shift <= by_chance:
        return None
    return Breach(
        "deny_points",
        f"{limits.percent(candidate.value)} of the decisions of the candidate were denials,"
        f" {limits.percent(usual.denials.value)} of the active one's; allowed: {limits.points(guards.deny_points)}.",
    )


def _latency(guards: Guards, figures: Figures) -> Breach | None:
    if figures.is_shadow:
        # Everybody waits for the candidate as well, so what is slower now is slower than before it.
        now, usual = figures.active, figures.before if figures.before.decisions >= guards.at_least else None
    else:
        now, usual = figures.candidate, yardstick(guards, figures)
    if usual is None or not limits.is_slower(now.p99_us, usual.p99_us, guards.latency_ratio):
        return None
    whose = "with the candidate beside it" if figures.is_shadow else "by the candidate"
    return Breach(
        "latency_ratio",
        f"One in a hundred decisions {whose} took longer than {limits.milliseconds(now.p99_us)},"
        f" without it {limits.milliseconds(usual.p99_us)};"
        f" allowed: {guards.latency_ratio:g} times as long.",
    )
