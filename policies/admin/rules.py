"""Rules as data: saving a row drafts a change set."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import HttpRequest
from unfold.decorators import display

from common.admin_pages.bulk import BulkInOneTransaction
from common.admin_pages.forms import CommaListField
from common.admin_pages.model_admin import ModelAdmin
from consent.models import Purpose
from oversight.admin.forms import DraftsChanges
from policies.models.rules import processing_groups


class PurposesForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Form of a rule about some purposes."""

    purposes = CommaListField(
        required=False, label="Purposes", help_text="With all that are narrower, separated by commas. Empty: all."
    )


class PlacesForm(PurposesForm):
    """Form of a rule about some purposes, where some people live."""

    regions = CommaListField(
        free_text=True,
        required=False,
        label="Where people live",
        help_text="Codes of regions or countries, or residency groups: DE, US-UT, eea. Empty: everywhere.",
    )


class RuleAdmin(DraftsChanges, BulkInOneTransaction, ModelAdmin):
    """Rules as data: saving one drafts a change set; approved, it is in force at the next decision."""

    fixed: tuple[str, ...] = ("slug",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), *(self.fixed if obj else ())]


class ScopedRuleAdmin(RuleAdmin):
    """Rules about people in some places, or for some purposes."""

    @display(description="Where people live")
    def where(self, rule: Any) -> str:
        return ", ".join(rule.regions) or "Everywhere"

    @display(description="Purposes")
    def what_for(self, rule: Any) -> str:
        names = dict(Purpose.objects.filter(slug__in=rule.purposes).values_list("slug", "name"))
        return ", ".join(names.get(slug, slug) for slug in rule.purposes) or "All"


def group_name(slug: str) -> str:
    return slug.upper() if len(slug) <= 3 else slug.replace("-", " ").capitalize()


def group_labels(groups: Iterable[str]) -> list[tuple[str, str]]:
    return [(slug, group_name(slug)) for slug in sorted(groups)]


def known_groups() -> list[tuple[str, str]]:
    """Return every residency group with its name, as suggestions."""
    return group_labels(processing_groups())
