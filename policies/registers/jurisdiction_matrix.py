"""Jurisdiction matrix: every law in force side by side, and the lint's findings, for officers to read."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common import actors
from common.admin_pages.permissions import require
from common.http.problems import Problem
from consent.models import Level
from consent.register import jurisdictions
from policies.models import Jurisdiction, Region
from policies.registers import jurisdiction_rows


@dataclass(frozen=True)
class MatrixRow:
    """One law in words."""

    name: str
    url: str
    regions: int
    default: str
    unasked: str
    age: str
    consent_days: int
    reask_days: int
    deadlines: str
    signals: str
    minors: str


@dataclass(frozen=True)
class Differing:
    """A law whose row differs from its pack: sentences, and what to send to adopt the pack's values."""

    name: str
    slug: str
    url: str
    sentences: list[str]


def matrix(request: HttpRequest) -> HttpResponse:
    require(request, "policies.view_jurisdiction")
    if request.method == "POST":
        return _propose_takeover(request)
    context = {
        **admin.site.each_context(request),
        "title": _("Jurisdiction matrix"),
        "findings": findings(),
        "differing": [_differing(each) for each in jurisdiction_rows.differing()],
        "may_change": request.user.has_perm("policies.change_jurisdiction"),
        "rows": rows(),
        "revision": jurisdictions.revision(),
    }
    return render(request, "admin/jurisdiction_matrix.html", context)


def _propose_takeover(request: HttpRequest) -> HttpResponse:
    require(request, "policies.change_jurisdiction")
    try:
        change_set = jurisdiction_rows.propose_takeover([request.POST.get("law", "")], actor=actors.officer(request))
    except Problem as problem:
        messages.error(request, problem.detail)
        return redirect("jurisdiction-matrix")
    return redirect("change-set", pk=change_set.pk)


def _differing(found: jurisdiction_rows.Differing) -> Differing:
    law = found.law
    sentences = [
        _("%(field)s: %(here)s here, %(pack)s in the pack")
        % {
            "field": each.field.replace("_", " ").capitalize(),
            "here": _value(each.here),
            "pack": _value(each.pack),
        }
        for each in found.differences
    ]
    return Differing(law.name, law.slug, reverse("admin:policies_jurisdiction_change", args=[law.pk]), sentences)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        return ", ".join(f"{name.upper()}: {level}" for name, level in sorted(value.items())) or _("nothing")
    if isinstance(value, list):
        return ", ".join(name.upper() for name in sorted(value)) or _("nothing")
    return _("nothing") if value is None else str(value).replace("_", "-")


def findings() -> list[jurisdictions.Finding]:
    """Lint the packs of this release against the regions of the register."""
    codes = Region.objects.values_list("code", flat=True)
    return jurisdictions.lint(known_regions=codes, today=timezone.now().date())


def rows() -> list[MatrixRow]:
    ages: dict[int, set[int]] = {}
    for law, age in Region.objects.exclude(age_of_consent=None).values_list("jurisdiction", "age_of_consent"):
        ages.setdefault(law, set()).add(age or 0)
    laws = Jurisdiction.objects.annotate(places=Count("region")).order_by("name")
    return [_row(law, law.places, ages.get(law.pk, set())) for law in laws]


def _row(law: Jurisdiction, places: int, ages: set[int]) -> MatrixRow:
    return MatrixRow(
        name=law.name,
        url=reverse("admin:policies_jurisdiction_change", args=[law.pk]),
        regions=places,
        default=law.get_consent_default_display(),
        unasked=law.get_unasked_max_level_display(),
        age=_age(law, ages),
        consent_days=law.consent_days,
        reask_days=law.reask_days,
        deadlines=_deadlines(law),
        signals=_signals(law),
        minors=law.get_minor_max_level_display(),
    )


def _age(law: Jurisdiction, ages: set[int]) -> str:
    everywhere = sorted({law.age_of_consent, *ages})
    if len(everywhere) == 1:
        return str(law.age_of_consent)
    return _("%(from)d to %(to)d, by region") % {"from": everywhere[0], "to": everywhere[-1]}


def _deadlines(law: Jurisdiction) -> str:
    parts = [_days(law.answer_days, law.answer_unit)]
    if law.extension_days:
        parts.append(_("%(days)s more if complex") % {"days": law.extension_days})
    if law.confirm_days:
        parts.append(_("receipt confirmed within %(days)s") % {"days": _days(law.confirm_days, law.confirm_unit)})
    return ", ".join(parts)


def _days(count: int, unit: str) -> str:
    if unit == Jurisdiction.Unit.BUSINESS:
        return ngettext("%(count)d business day", "%(count)d business days", count) % {"count": count}
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}


def _signals(law: Jurisdiction) -> str:
    """Describe each signal a rule reads, how far it lowers the level, and whether the law demands it."""
    return ", ".join(
        _("%(signal)s: %(level)s%(binding)s")
        % {
            "signal": signal.upper(),
            "level": Level(law.signal_caps.get(signal, Level.NONE)).label,
            "binding": _(" (binding)") if signal in law.binding_signals else "",
        }
        for signal in ("gpc", "gpp")
    )
