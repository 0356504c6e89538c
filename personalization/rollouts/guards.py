"""Guards of a model rollout: limits an officer sets, and a judgement that is a pure function of the counts.

Both sides are drawn from the same people by a hash, so they differ by the version and by chance. In a shadow the same
requests are compared, and nothing is chance.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from common.rollouts import limits
from common.rollouts.limits import Breach, Rate, Spread

_Points = Annotated[float, msgspec.Meta(gt=0, le=100)]


class ModelGuards(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of one rollout. Points are percentage points."""

    window_minutes: Annotated[int, msgspec.Meta(ge=1, le=10_080)] = 60
    at_least: Annotated[int, msgspec.Meta(ge=20, le=50_000)] = 200  # answers of the candidate, before it is judged
    at_least_people: Annotated[int, msgspec.Meta(ge=10, le=50_000)] = 50  # of its people, before their words count
    unwanted_points: _Points = 5.0  # more people who said of an item that it is not relevant
    left_points: _Points = 2.0  # more people who withdrew or objected
    fallback_points: _Points = 2.0  # more answers that were the general list
    error_points: _Points = 1.0  # more answers that the engine failed at
    level_steps: Annotated[float, msgspec.Meta(gt=0, le=4)] = 0.25  # lower, on average, of the five levels
    latency_ratio: Annotated[float, msgspec.Meta(gt=1, le=100)] = 2.0  # the slowest one in a hundred


def read_guards(document: dict[str, Any]) -> ModelGuards:
    """Read the limits. Raises InvalidRequest, which names the limit that makes no sense."""
    return limits.read_limits(document, ModelGuards)


@dataclass(frozen=True)
class Side:
    """What one side answered, and what its people said in that time.

    ``people`` did something here in the window, ``unwanted`` of them said that an item is not relevant, and ``left`` of
    them withdrew or objected.
    """

    answers: int = 0
    fallbacks: int = 0
    failures: int = 0
    levels: tuple[int, ...] = ()
    p99_us: int | None = None
    people: int = 0
    unwanted: int = 0
    left: int = 0


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Counts of the window. In a shadow the candidate's side are its answers to a sample of the live one's requests."""

    candidate: Side
    live: Side
    is_shadow: bool


@dataclass(frozen=True)
class Measure:
    """A rate that the candidate's side may exceed the live one's by so many points."""

    limit: str
    rate: Callable[[Side], Rate]
    sentence: str
    is_of_people: bool = False


MEASURES = (
    Measure(
        "error_points",
        lambda side: Rate(side.failures, side.answers),
        "The engine failed at {} of the answers",
    ),
    Measure(
        "fallback_points",
        lambda side: Rate(side.fallbacks, side.answers),
        "{} of the answers were the general list",
    ),
    Measure(
        "unwanted_points",
        lambda side: Rate(side.unwanted, side.people),
        "{} of the people said that an item is not relevant",
        is_of_people=True,
    ),
    Measure(
        "left_points",
        lambda side: Rate(side.left, side.people),
        "{} of the people withdrew or objected",
        is_of_people=True,
    ),
)


def judge(guards: ModelGuards, figures: Figures) -> Breach | None:
    """Return the first limit that is passed, in a sentence; None where all hold, or too little was answered."""
    has_answers = min(figures.candidate.answers, figures.live.answers) >= guards.at_least
    has_people = min(figures.candidate.people, figures.live.people) >= guards.at_least_people
    found = [
        _more(guards, figures, measure)
        for measure in MEASURES
        if (has_people and not figures.is_shadow if measure.is_of_people else has_answers)
    ]
    if has_answers:
        found += [_lower(guards, figures), _slower(guards, figures)]
    return limits.first(found)


def _more(guards: ModelGuards, figures: Figures, measure: Measure) -> Breach | None:
    candidate, live = measure.rate(figures.candidate), measure.rate(figures.live)
    allowed = getattr(guards, measure.limit)
    by_chance = 0.0 if figures.is_shadow else limits.chance(candidate, live)
    if candidate.value - live.value <= max(allowed / 100, by_chance):
        return None
    said = measure.sentence.format(limits.percent(candidate.value))
    return Breach(
        measure.limit,
        f"{said} on the side of the candidate, {limits.percent(live.value)} on that of the live version;"
        f" allowed: {limits.points(allowed)} more.",
    )


def _lower(guards: ModelGuards, figures: Figures) -> Breach | None:
    candidate, live = Spread(figures.candidate.levels), Spread(figures.live.levels)
    by_chance = limits.chance_of_means(candidate, live)
    if live.mean - candidate.mean <= max(guards.level_steps, by_chance):
        return None
    return Breach(
        "level_steps",
        f"The candidate served {live.mean - candidate.mean:.2f} levels less on average than the live version;"
        f" allowed: {guards.level_steps:g}.",
    )


def _slower(guards: ModelGuards, figures: Figures) -> Breach | None:
    now, usual = figures.candidate.p99_us, figures.live.p99_us
    if not limits.is_slower(now, usual, guards.latency_ratio):
        return None
    return Breach(
        "latency_ratio",
        f"One in a hundred answers of the candidate took longer than {limits.milliseconds(now)}, of the live version"
        f" {limits.milliseconds(usual)}; allowed: {guards.latency_ratio:g} times as long.",
    )
