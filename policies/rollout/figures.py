"""Figures of both sides of a rollout, counted from the decision log as far as it was drained.

The columns and the duration are read, never the facts. A statement reads the newest ``MOST_READ`` decisions of its
time at most, so that counting does not get slow with the log.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from common.identifiers import uuid7_floor
from common.rollouts.shares import FULL
from policies.bundles import candidates
from policies.decision_log.shadow import FAILURES
from policies.models import Activation, Decision, Rollout
from policies.rollout.guards import Figures, Guards, Side

MOST_READ = 50_000
_MOST_ACTIVATIONS = 100
# The duration stands before all that callers and rules write; reading it needs no parsing of the whole entry.
_SIDES = """
WITH newest AS (
  SELECT outcome, reasons && %(failures)s::varchar[] AS failed, shadow, bundle_revision = ANY(%(candidates)s) AS is_its,
    decided_at, caller, substring(entry FROM '"duration_us":([0-9]+)')::bigint AS took
  FROM policies_decision
  WHERE id >= %(since)s AND id < %(until)s AND bundle_revision = ANY(%(both)s) ORDER BY id DESC LIMIT %(most)s
), compared AS (
  SELECT *, count(*) OVER (PARTITION BY decided_at, caller) AS together FROM newest
)
SELECT is_its, count(*), count(*) FILTER (WHERE outcome <> 'permit'), count(*) FILTER (WHERE failed),
  count(*) FILTER (WHERE coalesce(shadow ->> 'outcome', outcome) <> 'permit'),
  count(*) FILTER (WHERE CASE WHEN shadow IS NULL THEN failed ELSE (shadow ->> 'failed')::bool END),
  percentile_disc(0.99) WITHIN GROUP (ORDER BY took)
FROM compared WHERE together = 1 OR NOT %(alone)s GROUP BY is_its
"""


@dataclass(frozen=True)
class _Counted:
    """Decisions by the candidate, those by the active policy, and the candidate's answers to the latter."""

    candidate: Side
    active: Side
    shadow: Side


def figures_of(rollout: Rollout, guards: Guards, *, now: datetime) -> Figures:
    """Count the window of the guards, no further back than the rollout itself. Two statements besides the steps."""
    window, stage_began = timedelta(minutes=guards.window_minutes), _stage_began(rollout)
    revisions = _revisions(rollout)
    is_shadow = rollout.share == 0
    # What was decided while the candidate was not evaluated says nothing about a shadow.
    earliest = stage_began if is_shadow else rollout.started_at
    # Batches are hardly ever the candidate's before everything is (``sides``): next to its other decisions, those of
    # batches would make two sides of people who are asked about in different ways.
    alone = 0 < rollout.share < FULL
    counted = _count(revisions, since=max(now - window, earliest), until=now, alone=alone)
    before = _count(revisions, since=stage_began - window, until=stage_began, alone=alone).active
    candidate = counted.shadow if is_shadow else counted.candidate
    return Figures(candidate=candidate, active=counted.active, before=before, is_shadow=is_shadow)


def _stage_began(rollout: Rollout) -> datetime:
    """Return when the present share was set: changes of the registers begin no new stage."""
    moved = rollout.steps.exclude(kind=candidates.Kind.REBUILT).order_by("-id").values_list("at", flat=True).first()
    return moved or rollout.started_at


@dataclass(frozen=True)
class _Revisions:
    """Revisions of the candidate and those in force: what another rollout's candidate decided is neither's."""

    candidate: list[str]
    active: list[str]


def _revisions(rollout: Rollout) -> _Revisions:
    in_force = Activation.objects.order_by("-id").values_list("bundle_id", flat=True)[:_MOST_ACTIVATIONS]
    return _Revisions(candidates.candidate_revisions(rollout), list(in_force))


def _count(revisions: _Revisions, *, since: datetime, until: datetime, alone: bool) -> _Counted:
    """Count decisions; with ``alone`` without those of batches, which share their moment and their caller."""
    parameters = _bounds(revisions, since=since, until=until)
    parameters |= {"failures": sorted(FAILURES), "alone": alone}
    with connection.cursor() as cursor:
        cursor.execute(_SIDES, parameters)
        rows = {row[0]: row[1:] for row in cursor.fetchall()}
    candidate, active = (Side(*_own(rows.get(is_its))) for is_its in (True, False))
    would_be = rows.get(False)
    shadow = Side(would_be[0], would_be[3], would_be[4]) if would_be else Side()
    return _Counted(candidate, active, shadow)


def _bounds(revisions: _Revisions, *, since: datetime, until: datetime) -> dict[str, Any]:
    return {
        "candidates": revisions.candidate,
        "both": [*revisions.candidate, *revisions.active],
        "since": uuid7_floor(since),
        # Identifiers hold whole milliseconds.
        "until": uuid7_floor(until + timedelta(milliseconds=1)),
        "most": MOST_READ,
    }


