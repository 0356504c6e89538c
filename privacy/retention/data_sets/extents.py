"""What a run may touch, as a condition: whose rows, how old, and what holds and legal minimums keep of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from privacy.models import RetentionSchedule

Trigger = RetentionSchedule.Trigger
# People whose data of a purpose a hold or a restriction keeps: by the register, and by the person's row, which
# statements by hand write. One list that is hashed once a statement: a probe a row costs four times that.
_KEPT = """
SELECT ref FROM privacy_holdmember WHERE purpose IN ('', %(purpose)s) AND data_set IN ('', %(data_set)s)
UNION ALL SELECT ref FROM consent_datasubject
WHERE (held OR restricted OR limits <> '{}'::jsonb) AND (held OR restricted OR limits ? %(purpose)s)
"""
# The same for rows of many purposes, and for rows of none, which any hold keeps.
_KEPT_PAIRS = """
SELECT m.ref, p.slug FROM privacy_holdmember m JOIN consent_purpose p ON m.purpose IN ('', p.slug)
WHERE m.data_set IN ('', %(data_set)s)
UNION ALL SELECT s.ref, p.slug FROM consent_datasubject s JOIN consent_purpose p
ON s.held OR s.restricted OR s.limits ? p.slug WHERE s.held OR s.restricted OR s.limits <> '{}'::jsonb
"""
_KEPT_ANY = """
SELECT ref FROM privacy_holdmember WHERE data_set IN ('', %(data_set)s)
UNION ALL SELECT ref FROM consent_datasubject WHERE held OR restricted OR limits <> '{}'::jsonb
"""
_OF_REGIONS = "SELECT ref FROM consent_datasubject WHERE region = ANY({})"


@dataclass(frozen=True)
class Minimum:
    """A legal minimum: rows of a purpose and these kinds, received after a moment, stay. Regions: None is all."""

    purpose: str
    kinds: tuple[str, ...]
    since: datetime
    regions: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Extent:
    """What a run may delete: rows of a purpose, of one person or of all, due at a moment by a trigger.

    Without a purpose, those of every one. ``regions`` are of people whom a schedule is about, ``but_regions`` of those
    who have one of their own. ``keep_last``: how many entries a window leaves to a person.
    """

    before: datetime
    purpose: str | None
    subject_ref: UUID | None = None
    trigger: str = Trigger.RECEIVED
    keep_last: int = 0
    regions: tuple[str, ...] | None = None
    but_regions: tuple[str, ...] = ()
    minimums: tuple[Minimum, ...] = ()


@dataclass(frozen=True)
class Columns:
    """Names of a data set's columns; ``purpose`` and ``kind`` are empty where there is none. Code, never input."""

    name: str
    table: str
    purpose: str
    person: str
    age: str
    kind: str
    only: str  # a condition that every row of the data set meets
    ended: str  # the condition of a row whose person withdrew, where the trigger is a withdrawal


def scope(of: Columns, extent: Extent) -> str:
    """Return the condition for every row that a schedule is about, however old."""
    found = [of.only] if of.only else []
    if extent.purpose is not None and of.purpose:
        found.append(f"{of.purpose} = %(purpose)s")
    if extent.subject_ref is not None:
        found.append(f"{of.person} = %(person)s")
    if extent.regions is not None:
        found.append(f"{of.person} IN ({_OF_REGIONS.format('%(regions)s')})")
    if extent.but_regions:
        found.append(f"{of.person} NOT IN ({_OF_REGIONS.format('%(but_regions)s')})")
    return " AND ".join(found) or "true"


def over(of: Columns, extent: Extent) -> str:
    """Return the condition for rows whose time is over by the trigger, legal minimums apart."""
    old = f"{of.age} <= %(before)s"
    if extent.trigger == Trigger.ACTIVITY and of.purpose:
        same = f"{of.purpose} = %(purpose)s AND " if extent.purpose is not None else ""
        return f"{old} AND {of.person} NOT IN (SELECT {of.person} FROM {of.table} WHERE {same}{of.age} > %(before)s)"  # noqa: S608
    if extent.trigger == Trigger.CONTRACT:
        return f"{of.person} IN (SELECT subject_ref FROM privacy_contractend WHERE ended_at <= %(before)s)"  # noqa: S608
    return f"{old} AND {of.ended}" if extent.trigger == Trigger.WITHDRAWAL else old


def free(of: Columns, extent: Extent) -> str:
    """Return the condition for rows that no legal minimum keeps."""
    return " AND ".join(_free(of, extent)) or "true"


def _free(of: Columns, extent: Extent) -> Iterator[str]:
    for number, minimum in enumerate(extent.minimums):
        named = [f"{of.age} > %(since_{number})s", f"{of.purpose} = %(purpose_{number})s"]
        if minimum.kinds:
            named.append(f"{of.kind} = ANY(%(kinds_{number})s)")
        if minimum.regions is not None:
            named.append(f"{of.person} IN ({_OF_REGIONS.format(f'%(regions_{number})s')})")
        yield f"NOT ({' AND '.join(named)})"


def kept(of: Columns, extent: Extent) -> str:
    """Return the condition for rows that a hold or a restriction keeps."""
    if not of.purpose:
        return f"{of.person} IN ({_KEPT_ANY})"
    if extent.purpose is None:
        return f"({of.person}, {of.purpose}) IN ({_KEPT_PAIRS})"
    return f"{of.person} IN ({_KEPT})"


def values(of: Columns, extent: Extent) -> dict[str, Any]:
    """Return the values of the conditions."""
    found: dict[str, Any] = {"purpose": extent.purpose, "before": extent.before, "data_set": of.name}
    if extent.subject_ref is not None:
        found["person"] = extent.subject_ref
    if extent.regions is not None:
        found["regions"] = list(extent.regions)
    if extent.but_regions:
        found["but_regions"] = list(extent.but_regions)
    for number, minimum in enumerate(extent.minimums):
        found[f"since_{number}"], found[f"purpose_{number}"] = minimum.since, minimum.purpose
        found[f"kinds_{number}"] = list(minimum.kinds)
        found[f"regions_{number}"] = list(minimum.regions or ())
    return found
