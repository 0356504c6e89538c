from django.contrib import admin
from unfold.admin import ModelAdmin

from personalization.models import Item


@admin.register(Item)
class ItemAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    list_display = ["title", "slug", "is_active"]
    search_fields = ["title", "slug"]
