"""Register of segments that are off: deleting one drafts the set that lets it serve again."""

from django.contrib import admin
from django.http import HttpRequest

from common.admin_pages.model_admin import ModelAdmin
from model_registry.models import StoppedSegment
from oversight.admin.forms import DraftsChanges


@admin.register(StoppedSegment)
class StoppedSegmentAdmin(DraftsChanges, ModelAdmin):
    list_display = ["model", "version", "segment", "stopped_on", "reason"]
    list_select_related = ["model"]
    list_filter = ["model"]
    fields = ["model", "version", "segment", "stopped_on", "reason"]

    def has_change_permission(self, request: HttpRequest, obj: StoppedSegment | None = None) -> bool:
        return False
