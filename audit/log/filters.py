"""Filters of the audit log, each served by an index, and pages that go on from an event instead of an offset.

Events are ordered by their identifiers (UUID version 7), so one index serves order, dates and pages; the exact bounds
of a date are those of ``occurred_at``.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from audit.models import AuditEvent
from common.admin_pages.log_filters import BadFilter, LogFilter
from common.identifiers import uuid7_floor

PAGE = 100
ANY_OFFICER = "officer:"
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


@dataclass(frozen=True)
class Filter(LogFilter):
    """What an officer asked for. ``actor`` is one, or ``ANY_OFFICER``."""

    actor: str = ""
    kind: str = ""
    object: str = ""


def events(chosen: Filter) -> QuerySet[AuditEvent]:
    """Return the events of a page that fit, newest first. Raises BadFilter."""
    found, before = wanted(chosen).order_by("-code"), chosen.place()
    return found.filter(code__lt=before) if before is not None else found


def wanted(chosen: Filter) -> QuerySet[AuditEvent]:
    """Return the events that fit, in no order and of no page. Raises BadFilter."""
    found = AuditEvent.objects.all()
    if chosen.actor == ANY_OFFICER:
        found = found.filter(actor__in=[name for name in known_actors() if name.startswith(ANY_OFFICER)])
    elif chosen.actor:
        found = found.filter(actor=chosen.actor)
    if chosen.kind:
        found = found.filter(action__in=[name for name in known_actions() if _is_of(name, chosen.kind)])
    if chosen.object:
        found = found.filter(object=chosen.object)
    if chosen.q:
        found = _about(found, chosen.q)
    return _between(found, *chosen.moments())


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


def _between(found: QuerySet[AuditEvent], start: datetime | None, end: datetime | None) -> QuerySet[AuditEvent]:
    if start:
        found = found.filter(occurred_at__gte=start, code__gte=_floor(start - _APART))
    if end:
        found = found.filter(occurred_at__lt=end, code__lt=_floor(end + _APART))
    return found


def _floor(moment: datetime) -> UUID:
    """Return the smallest identifier of a moment; of one before 1970 the smallest of all."""
    return uuid7_floor(moment) if moment.timestamp() > 0 else UUID(int=0)
