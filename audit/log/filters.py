"""Filters of the audit log, each served by an index, and pages that go on from an event instead of an offset.

Events are ordered by their identifiers (UUID version 7), so one index serves order, dates and pages; the exact bounds
of a date are those of ``occurred_at``.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.http import urlencode

from audit.models import AuditEvent
from common.admin_pages.filters import SPANS
from common.identifiers import uuid7_floor

PAGE = 100
# How far an event's own time may be from the time in its identifier: that of a long transaction, with room to spare.
_APART = timedelta(days=1)
_MAX_WORDS = 8
# Every distinct value by one step down the index for each, however many events there are.
_DISTINCT = """
WITH RECURSIVE found(value) AS (
  (SELECT {column} FROM audit_auditevent ORDER BY {column} LIMIT 1)
  UNION ALL
  SELECT (SELECT {column} FROM audit_auditevent WHERE {column} > found.value ORDER BY {column} LIMIT 1)
  FROM found WHERE found.value IS NOT NULL
)
SELECT value FROM found WHERE value IS NOT NULL"""
# As the partial index of migration 0005 has it: pseudonyms are found whole, by another index.
_WORDS = r"""object !~ '^[0-9a-f]{8}-[0-9a-f]{4}-' AND to_tsvector('simple', object) @@ to_tsquery('simple', %s)"""


class BadFilter(ValueError):
    """Refusal of a filter that cannot be read; the text says which and how to write it."""


@dataclass(frozen=True)
class Filter:
    """What an officer asked for; empty members do not narrow. ``before`` is the event a page goes on from."""

    actor: str = ""
    kind: str = ""
    since: str = ""
    start: str = ""
    end: str = ""
    object: str = ""
    q: str = ""
    before: str = ""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Filter":
        """Read the parameters of an address. Raises BadFilter for one that there is not."""
        values = {name: str(value).strip() for name, value in given.items()}
        unknown = sorted(values.keys() - asdict(cls()).keys())
        if unknown:
            raise BadFilter(f"There is no filter “{unknown[0]}”.")
        return cls(**values)

    def query(self, **changes: str) -> str:
        """Return the address part of this filter with changes."""
        return urlencode({name: value for name, value in asdict(replace(self, **changes)).items() if value})

    @property
    def named(self) -> dict[str, str]:
        """Return the filters that narrow, without the place in the pages: what an export states."""
        return {name: value for name, value in asdict(self).items() if value and name != "before"}


def events(chosen: Filter) -> QuerySet[AuditEvent]:
    """Return the events that fit, newest first. Raises BadFilter."""
    found = AuditEvent.objects.order_by("-code")
    if chosen.actor:
        found = found.filter(actor=chosen.actor)
    if chosen.kind:
        found = found.filter(action__in=[name for name in known_actions() if _is_of(name, chosen.kind)])
    if chosen.object:
        found = found.filter(object=chosen.object)
    if chosen.q:
        found = _about(found, chosen.q)
    if chosen.before:
        found = found.filter(code__lt=_event(chosen.before))
    return _between(found, *_moments(chosen))


def known_actions() -> list[str]:
    return _distinct("action")


def known_actors() -> list[str]:
    return _distinct("actor")


def _distinct(column: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_DISTINCT.format(column=column))
        return [value for (value,) in cursor.fetchall()]


def _is_of(action: str, kind: str) -> bool:
    return action == kind or action.partition(".")[0] == kind


def _about(found: QuerySet[AuditEvent], text: str) -> QuerySet[AuditEvent]:
    try:
        return found.filter(object=str(UUID(text)))
    except ValueError:
        pass
    words = re.findall(r"\w+", text.replace("_", " ").lower())[:_MAX_WORDS]
    if not words:
        raise BadFilter("Search for words or a pseudonym: newsletter, or 019c1a5e-7f0a-7cc3-98c4-dc0c0c07398f.")
    return found.extra(where=[_WORDS], params=[" & ".join(f"{word}:*" for word in words)])  # noqa: S610 (parameter)


def _event(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise BadFilter("A page goes on from the identifier of an event.") from None


def _moments(chosen: Filter) -> tuple[datetime | None, datetime | None]:
    if chosen.since:
        if chosen.since not in SPANS:
            raise BadFilter(f"“{chosen.since}” is no span: hour, day, week or month.")
        return timezone.now() - SPANS[chosen.since][1], None
    start, end = _day(chosen.start), _day(chosen.end)
    return start, end + timedelta(days=1) if end else None


def _day(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return timezone.make_aware(datetime.combine(date.fromisoformat(text), time.min))
    except (ValueError, OverflowError):
        raise BadFilter(f"“{text}” is no date: write 2026-11-24.") from None


def _between(found: QuerySet[AuditEvent], start: datetime | None, end: datetime | None) -> QuerySet[AuditEvent]:
    if start:
        found = found.filter(occurred_at__gte=start, code__gte=_floor(start - _APART))
    if end:
        found = found.filter(occurred_at__lt=end, code__lt=_floor(end + _APART))
    return found


def _floor(moment: datetime) -> UUID:
    """Return the smallest identifier of a moment; of one before 1970 the smallest of all."""
    return uuid7_floor(moment) if moment.timestamp() > 0 else UUID(int=0)
