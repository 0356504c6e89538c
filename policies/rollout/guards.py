"""Guards of a rollout: limits an officer sets, and a judgement that is a pure function of the counts."""

from dataclasses import dataclass
from math import sqrt
from typing import Annotated, Any, Final

import msgspec

from common.http.problems import InvalidRequest

# Fewer milliseconds are no finding, even as a high multiple.
LEAST_LATER_US: Final = 5_000
# A difference between two groups of people that chance makes once in several hundred looks is no reason yet.
_STANDARD_ERRORS: Final = 3.0

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
    try:
        return msgspec.convert(document, Guards)
    except msgspec.ValidationError as exc:
        raise InvalidRequest(f"The guards make no sense: {exc}") from None


@dataclass(frozen=True)
class Side:
    """Decisions of one side, how many of them permitted nothing, at how many the engine failed, and the slowest."""

    decisions: int = 0
    denied: int = 0
    failed: int = 0
    p99_us: int | None = None

    @property
    def deny_rate(self) -> float:
        return self.denied / self.decisions if self.decisions else 0.0

    @property
    def failure_rate(self) -> float:
        return self.failed / self.decisions if self.decisions else 0.0


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


@dataclass(frozen=True)
class Breach:
    guard: str
    sentence: str


def judge(guards: Guards, figures: Figures) -> Breach | None:
    """Return the first limit that is passed, in a sentence; None where all hold, or too little was decided."""
    if figures.candidate.decisions < guards.at_least:
        return None
    return _errors(guards, figures) or _denials(guards, figures) or _latency(guards, figures)


def yardstick(guards: Guards, figures: Figures) -> Side | None:
    """Return the active policy's side, from before the stage where it hardly answers any more; None without any."""
    return next((side for side in (figures.active, figures.before) if side.decisions >= guards.at_least), None)


def _errors(guards: Guards, figures: Figures) -> Breach | None:
    usual = yardstick(guards, figures) or Side()
    rate = figures.candidate.failure_rate
    if rate - usual.failure_rate <= guards.error_points / 100:
        return None
    return Breach(
        "error_points",
        f"The engine failed at {_percent(rate)} of the decisions of the candidate, at {_percent(usual.failure_rate)} of"
        f" the active one's; allowed: {_points(guards.error_points)} more.",
    )


def _denials(guards: Guards, figures: Figures) -> Breach | None:
    usual = yardstick(guards, figures)
    if usual is None:
        return None
    shift = abs(figures.candidate.deny_rate - usual.deny_rate)
    if shift <= guards.deny_points / 100 or (not figures.is_shadow and shift <= _chance(figures.candidate, usual)):
        return None
    return Breach(
        "deny_points",
        f"{_percent(figures.candidate.deny_rate)} of the decisions of the candidate were denials,"
        f" {_percent(usual.deny_rate)} of the active one's; allowed: {_points(guards.deny_points)}.",
    )


def _chance(one: Side, other: Side) -> float:
    """Return how far the rates of two groups may lie apart without anything having changed."""
    together = (one.denied + other.denied) / (one.decisions + other.decisions)
    return _STANDARD_ERRORS * sqrt(together * (1 - together) * (1 / one.decisions + 1 / other.decisions))


def _latency(guards: Guards, figures: Figures) -> Breach | None:
    if figures.is_shadow:
        # Everybody waits for the candidate as well, so what is slower now is slower than before it.
        now, usual = figures.active, figures.before if figures.before.decisions >= guards.at_least else None
    else:
        now, usual = figures.candidate, yardstick(guards, figures)
    if usual is None or now.p99_us is None or usual.p99_us is None:
        return None
    if now.p99_us - usual.p99_us <= LEAST_LATER_US or now.p99_us <= guards.latency_ratio * usual.p99_us:
        return None
    whose = "with the candidate beside it" if figures.is_shadow else "by the candidate"
    return Breach(
        "latency_ratio",
        f"One in a hundred decisions {whose} took longer than {_ms(now.p99_us)}, without it {_ms(usual.p99_us)};"
        f" allowed: {guards.latency_ratio:g} times as long.",
    )


def _percent(rate: float) -> str:
    return f"{100 * rate:.1f} %"


def _points(points: float) -> str:
    return f"{points:g} point" if points == 1 else f"{points:g} points"


def _ms(microseconds: int) -> str:
    return f"{microseconds / 1000:.1f} ms"
