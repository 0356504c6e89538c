"""Entry of each model in the register."""

from django.contrib import admin
from django.http import HttpRequest

from common.admin_pages.model_admin import ModelAdmin
from model_registry.models import Model
from oversight.admin.forms import DraftsChanges


@admin.register(Model)
class ModelEntryAdmin(DraftsChanges, ModelAdmin):
    list_display = ["name", "slug", "owner"]
    search_fields = ["name", "slug"]
    fields = ["name", "slug", "description", "owner", "trained_every"]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["slug"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
