"""Residency matrix: whose data may be processed where, as the engine answers by the bundle in force."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from common.admin_pages.display import words
from policies import engines
from policies.bundles import loading
from policies.bundles.loading import LoadedBundle
from policies.engines import Engine
from policies.models import ActiveBundle, Region
from policies.residency.judging import Judgement, is_able, judge
from policies.residency.placements import Kind, Placement

SEES_RULES = "policies.view_residencyrule"
_ALL = "*"


@dataclass(frozen=True)
class Cell:
    """Answer for people of one group and one processing region. ``kinds`` are those permitted where not all are."""

    is_permitted: bool
    kinds: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Row:
    """People of one residency group."""

    group: str
    regions: tuple[str, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Matrix:
    """Processing regions with their groups, and a row for each group of people."""

    places: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    revision: str


def may_view(request: HttpRequest) -> bool:
    return request.user.has_perm(SEES_RULES)


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    if not may_view(request):
        raise PermissionDenied(SEES_RULES)
    context = {**admin.site.each_context(request), "title": _("Residency matrix"), "matrix": in_force()}
    return render(request, "admin/residency_matrix.html", context)


def in_force() -> Matrix | None:
    """Return the matrix of the bundle in force; None where none is, or an older release made it."""
    revision = ActiveBundle.objects.values_list("bundle_id", flat=True).first()
    bundle = loading.loaded(revision) if revision else None
    if bundle is None or not is_able(bundle):
        return None
    names = dict(Region.objects.values_list("code", "name"))
    return build(bundle, engine=engines.configured(), now=timezone.now(), names=names)


def build(bundle: LoadedBundle, *, engine: Engine, now: datetime, names: dict[str, str]) -> Matrix:
    """Ask the engine about each group of people in each processing region; where not all data may be, for each kind."""
    residency = bundle.data["residency"]
    places = tuple(sorted(residency["processing"].items()))
    members: dict[str, list[str]] = {}
    for code, group in sorted(residency["regions"].items()):
        members.setdefault(group, []).append(names.get(code, code))
    pairs = [(group, place) for group in sorted(members) for place, _group in places]
    judged = judge([_placement(*pair, [_ALL]) for pair in pairs], bundle=bundle, engine=engine, now=now)
    cells = {
        pair: _cell(answer) if answer.permitted else _partly(pair, answer, bundle=bundle, engine=engine, now=now)
        for pair, answer in zip(pairs, judged, strict=True)
    }
    rows = (
        Row(group, tuple(members[group]), tuple(cells[group, place] for place, _group in places))
        for group in sorted(members)
    )
    return Matrix(places, tuple(rows), bundle.revision)


def _placement(group: str, place: str, kinds: Iterable[str]) -> Placement:
    return Placement(
        file="", resource="", kind=Kind.PROCESS, provider="", region=place, subject_groups=(group,),
        data_categories=tuple(kinds),
    )  # fmt: skip


def _cell(answer: Judgement) -> Cell:
    return Cell(is_permitted=True, rules=answer.rules, instruments=answer.instruments)


def _partly(pair: tuple[str, str], refusal: Judgement, *, bundle: LoadedBundle, engine: Engine, now: datetime) -> Cell:
    """Return which kinds of data may be processed where not all may."""
    kinds = sorted(bundle.categories)
    answers = judge([_placement(*pair, [kind]) for kind in kinds], bundle=bundle, engine=engine, now=now)
    permitted = [(kind, answer) for kind, answer in zip(kinds, answers, strict=True) if answer.permitted]
    return Cell(
        is_permitted=False,
        kinds=tuple(words(kind) for kind, _answer in permitted),
        rules=_each(answer.rules for _kind, answer in permitted),
        instruments=_each(answer.instruments for _kind, answer in permitted),
        why=refusal.reasons[0].sentence if refusal.reasons else "",
    )


def _each(found: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in found for name in names))
