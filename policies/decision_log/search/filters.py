"""Filters of the decision log, and pages that go on from a decision instead of an offset.

Decisions are ordered by their identifiers (UUID version 7), which also partition the log by day. Reasons, people,
callers and what could not be decided have indexes. What has none is looked for among the newest ``MOST_READ`` decisions
that the page could show; it then says how far it has looked, so no page gets slower with the log.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from common.admin_pages.log_filters import BadFilter, LogFilter
from common.identifiers import milliseconds_of, uuid7_floor
from consent.models import Purpose
from policies.decision_log import pseudonyms
from policies.models import Bundle, Decision

PAGE = 50
MOST_READ = 100_000
_CLOCKS_DIFFER = timedelta(minutes=5)  # of the machines that make rules and those that decide
_UNDECIDED = Decision.Outcome.UNKNOWN.value
# What the list shows; an entry is long, and read on the page of one decision.
_SHOWN = ("id", "decided_at", "caller", "action", "purpose", "outcome", "level", "reasons")


@dataclass(frozen=True)
class Filter(LogFilter):
    """What an officer asked for: ``purpose`` is what the question was about, ``revision`` the rules it was asked of."""

    outcome: str = ""
    reason: str = ""
    purpose: str = ""
    action: str = ""
    level: str = ""
    caller: str = ""
    revision: str = ""


@dataclass(frozen=True)
class Page:
    """Decisions of a page, newest first. ``goes_on``: where the next page does; ``searched``: as far as was looked."""

    decisions: list[Decision]
    goes_on: str
    searched: datetime | None


def page(chosen: Filter) -> Page:
    """Return one page of what fits. Raises BadFilter."""
    narrowed, rest = _indexed(chosen), _others(chosen)
    if (before := chosen.place()) is not None:
        narrowed = narrowed.filter(pk__lt=before)
    narrowed = narrowed.order_by("-pk")
    # Without conditions that no index serves, a page is read off an index and no further.
    floor = narrowed.values_list("pk", flat=True)[MOST_READ - 1 : MOST_READ].first() if rest else None
    found = narrowed.filter(rest, **({"pk__gte": floor} if floor else {})).only(*_SHOWN)
    rows = list(found[: PAGE + 1])
    if len(rows) > PAGE:
        return Page(rows[:PAGE], str(rows[PAGE - 1].pk), None)
    return Page(rows, str(floor), _moment(floor)) if floor else Page(rows, "", None)


def _moment(number: UUID) -> datetime:
    return datetime.fromtimestamp(milliseconds_of(str(number)) / 1000, tz=UTC)


def wanted(chosen: Filter) -> QuerySet[Decision]:
    """Return all decisions that fit, in no order and of no page. Raises BadFilter."""
    return _indexed(chosen).filter(_others(chosen))


def _indexed(chosen: Filter) -> QuerySet[Decision]:
    """Return decisions narrowed by the time and by one condition that an index serves, the one with fewest first."""
    found = _between(chosen)
    if chosen.revision:
        bundle = Bundle.objects.filter(pk=chosen.revision).only("created_at").first()
        # No rules decide before they were made, so older partitions are not read.
        found = found.filter(pk__gte=uuid7_floor(bundle.created_at - _CLOCKS_DIFFER)) if bundle else found.none()
    if (number := chosen_number(chosen.q)) is not None:
        return found.filter(Q(pk=number) | Q(subject_tag__in=pseudonyms.tags_of(number)))
    if chosen.outcome == _UNDECIDED:
        return found.filter(outcome=_UNDECIDED)
    if chosen.reason:
        return found.filter(reasons__contains=[chosen.reason])
    return found.filter(caller=chosen.caller) if chosen.caller else found


def _others(chosen: Filter) -> Q:
    """Return the conditions besides; an empty one where ``_indexed`` holds them all."""
    exact = {
        "purpose": chosen.purpose,
        "action": chosen.action,
        "level": chosen.level,
        "bundle_revision": chosen.revision,
        "outcome": chosen.outcome,
    }
    is_person = chosen_number(chosen.q) is not None
    is_undecided = chosen.outcome == _UNDECIDED
    if is_undecided and not is_person:
        exact["outcome"] = ""
    has_served = is_person or is_undecided
    if chosen.reason and has_served:
        exact["reasons__contains"] = [chosen.reason]  # type: ignore[assignment]
    if chosen.caller and (has_served or chosen.reason):
        exact["caller"] = chosen.caller
    found = Q(**{name: value for name, value in exact.items() if value})
    return found & Q(purpose__in=_purposes(chosen.q)) if chosen.q and not is_person else found


def _between(chosen: Filter) -> QuerySet[Decision]:
    start, end = chosen.moments()
    bounds: dict[str, Any] = {"pk__gte": start, "pk__lt": end}
    floors = {name: _floor(moment) for name, moment in bounds.items() if moment}
    return Decision.objects.filter(**floors)


def _floor(moment: Any) -> UUID:
    """Return the smallest identifier of a moment; of one before 1970 the smallest of all."""
    return uuid7_floor(moment) if moment.timestamp() > 0 else UUID(int=0)


def chosen_number(text: str) -> UUID | None:
    """Return the number of a decision or a person that is searched for; None for words."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _purposes(text: str) -> list[str]:
    """Return the purposes whose name or slug holds every word, and the text itself: a caller may have misspelt one."""
    words = re.findall(r"\w+", text.replace("_", " ").lower())
    if not words:
        raise BadFilter("Search for words of a purpose, the number of a decision, or a person's pseudonym.")
    known = Purpose.objects.values_list("slug", "name")
    found = [slug for slug, name in known if all(word in f"{slug} {name}".lower() for word in words)]
    return sorted({*found, text})
