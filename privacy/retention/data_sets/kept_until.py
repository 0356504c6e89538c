"""Until when each kind of a person's data is kept, and what says so: a schedule, a legal minimum, or a hold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from consent.models import DataSubject
from privacy.models import ContractEnd, HoldMember, RetentionSchedule
from privacy.retention import schedules
from privacy.retention.data_sets import terms
from privacy.retention.tables import Stored

Trigger, Action = RetentionSchedule.Trigger, RetentionSchedule.Action


@dataclass(frozen=True)
class Kept:
    """Entries of one data set, purpose and kind, and when the oldest and the newest go; None where nothing says.

    ``by`` is the schedule, or the legal minimum that outlasts it. ``is_held``: a hold or a restriction keeps them.
    """

    data_set: str
    stored: Stored
    is_held: bool = False
    first: datetime | None = None
    last: datetime | None = None
    by: RetentionSchedule | None = None


def of_person(person: DataSubject) -> list[Kept]:
    """Return what is stored about the person, and until when."""
    held = {(row.purpose, row.data_set) for row in HoldMember.objects.filter(ref=person.ref)}
    in_use = terms.in_use()
    known = [each for each in in_use if terms.is_about(each, person.region, in_use)]
    return [
        _kept(person, name, stored, held, known)
        for name, found in schedules.data_sets().items()
        for stored in found.table.stored(person.ref)
    ]


def _kept(
    person: DataSubject,
    name: str,
    stored: Stored,
    held: set[tuple[str, str]],
    known: Sequence[RetentionSchedule],
) -> Kept:
    if _is_held(person, name, stored.purpose, held):
        return Kept(name, stored, is_held=True)
    about = [each for each in known if each.data_set == name and _names(each, stored)]
    ends = [_ends(person, each, stored) for each in about if not each.is_legal_minimum]
    dated = [each for each in ends if each is not None]
    if not dated:
        return Kept(name, stored)
    first, last, by = min(dated, key=lambda each: each[1])
    for least in (each for each in about if each.is_legal_minimum and each.retain_for is not None):
        if least.retain_for is not None and stored.newest + least.retain_for > last:
            first, last, by = max(first, stored.oldest + least.retain_for), stored.newest + least.retain_for, least
    return Kept(name, stored, first=first, last=last, by=by)


def _is_held(person: DataSubject, name: str, purpose: str, held: Iterable[tuple[str, str]]) -> bool:
    """Return whether a hold or a restriction keeps the entries; those of no purpose are kept by any."""
    if person.held or person.restricted or (purpose in person.limits if purpose else person.limits):
        return True
    return any(of in ("", purpose) or not purpose for of, data_set in held if data_set in ("", name))


def _names(schedule: RetentionSchedule, stored: Stored) -> bool:
    if schedule.purpose is not None and schedule.purpose.slug != stored.purpose:
        return False
    return not schedule.is_legal_minimum or not schedule.kinds or stored.kind in schedule.kinds


def _ends(
    person: DataSubject, schedule: RetentionSchedule, stored: Stored
) -> tuple[datetime, datetime, RetentionSchedule] | None:
    """Return when the oldest and the newest entries go by a schedule; None where it names no day."""
    period, way = schedule.retain_for, schedules.way_of(schedule)
    if period is None or way is None or (not way.purpose and _is_in_force(person)):
        return None
    if schedule.trigger == Trigger.CONTRACT:
        ended = ContractEnd.objects.filter(subject_ref=person.ref).first()
        return (ended.ended_at + period, ended.ended_at + period, schedule) if ended else None
    first = stored.newest if schedule.trigger == Trigger.ACTIVITY else stored.oldest
    return first + period, stored.newest + period, schedule


def _is_in_force(person: DataSubject) -> bool:
    """Return whether a permission of the person is in force: a profile is kept as long."""
    return any(entry["s"] == "given" for entry in person.consents.values())


def latest(found: Iterable[Kept]) -> Kept:
    """Return what is kept longest among entries of one kind: held, without an end, or to the latest day."""
    return max(found, key=lambda each: (each.is_held, each.last is None, each.last or each.stored.newest))
