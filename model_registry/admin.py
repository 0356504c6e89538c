from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from common import policy_data
from common.problems import Problem
from model_registry import services
from model_registry.models import Model, ModelVersion


def _officer(request: HttpRequest) -> str:
    return f"officer:{request.user.get_username()}"


@admin.register(Model)
class ModelEntryAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    list_display = ["name", "slug", "owner"]
    search_fields = ["name", "slug"]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(ModelVersion)
class ModelVersionAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    list_display = ["__str__", "status", "max_level", "created_at", "status_changed_at"]
    list_filter = ["status", "model"]
    list_select_related = ["model"]
    fields = ["model", "version", "status", "purposes", "max_level", "metrics", "created_at", "status_changed_at"]
    readonly_fields = ["model", "version", "status", "metrics", "created_at", "status_changed_at"]
    filter_horizontal = ["purposes"]
    actions = ["approve", "suspend", "retire"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # versions come from training

    def has_delete_permission(self, request: HttpRequest, obj: ModelVersion | None = None) -> bool:
        return False

    def save_related(self, request: HttpRequest, form: "ModelForm[Any]", formsets: list[object], change: bool) -> None:
        super().save_related(request, form, formsets, change)
        policy_data.changed(reason=f"model {form.instance} edited", actor=_officer(request))

    @admin.action(description="Approve: may serve from the next decision")
    def approve(self, request: HttpRequest, versions: QuerySet[ModelVersion]) -> None:
        self._move(request, versions, ModelVersion.Status.APPROVED)

    @admin.action(description="Suspend: stops serving from the next decision")
    def suspend(self, request: HttpRequest, versions: QuerySet[ModelVersion]) -> None:
        self._move(request, versions, ModelVersion.Status.SUSPENDED)

    @admin.action(description="Retire for good")
    def retire(self, request: HttpRequest, versions: QuerySet[ModelVersion]) -> None:
        self._move(request, versions, ModelVersion.Status.RETIRED)

    def _move(self, request: HttpRequest, versions: QuerySet[ModelVersion], status: str) -> None:
        for version in versions:
            try:
                services.change_status(version_id=version.pk, status=status, actor=_officer(request))
            except Problem as problem:
                messages.error(request, f"{version}: {problem.detail}")
            else:
                messages.success(request, f"{version} is {status} from the next decision on.")
