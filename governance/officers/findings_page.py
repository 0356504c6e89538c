"""What the lint of the registers finds, each finding with the page where it is corrected."""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from common.registers import lint as register_lint
from common.registers.lint import Finding

SEES_FINDINGS = "consent.view_purpose"
# Register -> model, and the field its rows are named by.
_ROWS = {
    "purpose": ("consent.Purpose", "slug"),
    "site": ("consent.Site", "slug"),
    "party": ("consent.Party", "slug"),
    "residency_rule": ("policies.ResidencyRule", "slug"),
    "region": ("policies.Region", "group"),
    "processing_region": ("policies.ProcessingRegion", "slug"),
    "processing_system": ("policies.ProcessingSystem", "name"),
    "jurisdiction": ("policies.Jurisdiction", "slug"),
    "sensitive_category": ("policies.SensitiveCategory", "slug"),
}
# The start page says these by themselves, each with its own way out.
_SHOWN_ALONE = frozenset({"notice_missing", "controller_missing", "retention_missing"})


@dataclass(frozen=True)
class Shown:
    """A finding for the page; ``url`` is empty where it has no row, or the officer may not see it."""

    register: str
    key: str
    detail: str
    url: str
    is_error: bool


def may_view(request: HttpRequest) -> bool:
    return request.user.has_perm(SEES_FINDINGS)


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    if not may_view(request):
        raise PermissionDenied(SEES_FINDINGS)
    found = shown(register_lint.findings(), request)
    context = {
        **admin.site.each_context(request),
        "title": _("Findings in the registers"),
        "errors": [each for each in found if each.is_error],
        "warnings": [each for each in found if not each.is_error],
    }
    return render(request, "admin/register_findings.html", context)


def attention() -> tuple[str, str] | None:
    """Return title and detail for the start page; None where there is no error but those it shows by itself."""
    errors = [each for each in register_lint.findings() if each.is_error and each.code not in _SHOWN_ALONE]
    if not errors:
        return None
    count = len(errors)
    title = ngettext("%(count)d error in the registers", "%(count)d errors in the registers", count) % {"count": count}
    return title, f"{words(errors[0].register)} “{errors[0].key}”: {errors[0].detail}"


def words(register: str) -> str:
    """Return what a register's row is called: ``residency_rule`` as "Residency rule"."""
    return register.replace("_", " ").capitalize()


def shown(found: list[Finding], request: HttpRequest) -> list[Shown]:
    """Return findings with links, in one statement for each register that is named."""
    wanted: dict[str, set[str]] = {}
    for finding in found:
        wanted.setdefault(finding.register, set()).add(finding.key)
    urls = {
        (register, key): url for register, keys in wanted.items() for key, url in _urls(register, keys, request).items()
    }
    return [
        Shown(words(each.register), each.key, each.detail, urls.get((each.register, each.key), ""), each.is_error)
        for each in found
    ]


def _urls(register: str, keys: set[str], request: HttpRequest) -> dict[str, str]:
    if register not in _ROWS:
        return {}
    label, field = _ROWS[register]
    model: Any = apps.get_model(label)
    options = model._meta  # noqa: SLF001 (Django documents it for this use)
    if not request.user.has_perm(f"{options.app_label}.view_{options.model_name}"):
        return {}
    rows = model.objects.filter(**{f"{field}__in": keys}).values_list(field, "pk")
    return {key: reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[pk]) for key, pk in rows}
