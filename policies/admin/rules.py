"""Rules as data: saving a row drafts a change set."""

from typing import Any

from django.http import HttpRequest

from common.admin_pages.bulk import BulkInOneTransaction
from common.admin_pages.model_admin import ModelAdmin
from oversight.admin.forms import DraftsChanges


class RuleAdmin(DraftsChanges, BulkInOneTransaction, ModelAdmin):
    """Rules as data: saving one drafts a change set; approved, it is in force at the next decision."""

    fixed: tuple[str, ...] = ("slug",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), *(self.fixed if obj else ())]


def group_name(slug: str) -> str:
    return slug.upper() if len(slug) <= 3 else slug.replace("-", " ").capitalize()
