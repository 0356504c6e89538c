"""Data map: which data serves which purpose, who is given it, and where it lies, as a drawing and as a table."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from common.admin_pages.display import NOTHING, words
from common.charts.flows import Column, Flow, Node, flows
from consent.models import DataCategory, Party, Purpose
from policies.models import ProcessingSystem

SEES_MAP = ("consent.view_purpose", "consent.view_party", "policies.view_processingsystem")
_DATA, _PURPOSES, _HOLDERS, _WHERE = range(4)


@dataclass(frozen=True)
class Holder:
    """A party or a system that has data of a purpose, and where."""

    key: str
    name: str
    part: str
    places: tuple[str, ...]
    basis: str = ""
    is_unknown: bool = False


@dataclass(frozen=True)
class Line:
    """One line of the table: a purpose and who has its data. ``purpose_id`` is 0 for a system without purposes."""

    purpose_id: int
    purpose: str
    legal_basis: str
    data: tuple[str, ...]
    holder: Holder | None


@dataclass(frozen=True)
class DataMap:
    """The drawing, and the same as lines."""

    svg: SafeString
    lines: tuple[Line, ...]


def may_view(request: HttpRequest) -> bool:
    return request.user.has_perms(SEES_MAP)


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    if missing := [right for right in SEES_MAP if not request.user.has_perm(right)]:
        raise PermissionDenied(missing[0])
    context = {**admin.site.each_context(request), "title": _("Data map"), "map": build()}
    return render(request, "admin/data_map.html", context)


def build() -> DataMap:
    """Draw the registers as they stand, in four statements."""
    names = dict(DataCategory.objects.values_list("slug", "name"))
    purposes = list(Purpose.objects.filter(is_active=True))
    parties = {party.slug: party for party in Party.objects.all()}
    systems = list(ProcessingSystem.objects.all())
    lines = [*_lines(purposes, parties, systems, names), *_unassigned(systems, names)]
    return DataMap(_draw(purposes, lines, names), tuple(lines))


def _lines(
    purposes: Iterable[Purpose], parties: dict[str, Party], systems: list[ProcessingSystem], names: dict[str, str]
) -> Iterator[Line]:
    for purpose in purposes:
        data = tuple(names.get(kind, words(kind)) for kind in purpose.data_categories)
        holders: list[Holder | None] = [
            *(_party(slug, parties.get(slug)) for slug in purpose.recipients),
            *(_system(system) for system in systems if purpose.slug in system.purposes),
        ]
        for holder in holders or [None]:
            yield Line(purpose.pk, purpose.name, purpose.get_legal_basis_display(), data, holder)


def _unassigned(systems: Iterable[ProcessingSystem], names: dict[str, str]) -> Iterator[Line]:
    """Return systems that name no purpose: what they hold is said by their own list of data."""
    for system in systems:
        if not system.purposes:
            data = tuple(names.get(kind, words(kind)) for kind in system.data_categories if kind != "*")
            yield Line(0, "", "", data or (_("All data"),), _system(system))


def _party(slug: str, party: Party | None) -> Holder:
    if party is None:
        return Holder(f"party {slug}", slug, _("Not among the parties"), (), is_unknown=True)
    basis = party.get_transfer_basis_display()
    return Holder(f"party {slug}", party.name, party.get_role_display(), (party.country,), basis)


def _system(system: ProcessingSystem) -> Holder:
    places = dict.fromkeys(str(place.get("region", "")) or NOTHING for place in system.placements)
    return Holder(f"system {system.pk}", system.name, _("System"), tuple(places), is_unknown=bool(system.findings))


def _draw(purposes: list[Purpose], lines: list[Line], names: dict[str, str]) -> SafeString:
    kinds = dict.fromkeys(kind for purpose in purposes for kind in purpose.data_categories)
    holders = {line.holder.key: line.holder for line in lines if line.holder}
    places = dict.fromkeys(place for holder in holders.values() for place in holder.places)
    columns = [
        Column(_("Data categories"), tuple(_kind(kind, names) for kind in kinds)),
        Column(_("Purposes"), tuple(Node(str(p.pk), p.name, is_marked=not p.data_categories) for p in purposes)),
        Column(_("Parties and systems"), tuple(Node(h.key, h.name, is_marked=h.is_unknown) for h in holders.values())),
        Column(_("Countries and regions"), tuple(Node(place, place) for place in places)),
    ]
    return flows(
        columns,
        [*_flows(purposes, lines, holders)],
        title=_("What flows where"),
        description=_("Lines lead from data categories to purposes, from there to parties and systems, and to places."),
    )


def _kind(slug: str, names: dict[str, str]) -> Node:
    return Node(slug, names.get(slug, words(slug)), is_marked=slug not in names)


def _flows(purposes: list[Purpose], lines: list[Line], holders: dict[str, Holder]) -> Iterator[Flow]:
    for purpose in purposes:
        for kind in purpose.data_categories:
            yield Flow(_DATA, kind, _PURPOSES, str(purpose.pk))
    for line in lines:
        if line.holder and line.purpose_id:
            yield Flow(_PURPOSES, str(line.purpose_id), _HOLDERS, line.holder.key)
    for holder in holders.values():
        for place in holder.places:
            yield Flow(_HOLDERS, holder.key, _WHERE, place)
