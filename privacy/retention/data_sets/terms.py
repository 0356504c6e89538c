"""Terms of a schedule as a plan freezes them: what is due, whose, and what legal minimums keep of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from consent.models import DataSubject
from consent.register.jurisdictions import load, match
from privacy.models import RetentionSchedule
from privacy.retention.data_sets.counted import end_of_day
from privacy.retention.data_sets.extents import Extent, Minimum

Trigger, Action = RetentionSchedule.Trigger, RetentionSchedule.Action


def before_of(schedule: RetentionSchedule, now: datetime) -> datetime:
    """Return the moment up to which data is due. Counts are of whole days; a window has no age."""
    if schedule.retain_for is None:
        return now
    before = now - schedule.retain_for
    return end_of_day(before) if schedule.action == Action.AGGREGATE else before


def of(schedule: RetentionSchedule, now: datetime) -> dict[str, Any]:
    """Return the terms of a schedule at a moment, as JSON."""
    regions, but_regions = regions_of(schedule)
    return {
        "at": now.isoformat(),
        "data_set": schedule.data_set,
        "trigger": schedule.trigger,
        "action": schedule.action,
        "keep_last": schedule.keep_last or 0,
        "jurisdiction": schedule.jurisdiction,
        "regions": regions,
        "but_regions": but_regions,
        "minimums": [_minimum(each, now) for each in minimums_of(schedule)],
    }


def _minimum(schedule: RetentionSchedule, now: datetime) -> dict[str, Any]:
    since = now - schedule.retain_for if schedule.retain_for else now
    purpose = schedule.purpose.slug if schedule.purpose else ""
    named = {"schedule": schedule.slug, "purpose": purpose, "kinds": schedule.kinds, "since": since.isoformat()}
    return {**named, "regions": regions_of(schedule)[0]}


def extent(schedule: RetentionSchedule, now: datetime) -> Extent:
    """Return what a schedule makes due at a moment."""
    purpose = schedule.purpose.slug if schedule.purpose else None
    return extent_of(of(schedule, now), before_of(schedule, now), purpose)


def extent_of(terms: dict[str, Any], before: datetime, purpose: str | None) -> Extent:
    """Return what frozen terms make due. Plans of earlier releases have none: they are of age alone."""
    if not terms:
        return Extent(before, purpose)
    return Extent(
        before,
        purpose,
        trigger=terms["trigger"],
        keep_last=terms["keep_last"],
        regions=None if terms["regions"] is None else tuple(terms["regions"]),
        but_regions=tuple(terms["but_regions"]),
        minimums=tuple(_read(each) for each in terms["minimums"]),
    )


def _read(each: dict[str, Any]) -> Minimum:
    regions = None if each["regions"] is None else tuple(each["regions"])
    return Minimum(each["purpose"], tuple(each["kinds"]), datetime.fromisoformat(each["since"]), regions)


def minimums_of(schedule: RetentionSchedule) -> QuerySet[RetentionSchedule]:
    """Return the legal minimums in use that may name rows of a schedule."""
    found = RetentionSchedule.objects.filter(is_active=True, action=Action.KEEP, data_set=schedule.data_set)
    if schedule.purpose is not None:
        found = found.filter(purpose=schedule.purpose)
    return found.select_related("purpose")


def regions_of(schedule: RetentionSchedule) -> tuple[list[str] | None, list[str]]:
    """Return the regions of people whom a schedule is about, None for all, and those that have one of their own."""
    more_special = _more_special(schedule, in_use())
    known = _regions() if schedule.jurisdiction or more_special else []
    own = [code for code in known if any(names(each.jurisdiction, code) for each in more_special)]
    if not schedule.jurisdiction:
        return None, own
    return [code for code in known if names(schedule.jurisdiction, code) and code not in own], []


def in_use() -> list[RetentionSchedule]:
    """Return every schedule in use, legal minimums among them."""
    return list(RetentionSchedule.objects.filter(is_active=True).select_related("purpose"))


def is_about(schedule: RetentionSchedule, region: str, among: Iterable[RetentionSchedule]) -> bool:
    """Return whether a schedule is about people of a region, which may be unknown; ``among``: those in use."""
    if any(names(each.jurisdiction, region) for each in _more_special(schedule, among)):
        return False
    return not schedule.jurisdiction or names(schedule.jurisdiction, region)


def _more_special(schedule: RetentionSchedule, among: Iterable[RetentionSchedule]) -> list[RetentionSchedule]:
    """Return the schedules for the same data whose jurisdiction is more special; a legal minimum has none."""
    if schedule.is_legal_minimum:
        return []
    return [
        each
        for each in among
        if not each.is_legal_minimum
        and (each.purpose_id, each.data_set, each.trigger) == (schedule.purpose_id, schedule.data_set, schedule.trigger)
        and _rank(each.jurisdiction) > _rank(schedule.jurisdiction)
    ]


def _regions() -> list[str]:
    found = DataSubject.objects.exclude(region="").order_by("region").values_list("region", flat=True)
    return list(found.distinct())


def names(jurisdiction: str, region: str) -> bool:
    """Return whether a law, a country or a part of one, as a schedule names it, is that of a region."""
    if jurisdiction in laws():
        return match(region).code == jurisdiction
    return region == jurisdiction or region.startswith(f"{jurisdiction}-")


def laws() -> set[str]:
    """Return the laws that a schedule can name."""
    return {pack.slug for pack in load()}


def _rank(jurisdiction: str) -> int:
    """Return how special a jurisdiction is: none, a law, a country, a part of a country."""
    if not jurisdiction:
        return 0
    return 1 if jurisdiction in laws() else 2 + jurisdiction.count("-")
