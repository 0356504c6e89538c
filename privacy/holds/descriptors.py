"""Registers of legal holds and restrictions, and whom a change of one would keep.

Placing or widening one only takes permission away: one officer may do so at once, and another confirms it. Releasing
or narrowing one lets data be used and deleted again, so it needs two, in an emergency too.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from audit.sealed_rows import SealedRows
from consent.models import AgeBand, Purpose
from oversight.changes.documents import Compared
from oversight.changes.figures import Measured
from oversight.problems import ChangeRefused
from oversight.registers import Document, Register
from privacy.holds import members
from privacy.models import Hold, HoldMember, Restriction
from privacy.retention import schedules

_SHARED = ("slug", "reason", "people", "purposes", "starts_at", "ends_at", "is_released")
HOLDS = SealedRows("hold", Hold, (*_SHARED, "matter", "regions", "age_bands", "chose_about", "data_sets"))
RESTRICTIONS = SealedRows("restriction", Restriction, (*_SHARED, "ground", "informed_on"))
MOST_NAMED = 5_000
_WIDER_WHEN_EMPTY = ("purposes", "data_sets")


def keeps_more(before: Document | None, after: Document | None) -> bool:
    """Return whether a hold is placed, names more people, more purposes or more data, or lasts longer."""
    if after is None or after["is_released"]:
        return False
    if before is None:
        return True
    return all(_member_keeps_more(name, before.get(name), after.get(name)) for name in before.keys() | after.keys())


def _member_keeps_more(name: str, old: Any, new: Any) -> bool:
    if old == new:
        return True
    if name == "people":
        return set(new) >= set(old)
    if name in _WIDER_WHEN_EMPTY:
        return not new or (bool(old) and set(new) >= set(old))
    return name == "ends_at" and (new is None or (old is not None and new >= old))


def save(limit: Any, _created: bool) -> None:
    """Write a hold or restriction, and whom it keeps from this transaction's commit on. Raises ChangeRefused."""
    _refuse_unknown(limit)
    before = type(limit).objects.filter(pk=limit.pk).first() if limit.pk else None
    limit.save()
    members.write(limit, keeps=_found_before(before, limit))


def _found_before(before: Hold | Restriction | None, limit: Hold | Restriction) -> list[UUID]:
    """Return the people whom the same query found earlier: they stay, also where it would not find them today."""
    if not isinstance(before, Hold) or not isinstance(limit, Hold) or not before.query or before.query != limit.query:
        return []
    removed = {UUID(ref) for ref in before.people} - {UUID(ref) for ref in limit.people}
    return list(members.of(limit).exclude(ref__in=removed).values_list("ref", flat=True).distinct())


def _refuse_unknown(limit: Hold | Restriction) -> None:
    if len(limit.people) > MOST_NAMED:
        raise ChangeRefused(f"At most {MOST_NAMED:,} people are named. Find them by region, age band or purpose.")
    try:
        limit.people = sorted({str(UUID(ref)) for ref in limit.people})
    except (ValueError, TypeError, AttributeError):
        raise ChangeRefused("People are named by their pseudonyms.") from None
    _refuse_others("processing activity", limit.purposes, Purpose.objects.values_list("slug", flat=True))
    if isinstance(limit, Hold):
        _refuse_others("processing activity", limit.chose_about, Purpose.objects.values_list("slug", flat=True))
        _refuse_others("age band", limit.age_bands, AgeBand.values)
        _refuse_others("data set", limit.data_sets, schedules.names_for_holds())


def _refuse_others(what: str, named: Any, known: Any) -> None:
    if unknown := set(named) - set(known):
        raise ChangeRefused(f"There is no {what} “{min(unknown)}”. There are: {', '.join(sorted(known))}.")


def release(before: Document | None, after: Document | None) -> tuple[str, Document | None] | None:
    """Return what takes a change back: a hold just placed is released, as its row stays."""
    document = before or {**(after or {}), "is_released": True}
    return str(document["slug"]), document


HOLD = Register(
    name="hold",
    title="Legal hold",
    model=Hold,
    key=("slug",),
    in_bundle=False,
    in_emergency=False,
    keeps=True,
    of_people=("people",),
    is_local=True,
    narrows=keeps_more,
    save=save,
    inverse=release,
    sealed=HOLDS,
)
RESTRICTION = Register(
    name="restriction",
    title="Restriction",
    model=Restriction,
    key=("slug",),
    in_bundle=False,
    in_emergency=False,
    keeps=True,
    of_people=("people",),
    is_local=True,
    narrows=keeps_more,
    save=save,
    inverse=release,
    sealed=RESTRICTIONS,
)


def people_kept(changes: Sequence[Compared]) -> Iterator[Measured]:
    """Return how many people each changed hold or restriction keeps."""
    for change in changes:
        if change.register in (HOLD.name, RESTRICTION.name):
            people = HoldMember.objects.filter(**{f"{change.register}__slug": change.key})
            count = people.values("ref").distinct().count()
            label = f"People kept by “{change.key}”"
            yield Measured(f"kept/{change.register}/{change.key}", label, count, "Counted: people it names or finds.")
