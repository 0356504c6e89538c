"""Figures of both sides of a model rollout: counted answers, and what people did in that time.

Whose side a person is on is computed as the bundle does, from the hash; so what people say needs no record of what they
were shown.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from common.identifiers import uuid7_floor
from consent.models import ConsentRecord
from personalization.models import Event
from personalization.monitors.measures import bins
from personalization.rollouts.counting import BOUNDS_US, NUMBERS, SCALES
from personalization.rollouts.counting import Side as CountedSide
from personalization.rollouts.guards import Figures, ModelGuards, Side
from personalization.rollouts.models import ModelRollout, RolloutCount
from policies.bundles.loading import Canary

MOST_READ = 50_000
NO = Event.Kind.NOT_RELEVANT.value
_ACTIVE = """
SELECT subject_ref, bool_or(kind = %(no)s) FROM (
  SELECT subject_ref, kind FROM personalization_event
  WHERE purpose = ANY(%(purposes)s) AND received_at BETWEEN %(since)s AND %(until)s
  ORDER BY received_at DESC LIMIT %(most)s
) AS newest GROUP BY subject_ref
"""
_GONE = (ConsentRecord.State.WITHDRAWN, ConsentRecord.State.OBJECTED)


def figures_of(rollout: ModelRollout, guards: ModelGuards, *, now: datetime) -> Figures:
    """Count the window of the guards, no further back than the present share. Four statements at most."""
    since = max(now - timedelta(minutes=guards.window_minutes), rollout.share_set_at)
    counted = _answers(rollout, since, now)
    if rollout.share == 0:
        return Figures(
            candidate=_side(counted[CountedSide.SHADOW]), live=_side(counted[CountedSide.LIVE]), is_shadow=True
        )
    people = _people(rollout, since, now)
    return Figures(
        candidate=replace(_side(counted[CountedSide.CANDIDATE]), **people[True]),
        live=replace(_side(counted[CountedSide.LIVE]), **people[False]),
        is_shadow=False,
    )


@dataclass(frozen=True)
class Counted:
    """Counts of one side, added up over a time."""

    answers: int = 0
    fallbacks: int = 0
    failures: int = 0
    dropped: int = 0
    levels: tuple[int, ...] = ()
    took: tuple[int, ...] = ()
    overlap: tuple[int, ...] = ()
    agreement: tuple[int, ...] = ()
    score: tuple[int, ...] = ()

    @classmethod
    def of(cls, rows: Iterable[RolloutCount]) -> "Counted":
        rows = list(rows)
        found: dict[str, Any] = {name: sum(getattr(row, name) for row in rows) for name in NUMBERS}
        for name in SCALES:
            found[name] = tuple(map(sum, zip(*(getattr(row, name) for row in rows), strict=True)))
        return cls(**found)


def _answers(rollout: ModelRollout, since: datetime, until: datetime) -> dict[str, Counted]:
    # A minute counts whole: what was answered in it before the share was set is one of the first seconds.
    rows = list(rollout.counts.filter(minute__gt=since - timedelta(minutes=1), minute__lte=until))
    return {side: Counted.of(row for row in rows if row.side == side) for side in CountedSide}


def _side(counted: Counted) -> Side:
    return Side(
        answers=counted.answers,
        fallbacks=counted.fallbacks,
        failures=counted.failures,
        levels=counted.levels,
        p99_us=slowest(counted.took),
    )


def slowest(took: Sequence[int]) -> int | None:
    """Return the duration that 99 of 100 answers do not exceed, in microseconds: the bound of its step."""
    found = bins.quantile(took, BOUNDS_US, 0.99)
    return None if found is None else int(min(found, BOUNDS_US[-1]))


def _people(rollout: ModelRollout, since: datetime, until: datetime) -> dict[bool, dict[str, Any]]:
    """Count the people of both sides who did something, who said that an item is not relevant, and who left."""
    purposes = list(rollout.version.purposes.values_list("slug", flat=True))
    said: dict[UUID, bool] = dict(_active(purposes, since, until))
    left = ConsentRecord.objects.filter(
        pk__gte=uuid7_floor(since), recorded_at__lte=until, state__in=_GONE, purpose__slug__in=purposes
    )
    gone = set(left.order_by().values_list("subject_id", flat=True)[:MOST_READ])
    canary = Canary(share=rollout.share, rollout=rollout.pk)
    found: dict[bool, dict[str, Any]] = {side: {"people": 0, "unwanted": 0, "left": 0} for side in (True, False)}
    for ref in said.keys() | gone:
        side = found[canary.serves((ref,))]
        side["people"] += 1
        side["unwanted"] += said.get(ref, False)
        side["left"] += ref in gone
    return found


def _active(purposes: list[str], since: datetime, until: datetime) -> list[tuple[UUID, bool]]:
    parameters: dict[str, Any] = {"purposes": purposes, "since": since, "until": until, "most": MOST_READ, "no": NO}
    with connection.cursor() as cursor:
        cursor.execute(_ACTIVE, parameters)
        rows: list[tuple[UUID, bool]] = cursor.fetchall()
    return rows


@dataclass(frozen=True)
class Comparison:
    """What the answers of a shadow have in common with those that were shown, on average."""

    compared: int
    dropped: int
    overlap: float | None
    agreement: float | None
    score: float | None


def comparison_of(rollout: ModelRollout, *, until: datetime) -> Comparison | None:
    """Return how the shadow's answers compare since the start; None without any."""
    counted = _answers(rollout, rollout.started_at, until)[CountedSide.SHADOW]
    if not counted.answers and not counted.dropped:
        return None
    return Comparison(
        counted.answers,
        counted.dropped,
        _mean(counted.overlap, lambda step: step / 10),
        _mean(counted.agreement, lambda step: (step - 10) / 10),
        _mean(counted.score, lambda step: step / 10),
    )


def _mean(counts: Sequence[int], value: Callable[[int], float]) -> float | None:
    total = sum(counts)
    return sum(value(step) * count for step, count in enumerate(counts)) / total if total else None


@dataclass(frozen=True)
class Moment:
    """An hour or less: the share of answers that were the general list on both sides; None where one had none."""

    began: datetime
    candidate: float | None
    live: float | None


_PIECES = 24


def over_time(rollout: ModelRollout, *, until: datetime) -> list[Moment]:
    """Return both sides' fallbacks from the start to the end, in periods."""
    piece = max(timedelta(minutes=1), (until - rollout.started_at) / _PIECES)
    pieces: dict[int, dict[bool, list[int]]] = {}
    for side, minute, answers, fallbacks in rollout.counts.values_list("side", "minute", "answers", "fallbacks"):
        number = max(0, int((minute - rollout.started_at) / piece))
        sides = pieces.setdefault(number, {True: [0, 0], False: [0, 0]})
        counts = sides[side != CountedSide.LIVE]
        counts[0] += answers
        counts[1] += fallbacks
    return [
        Moment(rollout.started_at + number * piece, _share(sides[True]), _share(sides[False]))
        for number, sides in sorted(pieces.items())
    ]


def _share(counts: list[int]) -> float | None:
    return counts[1] / counts[0] if counts[0] else None
