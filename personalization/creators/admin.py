"""Creators who opted out, for officers: one who is asked by a creator enters it here, and one officer is enough."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from common import actors
from common.admin_pages.model_admin import ModelAdmin
from personalization.creators import opt_outs
from personalization.models import CreatorOptOut


@admin.register(CreatorOptOut)
class CreatorOptOutAdmin(ModelAdmin):
    empty_text = "Creators who asked not to be recommended stand here. Their items are in no list from then on."
    list_display = ["creator", "since"]
    search_fields = ["creator"]
    fields = ["creator", "since"]
    readonly_fields = ["since"]

    def has_change_permission(self, request: HttpRequest, obj: CreatorOptOut | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: CreatorOptOut, form: Any, change: bool) -> None:
        opt_outs.set_recommended(obj.pk, recommended=False, actor=actors.officer(request))

    def delete_model(self, request: HttpRequest, obj: CreatorOptOut) -> None:
        opt_outs.set_recommended(obj.pk, recommended=True, actor=actors.officer(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[CreatorOptOut]) -> None:
        for row in queryset:
            self.delete_model(request, row)
