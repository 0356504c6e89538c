"""Figures of the decision log: opt-out signals by jurisdiction, recent outcomes, and durations.

A statement that reads entries reads the newest ``MOST_READ`` decisions of its period at most, so that no figure gets
slow with the log. The outcomes of a day are counted whole, off an index that holds them.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from common.identifiers import uuid7_floor
from common.suppression import smallest_group, withhold
from policies.bundles import reasons

MOST_READ = 50_000
SIGNAL_PERIOD = timedelta(days=7)
NO_REASON, OTHER_REASON = "none", "other"


@dataclass(frozen=True)
class SignalShare:
    """Share of a jurisdiction's decisions with an opt-out signal; None where too few people asked."""

    jurisdiction: str
    decisions: int | None
    signalled: int | None

    @property
    def rate(self) -> float | None:
        return self.signalled / self.decisions if self.decisions and self.signalled is not None else None


# Pseudonyms in the log change with the month, so people are counted within one: never more than there are.
_SIGNALS = """
WITH newest AS (
  SELECT id, subject_tag, decided_at, entry FROM policies_decision WHERE id >= %s ORDER BY id DESC LIMIT %s
), read AS MATERIALIZED (
  SELECT subject_tag, date_trunc('month', decided_at) AS month, entry::jsonb -> 'facts' AS facts FROM newest
), monthly AS (
  SELECT coalesce(facts -> 'subject' ->> 'jurisdiction', 'unknown') AS law, month,
    count(DISTINCT subject_tag) AS people, count(*) AS decisions,
    count(*) FILTER (
      WHERE facts -> 'signals' ->> 'gpc' = 'true' OR facts -> 'signals' ->> 'gpp_opt_out' = 'true') AS signalled
  FROM read GROUP BY 1, 2
)
SELECT law, max(people), sum(decisions)::bigint, sum(signalled)::bigint FROM monthly GROUP BY law ORDER BY law
"""


def signal_shares(*, now: datetime, smallest: int | None = None) -> tuple[list[SignalShare], SignalShare | None]:
    """Return the share by jurisdiction over the last ``SIGNAL_PERIOD``, and in all (None where that is withheld)."""
    with connection.cursor() as cursor:
        cursor.execute(_SIGNALS, [uuid7_floor(now - SIGNAL_PERIOD), MOST_READ])
        rows = cursor.fetchall()
    people_of = {law: people for law, people, _, _ in rows}
    # A person may ask from two jurisdictions.
    withheld = withhold(people_of, smallest=smallest or smallest_group(), overlapping=True)
    shares = [
        SignalShare(law, None, None) if law in withheld.groups else SignalShare(law, decisions, signalled)
        for law, _, decisions, signalled in rows
    ]
    if withheld.total or not rows:
        return shares, None
    return shares, SignalShare("", sum(row[2] for row in rows), sum(row[3] for row in rows))


@dataclass(frozen=True)
class Counted:
    """Decisions from a moment to the next one that were answered alike, by their most decisive reason."""

    since: datetime
    outcome: str
    reason: str
    decisions: int


# Each hour is a range of the index, in the partitions of its own day.
_COUNTED = """
SELECT hour.number, found.outcome, found.reason, found.decisions
FROM unnest(%(starts)s::uuid[], %(ends)s::uuid[]) WITH ORDINALITY AS hour(first, following, number)
CROSS JOIN LATERAL (
  SELECT outcome, coalesce(reasons[1], '') AS reason, count(*) AS decisions FROM policies_decision
  WHERE id >= hour.first AND id < hour.following GROUP BY 1, 2
) found
"""
_LAST = uuid.UUID(int=2**128 - 1)


def counted(moments: Sequence[datetime]) -> list[Counted]:
    """Count decisions by outcome and most decisive reason, from each moment to the next, and from the last to now."""
    starts = [uuid7_floor(moment) for moment in moments]
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, {"starts": starts, "ends": [*starts[1:], _LAST]})
        return [Counted(moments[number - 1], *rest) for number, *rest in cursor.fetchall()]


@dataclass(frozen=True)
class Lately:
    """Decisions of some minutes by outcome and most decisive reason, and quantiles of their duration."""

    counts: dict[tuple[str, str], int]
    seconds: dict[float, float]


QUANTILES = (0.5, 0.95, 0.99)
# The duration stands before all that callers and rules write; reading it needs no parsing of the whole entry.
_LATELY = """
WITH newest AS (
  SELECT outcome, coalesce(reasons[1], '') AS reason, substring(entry FROM '"duration_us":([0-9]+)')::bigint AS took
  FROM (SELECT id, outcome, reasons, entry FROM policies_decision WHERE id >= %s ORDER BY id DESC LIMIT %s) AS log
)
SELECT outcome, reason, count(*), grouping(outcome),
  percentile_disc(%s::float8[]) WITHIN GROUP (ORDER BY took)
FROM newest GROUP BY GROUPING SETS ((outcome, reason), ())
"""


def lately(*, since: datetime) -> Lately:
    with connection.cursor() as cursor:
        cursor.execute(_LATELY, [uuid7_floor(since), MOST_READ, list(QUANTILES)])
        rows = cursor.fetchall()
    counts: dict[tuple[str, str], int] = {}
    seconds: dict[float, float] = {}
    for outcome, reason, count, is_total, took in rows:
        if is_total:
            seconds = {q: us / 1_000_000 for q, us in zip(QUANTILES, took or (), strict=False) if us is not None}
        else:
            key = (outcome, _known(reason))
            counts[key] = counts.get(key, 0) + count
    return Lately(counts, seconds)


def _known(reason: str) -> str:
    """Return a reason of our vocabulary: rules of the business's own may bring any number of others."""
    if not reason:
        return NO_REASON
    return reason if reason in reasons.CODES else OTHER_REASON
