"""Read-only admin pages for tables that only the platform writes, for superusers too."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest

from common.admin_pages.model_admin import ModelAdmin


class ReadOnlyAdmin(ModelAdmin):
    actions: Any = None
    actions_detail_hide_default = True  # nothing is ever edited here, so there is no history of edits
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
