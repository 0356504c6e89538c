"""Rules as data: saving a row drafts a change set."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest

from common.admin_pages.bulk import BulkInOneTransaction
from common.admin_pages.model_admin import ModelAdmin
from oversight.admin.forms import DraftsChanges
from policies.models.rules import processing_groups


class RuleAdmin(DraftsChanges, BulkInOneTransaction, ModelAdmin):
    """Rules as data: saving one drafts a change set; approved, it is in force at the next decision."""

    fixed: tuple[str, ...] = ("slug",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), *(self.fixed if obj else ())]


def group_name(slug: str) -> str:
    return slug.upper() if len(slug) <= 3 else slug.replace("-", " ").capitalize()


def group_labels(groups: Iterable[str]) -> list[tuple[str, str]]:
    return [(slug, group_name(slug)) for slug in sorted(groups)]


def known_groups() -> list[tuple[str, str]]:
    """Return every residency group with its name, as suggestions."""
    return group_labels(processing_groups())
