from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from common import actors
from common.admin_pages.confirm import Step, confirm
from common.admin_pages.display import NOTHING, badge, code, exact_moment, grid, moment
from common.admin_pages.model_admin import ModelAdmin
from common.http.problems import Problem
from model_registry import services
from model_registry.models import Model, ModelVersion
from oversight.admin.forms import DraftsChanges

Status = ModelVersion.Status
_TONES = {"draft": "info", "approved": "good", "suspended": "caution", "retired": "plain"}
_MEANINGS = {
    Status.DRAFT: "Waiting for approval: newly trained, or what it may do has changed. It serves nobody.",
    Status.APPROVED: "It may serve people, as far as each of them allows.",
    Status.SUSPENDED: "It serves nobody. Approve it again, or retire it so that another version can take over.",
    Status.RETIRED: "Out of use for good.",
}
_DONE = "{} is {} from the next decision on."


@admin.register(Model)
class ModelEntryAdmin(DraftsChanges, ModelAdmin):
    list_display = ["name", "slug", "owner"]
    search_fields = ["name", "slug"]
    fields = ["name", "slug", "description", "owner"]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["slug"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class VersionForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        labels = {"purposes": "May serve", "max_level": "Most personal level"}
        help_texts = {
            "purposes": "For any other purpose this version is denied. A change sends the version back to review.",
            "max_level": "How personal this version may become, whatever people allow.",
        }


@admin.register(ModelVersion)
class ModelVersionAdmin(DraftsChanges, ModelAdmin):
    form = VersionForm
    list_display = ["title", "standing", "serves", "max_level", "created", "changed"]
    list_filter = ["status", "model"]
    list_select_related = ["model"]
    fieldsets = [
        (None, {"fields": ["standing", "meaning", "changed_exactly"]}),
        ("What it may do", {"fields": ["purposes", "max_level"]}),
        ("What it is", {"fields": ["model", "version", "quality", "created_exactly", "file"]}),
    ]
    readonly_fields = [
        "standing", "meaning", "changed_exactly", "model", "version", "quality", "created_exactly", "file",
    ]  # fmt: skip
    actions = ["approve", "suspend", "retire"]
    actions_detail = ["approve_this", "suspend_this", "retire_this"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        return super().get_queryset(request).prefetch_related("purposes")  # type: ignore[no-any-return]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        return super().formfield_for_manytomany(
            db_field, request, **{**options, "widget": UnfoldAdminCheckboxSelectMultipleWidget}
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # versions come from training

    def has_delete_permission(self, request: HttpRequest, obj: ModelVersion | None = None) -> bool:
        return False

    # What is shown

    @display(description="Version", ordering=("model", "version"))
    def title(self, version: ModelVersion) -> str:
        return f"{version.model.name}, version {version.version}"

    @display(description="State", ordering="status")
    def standing(self, version: ModelVersion) -> str:
        return badge(version.get_status_display(), _TONES[version.status])

    @display(description="That means")
    def meaning(self, version: ModelVersion) -> str:
        return _MEANINGS[Status(version.status)]

    @display(description="May serve")
    def serves(self, version: ModelVersion) -> str:
        return ", ".join(purpose.name for purpose in version.purposes.all()) or NOTHING

    @display(description="Trained", ordering="created_at")
    def created(self, version: ModelVersion) -> str:
        return moment(version.created_at)

    @display(description="State since", ordering="status_changed_at")
    def changed(self, version: ModelVersion) -> str:
        return moment(version.status_changed_at)

    @display(description="Trained")
    def created_exactly(self, version: ModelVersion) -> str:
        return exact_moment(version.created_at)

    @display(description="State since")
    def changed_exactly(self, version: ModelVersion) -> str:
        return exact_moment(version.status_changed_at)

    @display(description="Quality")
    def quality(self, version: ModelVersion) -> str:
        """Format the quality of the first ten suggestions per level (NDCG), and how many people it was learnt from."""
        rows = [
            (f"Suggestions at level {level}", f"{value / 10:.1f} %")
            for level, value in version.metrics.get("ndcg_at_10_per_mille", {}).items()
        ]
        if "people" in version.metrics:
            rows.append(("People it learnt from", f"{version.metrics['people']:,}"))
        return grid(["Measured at training", "Result (100 % is best)"], rows)

    @display(description="SHA-256 of its file")
    def file(self, version: ModelVersion) -> str:
        return code(version.artifact_sha256) if version.artifact_sha256 else NOTHING

    # What can be done, to the ones chosen in the list

    @admin.action(description="Approve: may serve from the next decision on", permissions=["change"])
    def approve(self, request: HttpRequest, versions: QuerySet[ModelVersion]) -> None:
        self._move(request, versions, Status.APPROVED)

    @admin.action(description="Suspend: stops serving from the next decision on", permissions=["change"])
    def suspend(self, request: HttpRequest, versions: QuerySet[ModelVersion]) -> None:
        self._move(request, versions, Status.SUSPENDED)

    @admin.action(description="Retire for good", permissions=["change"])
    def retire(self, request: HttpRequest, versions: QuerySet[ModelVersion]) -> None:
        self._move(request, versions, Status.RETIRED)

    def _move(self, request: HttpRequest, versions: QuerySet[ModelVersion], status: str) -> None:
        for version in versions:
            try:
                services.change_status(version_id=version.pk, status=status, actor=actors.officer(request))
            except Problem as problem:
                messages.error(request, f"{version}: {problem.detail}")
            else:
                messages.success(request, _DONE.format(version, status))

    # What can be done on the page of one version

    @action(
        description="Approve",
        permissions=["approve_this"],
        url_path="approve",
        icon="check_circle",
        variant=ActionVariant.PRIMARY,
    )
    def approve_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._confirm(request, object_id, Status.APPROVED)

    @action(description="Suspend", permissions=["suspend_this"], url_path="suspend", icon="pause_circle")
    def suspend_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._confirm(request, object_id, Status.SUSPENDED)

    @action(description="Retire", permissions=["retire_this"], url_path="retire", icon="archive")
    def retire_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._confirm(request, object_id, Status.RETIRED)

    def has_approve_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        return self._may_become(request, object_id, Status.APPROVED)

    def has_suspend_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        return self._may_become(request, object_id, Status.SUSPENDED)

    def has_retire_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        return self._may_become(request, object_id, Status.RETIRED)

    def _may_become(self, request: HttpRequest, object_id: str, status: str) -> bool:
        if not self.has_change_permission(request):
            return False
        version = ModelVersion.objects.filter(pk=object_id).first()
        return version is not None and version.may_become(status)

    def _confirm(self, request: HttpRequest, object_id: str, status: Status) -> HttpResponse:
        version = get_object_or_404(ModelVersion.objects.select_related("model"), pk=object_id)
        return confirm(
            request,
            version,
            _step(version, status),
            lambda: services.change_status(version_id=version.pk, status=status, actor=actors.officer(request)),
        )


def _step(version: ModelVersion, status: Status) -> Step:
    name = f"{version.model.name}, version {version.version}"
    served = ", ".join(purpose.name for purpose in version.purposes.all()) or "no purpose yet"
    other = _takes_over(version)
    steps = {
        Status.APPROVED: Step(
            title=f"Approve {name}?",
            effects=[
                f"It may serve: {served}, up to the level “{version.get_max_level_display()}”.",
                "People who allow it get its suggestions from the very next request on; nobody else does.",
                "You can suspend it again at any time.",
            ],
            button="Approve this version",
            done=_DONE.format(name, "approved"),
        ),
        Status.SUSPENDED: Step(
            title=f"Suspend {name}?",
            effects=[
                f"It serves: {served}. From the very next request on, everybody gets the general list there instead.",
                "No older version takes over while it is suspended. Retire it if one should.",
                "Nothing is deleted, and you can approve it again at any time.",
            ],
            button="Suspend this version",
            done=_DONE.format(name, "suspended"),
            is_dangerous=True,
        ),
        Status.RETIRED: Step(
            title=f"Retire {name} for good?",
            effects=[
                f"It never serves again: {served}. This cannot be undone.",
                f"{other.model.name}, version {other.version} takes over."
                if other
                else "No other version is approved: everybody gets the general list until you approve one.",
            ],
            button="Retire this version",
            done=_DONE.format(name, "retired"),
            is_dangerous=True,
        ),
    }
    return steps[status]


def _takes_over(version: ModelVersion) -> ModelVersion | None:
    others = ModelVersion.objects.filter(model=version.model, status=Status.APPROVED).exclude(pk=version.pk)
    return others.select_related("model").order_by("-version").first()