def _own(row: tuple[Any, ...] | None) -> tuple[Any, ...]:
    return (row[0], row[1], row[2], row[5]) if row else ()


@dataclass(frozen=True)
class Moment:
    """A period: the shares of denials on both sides; None where a side decided nothing."""

    began: datetime
    candidate: float | None
    active: float | None


_OVER_TIME = """
WITH newest AS (
  SELECT decided_at, outcome, shadow, bundle_revision = ANY(%(candidates)s) AS is_its
  FROM policies_decision
  WHERE id >= %(since)s AND id < %(until)s AND bundle_revision = ANY(%(both)s) ORDER BY id DESC LIMIT %(most)s
)
SELECT date_bin(%(piece)s, decided_at, %(start)s) AS began, is_its, count(*),
  count(*) FILTER (WHERE outcome <> 'permit'),
  count(*) FILTER (WHERE coalesce(shadow ->> 'outcome', outcome) <> 'permit')
FROM newest GROUP BY 1, 2 ORDER BY 1
"""
_PIECES = 24
LONGEST = timedelta(days=2)


def over_time(rollout: Rollout) -> list[Moment]:
    """Return both sides' denials from the start of the rollout (at most ``LONGEST`` before its end), in periods."""
    until = rollout.ended_at or timezone.now()
    start = max(rollout.started_at, until - LONGEST)
    piece = max(timedelta(minutes=1), (until - start) / _PIECES)
    parameters = _bounds(_revisions(rollout), since=start, until=until)
    parameters |= {"piece": piece, "start": start}
    with connection.cursor() as cursor:
        cursor.execute(_OVER_TIME, parameters)
        rows = cursor.fetchall()
    shares = list(rollout.steps.exclude(kind=candidates.Kind.ENDED).values_list("at", "share"))
    moments: dict[datetime, dict[bool, tuple[int, int, int]]] = {}
    for began, is_its, *counts in rows:
        moments.setdefault(began, {})[is_its] = tuple(counts)
    return [_moment(began, sides, _is_shadow_at(shares, began + piece)) for began, sides in moments.items()]


def _is_shadow_at(shares: list[tuple[datetime, int]], moment: datetime) -> bool:
    return next((share for at, share in reversed(shares) if at <= moment), 0) == 0


def _moment(began: datetime, sides: dict[bool, tuple[int, int, int]], is_shadow: bool) -> Moment:
    own, active = sides.get(True), sides.get(False)
    candidate = own[1] / own[0] if own else active[2] / active[0] if active and is_shadow else None
    return Moment(began, candidate, active[1] / active[0] if active else None)


_KINDS = """
WITH newest AS (
  SELECT shadow FROM policies_decision
  WHERE id >= %s AND id < %s AND shadow IS NOT NULL ORDER BY id DESC LIMIT %s
)
SELECT kind, count(*) FROM newest, jsonb_array_elements_text(shadow -> 'kinds') AS kind GROUP BY kind
"""


def differences_by_kind(*, since: datetime, until: datetime) -> dict[str, int]:
    """Count the candidate's differing answers by kind; a decision can differ in several ways."""
    bounds = uuid7_floor(since), uuid7_floor(until + timedelta(milliseconds=1))
    with connection.cursor() as cursor:
        cursor.execute(_KINDS, [*bounds, MOST_READ])
        return dict(cursor.fetchall())


_LATELY = """
WITH newest AS (
  SELECT outcome, bundle_revision = ANY(%(candidates)s) AS is_its
  FROM policies_decision
  WHERE id >= %(since)s AND id < %(until)s AND bundle_revision = ANY(%(both)s) ORDER BY id DESC LIMIT %(most)s
)
SELECT CASE WHEN is_its THEN 'candidate' ELSE 'active' END, outcome, count(*) FROM newest GROUP BY 1, 2
"""


def lately(rollout: Rollout, *, since: datetime, until: datetime) -> dict[tuple[str, str], int]:
    """Count decisions by side and outcome."""
    with connection.cursor() as cursor:
        cursor.execute(_LATELY, _bounds(_revisions(rollout), since=since, until=until))
        return {(side, outcome): count for side, outcome, count in cursor.fetchall()}


def differing(*, since: datetime, until: datetime) -> QuerySet[Decision]:
    """Return the decisions a candidate would have answered differently, newest first; through an index of their own."""
    bounds = uuid7_floor(since), uuid7_floor(until + timedelta(milliseconds=1))
    return Decision.objects.filter(pk__gte=bounds[0], pk__lt=bounds[1], shadow__isnull=False).order_by("-pk")
