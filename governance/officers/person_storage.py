"""What is stored about one person and until when, and what keeps it from use and deletion."""

from collections.abc import Iterator
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from common.admin_pages.display import sentence
from consent.models import ConsentRecord, DataSubject, Purpose
from privacy.models import HoldMember
from privacy.retention.data_sets import kept_until
from privacy.retention.data_sets.kept_until import Kept


def holds(person: DataSubject) -> list[dict[str, str]]:
    """Return each hold and restriction on the person, with its purposes; from the row alone where there is no other."""
    members = HoldMember.objects.filter(ref=person.ref).select_related("hold", "restriction").order_by("pk")
    purposes: dict[Any, list[str]] = {}
    for member in members:
        purposes.setdefault(member.hold or member.restriction, []).append(member.purpose)
    found = [_named(limit, slugs) for limit, slugs in purposes.items()]
    return found or list(_unnamed(person))


def _named(limit: Any, slugs: list[str]) -> dict[str, str]:
    kind = limit._meta.model_name  # noqa: SLF001 (Django documents it for this use)
    every = "" in slugs
    about = "" if every else " " + _("Purposes: %(purposes)s.") % {"purposes": ", ".join(sorted(set(slugs)))}
    url = reverse(f"admin:privacy_{kind}_change", args=[limit.pk])
    return {**_SAID[kind](), "name": limit.slug, "url": url, "about": about}


def _hold() -> dict[str, str]:
    return {"label": _("Legal hold"), "meaning": _("Kept for a claim. It is not used otherwise.")}


def _restriction() -> dict[str, str]:
    return {"label": _("Restricted"), "meaning": _("Stored, but not used, as the person asked (GDPR Article 18).")}


_SAID = {"hold": _hold, "restriction": _restriction}


def _unnamed(person: DataSubject) -> Iterator[dict[str, str]]:
    words = {word for said in person.limits.values() for word in said}
    if person.held or "held" in words:
        yield _hold()
    if person.restricted or "restricted" in words:
        yield _restriction()


def stored(person: DataSubject) -> list[dict[str, Any]]:
    """Return each kind of data about the person, how much there is, and when it goes or why it stays."""
    names = dict(Purpose.objects.values_list("slug", "name"))
    found = [_row(each, names) for each in kept_until.of_person(person)]
    records = ConsentRecord.objects.filter(subject=person).count()
    proof = _("Kept as proof of consent; no period is set.")
    return [*found, {"data": _("Choices"), "purpose": _("Every purpose"), "entries": records, "why": proof}]


def _row(each: Kept, names: dict[str, str]) -> dict[str, Any]:
    stored, by = each.stored, each.by
    data = sentence(each.data_set) + (f": {stored.kind}" if stored.kind else "")
    purpose = names.get(stored.purpose, stored.purpose) or _("Every purpose")
    row = {"data": data, "purpose": purpose, "entries": stored.rows}
    if each.is_held:
        return {**row, "why": _("Kept until the hold or restriction is released.")}
    if by is None:
        return {**row, "why": _without_end(stored.purpose)}
    url = reverse("admin:privacy_retentionschedule_change", args=[by.pk])
    said = by.ground if by.is_legal_minimum else by.slug
    return {**row, "first": each.first, "last": each.last, "by": said, "is_law": by.is_legal_minimum, "url": url}


def _without_end(purpose: str) -> str:
    if not purpose:
        return _("As long as a permission is in force, and after it as no retention schedule ends it.")
    return _("Until the person withdraws; no retention schedule.")
