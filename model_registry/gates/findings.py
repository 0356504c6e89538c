"""What a gate finds, and the states that it may have."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from model_registry.documents.models import Document
from model_registry.gates.models import Evidence

PASSED, FAILED, PENDING, EXEMPT, NOT_YET = "passed", "failed", "pending", "not_applicable", "not_yet"
MET = (PASSED, EXEMPT, NOT_YET)


@dataclass(frozen=True)
class Finding:
    """What a gate found: its state and why, who made the evidence and when, until when a gate that is met holds.

    ``not_yet``: the gate asks for what only a version in use can show, and this one is not, or not for long.
    """

    state: str
    why: str
    owner: str = ""
    at: datetime | None = None
    until: datetime | None = None


def of(row: Document, state: str, why: str) -> Finding:
    """Return a finding about a document."""
    return Finding(state, why, row.made_by, row.made_at)


def by(row: Evidence, state: str, why: str) -> Finding:
    """Return a finding by evidence."""
    return Finding(state, why, row.made_by, row.made_at, row.valid_until)


def end_of(day: date) -> datetime:
    """Return the moment at which a day is over (UTC); of the last day there is, its last moment."""
    begin = datetime.combine(day, time(), UTC)
    return begin + timedelta(days=1) if day < date.max else datetime.max.replace(tzinfo=UTC)


def first(*moments: datetime | None) -> datetime | None:
    """Return the first of some moments; None is never."""
    return min((moment for moment in moments if moment is not None), default=None)
