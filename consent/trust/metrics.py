"""Trust metrics: how people use their choices. Reads only; one statement a figure.

The unit is an *answer*: the last choice of one person about one purpose within the period, for purposes that rest on
consent. So answers fall into disjoint groups by purpose, region or notice version. Everything returned here is fit to
be shown: groups of fewer than ``smallest_group()`` people are withheld, and enough others that they cannot be found by
subtracting (see ``common.suppression``). A withheld number is None. ``smallest`` is that size where it was read.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import connection

from common.identifiers import uuid7_floor
from common.suppression import smallest_group, withhold
from consent.counts import What

_DAYS_OF_WEEK = 7


class Grouping(StrEnum):
    PURPOSE = "purpose"
    REGION = "region"
    NOTICE = "notice"


@dataclass(frozen=True)
class Answers:
    """Answers of one group of at least ``smallest`` people, by current state."""

    people: int
    given: int
    refused: int
    withdrawn: int
    smallest: int

    @property
    def total(self) -> int:
        return self.given + self.refused + self.withdrawn

    @property
    def consent_rate(self) -> float:
        return self.given / self.total

    @property
    def opt_out_rate(self) -> float:
        return self.refused / self.total

    @property
    def withdrawal_rate(self) -> float | None:
        """Return the share of consents that were withdrawn; None where fewer than ``smallest`` had consented."""
        yes = self.given + self.withdrawn
        return self.withdrawn / yes if yes >= self.smallest else None


@dataclass(frozen=True)
class Group:
    key: tuple[str, int]  # purpose or region, and the notice version or 0
    label: str
    answers: Answers | None


@dataclass(frozen=True)
class Breakdown:
    """Answers by group. ``total`` is None where there is none, or it is withheld (``is_empty`` says which)."""

    total: Answers | None
    groups: tuple[Group, ...]

    @property
    def is_empty(self) -> bool:
        return not self.groups


@dataclass(frozen=True)
class Waiting:
    """Time from consent to withdrawal."""

    median: timedelta
    p90: timedelta


@dataclass(frozen=True)
class Week:
    monday: date
    answers: Answers | None


# The identifier holds the time, so its primary key finds the period; the moment itself draws the exact line.
# Choices for a part of a purpose are left out: they refine an answer and are none of their own.
_ANSWERS_OF_PERIOD = """
FROM consent_consentrecord r JOIN consent_purpose p ON p.slug = r.purpose AND p.legal_basis = 'consent'
WHERE r.id >= %s AND r.recorded_at >= %s AND r.scope = ''
"""
_STANDING = """
count(DISTINCT a.subject_id) AS people,
count(*) FILTER (WHERE a.state = 'given'), count(*) FILTER (WHERE a.state IN ('refused', 'objected')),
count(*) FILTER (WHERE a.state = 'withdrawn')
"""
_LAST = f"""
SELECT DISTINCT ON (r.subject_id, r.purpose) r.subject_id, r.purpose, p.name, p."order", r.state, r.notice_version
{_ANSWERS_OF_PERIOD} ORDER BY r.subject_id, r.purpose, r.subject_revision DESC
"""
_KEYS = {
    Grouping.PURPOSE: ("a.purpose", "a.name", '"order"', "0::int"),
    Grouping.NOTICE: ("a.purpose", "a.name", '"order"', "a.notice_version"),
    Grouping.REGION: ("s.region", "s.region", "0::int", "0::int"),
}


def breakdown(grouping: Grouping, *, since: datetime, smallest: int | None = None) -> Breakdown:
    """Return the answers since ``since`` by group, and in total."""
    key, label, order, version = _KEYS[grouping]
    people = "JOIN consent_datasubject s ON s.ref = a.subject_id" if grouping is Grouping.REGION else ""
    rows = _rows(
        f"""
        WITH a AS ({_LAST})
        SELECT {key}, {version}, min({label}), grouping({key}), {_STANDING}, min({order}) AS place FROM a {people}
        GROUP BY GROUPING SETS (({key}, {version}), ()) ORDER BY place, 1, 2 DESC
        """,  # noqa: S608 (constants of ours; values are parameters)
        [uuid7_floor(since), since],
    )
    k = smallest or smallest_group()
    totals = [_answers(row[4:8], k) for row in rows if row[3]]
    groups = [
        Group((row[0], row[1]), _label(grouping, row[2], row[1]), _answers(row[4:8], k)) for row in rows if not row[3]
    ]
    return _thresholded(grouping, totals, groups, k)


def _answers(counts: Sequence[int], smallest: int) -> Answers:
    people, given, refused, withdrawn = counts
    return Answers(people, given, refused, withdrawn, smallest)


def _label(grouping: Grouping, name: str, version: int) -> str:
    if grouping is Grouping.NOTICE:
        return f"v{version} · {name}" if version else f"no notice · {name}"
    return name or "Region not known"


def _thresholded(grouping: Grouping, totals: list[Answers], groups: list[Group], k: int) -> Breakdown:
    sizes = {group.key: _people(group) for group in groups}
    if grouping is Grouping.NOTICE:
        hidden, total_hidden = _withheld_versions(sizes, k)
    else:
        withheld = withhold(sizes, smallest=k, overlapping=grouping is Grouping.PURPOSE)
        hidden, total_hidden = set(withheld.groups), withheld.total
    if grouping is Grouping.REGION:
        # Largest first; the withheld come last in the alphabet's order, which reveals nothing of their sizes.
        groups = sorted(groups, key=lambda group: 0 if group.key in hidden else -_people(group))
    shown = [Group(g.key, g.label, None if g.key in hidden else g.answers) for g in groups]
    total = totals[0] if groups and totals and not total_hidden else None
    return Breakdown(total, tuple(shown))


def _withheld_versions(sizes: dict[tuple[str, int], int], k: int) -> tuple[set[tuple[str, int]], bool]:
    """Return the versions to withhold: they add up to their purpose, whose number is shown as well."""
    versions: dict[str, dict[tuple[str, int], int]] = defaultdict(dict)
    for key, people in sizes.items():
        versions[key[0]][key] = people
    of_purposes = {slug: sum(of_slug.values()) for slug, of_slug in versions.items()}
    purposes = withhold(of_purposes, smallest=k, overlapping=True)
    hidden: set[tuple[str, int]] = set()
    for slug, of_slug in versions.items():
        hidden |= set(of_slug) if slug in purposes.groups else withhold(of_slug, smallest=k).groups
    return hidden, purposes.total


def _people(group: Group) -> int:
    return group.answers.people if group.answers else 0


def time_to_withdraw(
    grouping: Grouping, *, since: datetime, smallest: int | None = None
) -> dict[tuple[str, int] | None, Waiting]:
    """Return how long withdrawn consents had lasted, by group and (under None) in all; small groups are absent."""
    key, _label_column, _order, version = _KEYS[grouping]
    people = "JOIN consent_datasubject s ON s.ref = a.subject_id" if grouping is Grouping.REGION else ""
    rows = _rows(
        f"""
        WITH a AS (
          SELECT r.subject_id, r.purpose, r.notice_version, r.recorded_at - given.recorded_at AS lasted
          FROM consent_consentrecord r JOIN consent_consentrecord given ON given.id = r.supersedes_id
          JOIN consent_purpose p ON p.slug = r.purpose AND p.legal_basis = 'consent'
          WHERE r.id >= %s AND r.recorded_at >= %s AND r.scope = '' AND r.state = 'withdrawn' AND given.state = 'given'
        )
        SELECT {key}, {version}, grouping({key}), count(DISTINCT a.subject_id),
          extract(epoch FROM percentile_cont(0.5) WITHIN GROUP (ORDER BY lasted)),
          extract(epoch FROM percentile_cont(0.9) WITHIN GROUP (ORDER BY lasted))
        FROM a {people} GROUP BY GROUPING SETS (({key}, {version}), ())
        """,  # noqa: S608 (constants of ours; values are parameters)
        [uuid7_floor(since), since],
    )
    k = smallest or smallest_group()
    return {
        None if is_total else (name, number): Waiting(timedelta(seconds=float(median)), timedelta(seconds=float(p90)))
        for name, number, is_total, people_count, median, p90 in rows
        if people_count >= k
    }


def weeks(*, since: datetime, until: datetime, smallest: int | None = None) -> tuple[Week, ...]:
    """Return how people answered in each whole week; every week stands for itself."""
    rows = _rows(
        f"""
        WITH a AS (
          SELECT DISTINCT ON (week, r.subject_id, r.purpose)
            date_trunc('week', r.recorded_at AT TIME ZONE 'UTC')::date AS week, r.subject_id, r.state
          {_ANSWERS_OF_PERIOD} ORDER BY week, r.subject_id, r.purpose, r.subject_revision DESC
        )
        SELECT week, {_STANDING} FROM a GROUP BY week
        """,  # noqa: S608 (constants of ours; values are parameters)
        [uuid7_floor(since), since],
    )
    k = smallest or smallest_group()
    found = {week: _answers(counts, k) for week, *counts in rows}
    people = {week: answers.people for week, answers in found.items()}
    withheld = withhold(people, smallest=k, overlapping=True).groups
    return tuple(
        Week(monday, None if monday in withheld else found.get(monday)) for monday in mondays(since=since, until=until)
    )


def mondays(*, since: datetime, until: datetime) -> list[date]:
    """Return the Mondays within the period, oldest first: a first week that began before it is left out of trends."""
    first = since.date() + timedelta(days=-since.weekday() % _DAYS_OF_WEEK)
    return [first + timedelta(weeks=number) for number in range((until.date() - first).days // 7 + 1)]


@dataclass(frozen=True)
class Uses:
    """Number of uses in the period. These are times, not people; few of them are withheld too."""

    total: int | None
    by_week: dict[date, int | None]


def uses(*, since: datetime, until: datetime, smallest: int | None = None) -> dict[What, Uses]:
    """Return dashboards opened, links issued and receipts downloaded since ``since``, in all and by week."""
    rows = _rows(
        """
        SELECT what, date_trunc('week', day)::date, sum(count)::bigint FROM consent_dailycount
        WHERE day >= %s GROUP BY 1, 2
        """,
        [since.date()],
    )
    counts: dict[str, dict[date, int]] = defaultdict(dict)
    for what, week, times in rows:
        counts[what][week] = times
    k = smallest or smallest_group()
    return {what: _uses(counts[what], mondays(since=since, until=until), k) for what in What}


def _uses(counts: dict[date, int], shown: Iterable[date], k: int) -> Uses:
    withheld = withhold(counts, smallest=k, overlapping=True)
    total = sum(counts.values())
    return Uses(
        None if withheld.total else total,
        {monday: None if monday in withheld.groups else counts.get(monday, 0) for monday in shown},
    )


def people_by_state(*, now: datetime) -> dict[tuple[str, str], int]:
    """Return how many people's choice stands how, by (purpose, state); smaller groups than the smallest are absent.

    Reads the projection of everybody. No total is shown with it, so there is nothing to subtract from.
    """
    rows = _rows(
        """
        SELECT c.key, CASE WHEN c.value ->> 's' = 'given' AND (c.value ->> 'x')::bigint <= %s THEN 'expired'
          ELSE c.value ->> 's' END AS state, count(*)
        FROM consent_datasubject s, jsonb_each(s.consents) c JOIN consent_purpose p ON p.slug = c.key
        GROUP BY 1, 2 HAVING count(*) >= %s ORDER BY 1, 2
        """,
        [int(now.timestamp()), smallest_group()],
    )
    return {(purpose, state): people for purpose, state, people in rows}


def _rows(statement: str, values: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
