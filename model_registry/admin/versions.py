"""List and page of model versions: what each may do, what it needs, what was found and what happened."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from model_registry import approval
from model_registry.admin.version_columns import VersionColumns
from model_registry.admin.version_steps import VersionSteps
from model_registry.models import ModelVersion
from oversight.admin import presenting
from oversight.admin.forms import DraftsChanges


class VersionForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        labels = {"purposes": "May serve", "max_level": "Most personal level"}
        help_texts = {
            "purposes": "For any other purpose this version is denied. A change sends the version back to review.",
            "max_level": "How personal this version may become, whatever people allow.",
        }


@admin.register(ModelVersion)
class ModelVersionAdmin(VersionColumns, DraftsChanges, VersionSteps):
    form = VersionForm
    empty_text = (
        "Each training registers a draft here (Recommender, Trainings). A model that runs elsewhere is registered "
        "through the API, or by ./assent model register."
    )
    list_display = ["title", "standing", "serves", "max_level", "created", "changed"]
    list_filter = ["status", "model"]
    list_select_related = ["model"]
    fieldsets = [
        (None, {"fields": ["standing", "meaning", "changed_exactly", "approved_to"]}),
        ("Release gates", {"fields": ["gates", "documents"]}),
        ("What it may do", {"fields": ["purposes", "max_level", "affected"]}),
        ("What it is", {"fields": ["card", "quality", "model", "version", "created_exactly", "file", "engine"]}),
        ("What was found", {"fields": ["panels"]}),
        ("What happened", {"fields": ["timeline"]}),
    ]
    readonly_fields = [
        "standing", "meaning", "changed_exactly", "approved_to", "gates", "documents", "affected", "card", "quality",
        "model", "version", "created_exactly", "file", "engine", "panels", "timeline",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        return super().get_queryset(request).prefetch_related("purposes")  # type: ignore[no-any-return]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        return super().formfield_for_manytomany(
            db_field, request, **{**options, "widget": UnfoldAdminCheckboxSelectMultipleWidget}
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # versions come from training and registration

    def has_delete_permission(self, request: HttpRequest, obj: ModelVersion | None = None) -> bool:
        return False

    def _sets_of(self, row: Any) -> dict[str, Any]:
        """Return the change sets about a version: of what it may do, and of its status."""
        found = super()._sets_of(row)
        if row is None:
            return found
        more = presenting.of_object(approval.REGISTER, f"{row.model.slug}/{row.version}")
        return {
            "object_sets": [*found["object_sets"], *more],
            "open_sets": [*found["open_sets"], *(each for each in more if each["row"].is_open)],
        }
