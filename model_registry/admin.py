from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ChoiceField, ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from common import actors
from common.admin_pages.confirm import Step, confirm
from common.admin_pages.display import NOTHING, badge, code, exact_moment, grid, moment
from common.admin_pages.model_admin import ModelAdmin
from common.http.problems import Problem
from model_registry import approval, prefill, services
from model_registry.gates.checks import GATES
from model_registry.models import GateDemand, GateExemption, Model, ModelVersion, StoppedSegment
from model_registry.pages import checklist, panels, release_steps
from oversight.admin import presenting
from oversight.admin.forms import DraftsChanges
from oversight.models import ChangeSet

Status = ModelVersion.Status
_TONES = {
    Status.DRAFT: "plain",
    Status.IN_REVIEW: "info",
    Status.APPROVED: "info",
    Status.LIVE: "good",
    Status.SUSPENDED: "caution",
    Status.RETIRED: "plain",
}
_MEANINGS = {
    Status.DRAFT: "Newly trained, or taken back from review. It serves no person.",
    Status.IN_REVIEW: "Its documents are written and reviewed. It serves no person.",
    Status.APPROVED: "Two officers approved it. It serves no person until it is made live.",
    Status.LIVE: "It may serve people, as far as each of them allows, while its release gates pass.",
    Status.SUSPENDED: "It serves no person. Two officers make it live again, or another version takes over.",
    Status.RETIRED: "Out of use for good.",
}


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
        (None, {"fields": ["standing", "meaning", "changed_exactly", "approved_to"]}),
        ("Release gates", {"fields": ["gates", "documents"]}),
        ("What it may do", {"fields": ["purposes", "max_level"]}),
        ("What it is", {"fields": ["model", "version", "quality", "created_exactly", "file"]}),
        ("What was found", {"fields": ["panels"]}),
        ("What happened", {"fields": ["timeline"]}),
    ]
    readonly_fields = [
        "standing", "meaning", "changed_exactly", "approved_to", "gates", "documents", "model", "version", "quality",
        "created_exactly", "file", "panels", "timeline",
    ]  # fmt: skip
    actions = ["submit", "suspend", "retire"]
    actions_detail = [
        "submit_this", "take_back_this", "approve_this", "live_this", "suspend_this", "resume_this", "retire_this",
    ]  # fmt: skip

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
        return badge(version.get_status_display(), _TONES[Status(version.status)])

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

    @display(description="Approved until")
    def approved_to(self, version: ModelVersion) -> str:
        return f"{version.approved_until:%d.%m.%Y}" if version.approved_until else NOTHING

    @display(description="Gates")
    def gates(self, version: ModelVersion) -> str:
        return checklist.gates(version)

    @display(description="Documents")
    def documents(self, version: ModelVersion) -> str:
        return checklist.documents(version)

    @display(description="Audits, monitors and deployments")
    def panels(self, version: ModelVersion) -> str:
        return panels.drawn(version) or NOTHING

    @display(description="Steps")
    def timeline(self, version: ModelVersion) -> str:
        return checklist.timeline(version)

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

    # What can be done, to the ones chosen in the list

    @admin.action(description="Submit for review", permissions=["change"])
    def submit(self, request: HttpRequest, versions: QuerySet[ModelVersion]) -> None:
        self._move(request, versions, Status.IN_REVIEW)

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
                messages.success(request, release_steps.DONE.format(version, status))

    # What can be done on the page of one version

    @action(
        description="Submit for review",
        permissions=["submit_this"],
        url_path="submit",
        icon="rate_review",
        variant=ActionVariant.PRIMARY,
    )
    def submit_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._confirm(request, object_id, Status.IN_REVIEW)

    @action(
        description="Back to draft",
        permissions=["take_back_this"],
        url_path="take-back",
        icon="undo",
    )
    def take_back_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._confirm(request, object_id, Status.DRAFT)

    @action(
        description="Approve",
        permissions=["approve_this"],
        url_path="approve",
        icon="check_circle",
        variant=ActionVariant.PRIMARY,
    )
    def approve_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._confirm(request, object_id, Status.APPROVED)

    @action(
        description="Make live",
        permissions=["live_this"],
        url_path="make-live",
        icon="play_circle",
        variant=ActionVariant.PRIMARY,
    )
    def live_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._confirm(request, object_id, Status.LIVE)

    @action(
        description="Suspend",
        permissions=["suspend_this"],
        url_path="suspend",
        icon="pause_circle",
    )
    def suspend_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._confirm(request, object_id, Status.SUSPENDED)

    @action(
        description="Make live again",
        permissions=["resume_this"],
        url_path="resume",
        icon="play_circle",
        variant=ActionVariant.PRIMARY,
    )
    def resume_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._confirm(request, object_id, Status.LIVE)

    @action(
        description="Retire",
        permissions=["retire_this"],
        url_path="retire",
        icon="archive",
    )
    def retire_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._confirm(request, object_id, Status.RETIRED)

    def has_submit_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        return self._may_step(request, object_id, Status.DRAFT, Status.IN_REVIEW)

    def has_take_back_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        return self._may_step(request, object_id, Status.IN_REVIEW, Status.DRAFT)

    def has_approve_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        return self._may_step(request, object_id, Status.IN_REVIEW, Status.APPROVED)

    def has_live_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        return self._may_step(request, object_id, Status.APPROVED, Status.LIVE)

    def has_suspend_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        return self._may_step(request, object_id, Status.LIVE, Status.SUSPENDED)

    def has_resume_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        return self._may_step(request, object_id, Status.SUSPENDED, Status.LIVE)

    def has_retire_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        version = ModelVersion.objects.filter(pk=object_id).first()
        return self.has_change_permission(request) and version is not None and version.may_become(Status.RETIRED)

    def _may_step(self, request: HttpRequest, object_id: str, before: Status, status: Status) -> bool:
        """Return whether the officer may take a step, and the version is where it begins."""
        owns = request.user.has_perm("model_registry.change_model")
        if (before, status) in ModelVersion.SECONDED:
            may = owns and request.user.has_perm("oversight.propose_changeset")
        else:
            may = self.has_change_permission(request) or (owns and status in (Status.DRAFT, Status.IN_REVIEW))
        return may and ModelVersion.objects.filter(pk=object_id, status=before).exists()

    def _confirm(self, request: HttpRequest, object_id: str, status: Status) -> HttpResponse:
        version = get_object_or_404(ModelVersion.objects.select_related("model"), pk=object_id)
        officer, step = actors.officer(request), release_steps.step(version, status)
        if (version.status, status) in ModelVersion.SECONDED:
            return self._propose(request, version, status, step)
        return confirm(
            request, version, step, lambda: services.change_status(version_id=version.pk, status=status, actor=officer)
        )

    def _propose(self, request: HttpRequest, version: ModelVersion, status: Status, step: Step) -> HttpResponse:
        """Say what a step that takes two officers does; then draft it, and lead to the page of its change set."""
        drafted: list[ChangeSet] = []

        def draft() -> None:
            until = (timezone.now() + prefill.REVIEW_AFTER).date()
            drafted.append(approval.draft_status(version, status, until=until, actor=actors.officer(request)))

        answer = confirm(request, version, step, draft)
        return redirect("change-set", pk=drafted[0].pk) if drafted else answer


class DemandForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    gate = ChoiceField(label="Gate", choices=[(slug, gate.title) for slug, gate in GATES.items()])

    class Meta:
        labels = {"slug": "Short name", "from_level": "From this level on", "is_active": "Demanded"}
        help_texts = {
            "purpose": "Only versions that may serve this purpose. Empty: all.",
            "threshold": "In the unit of the gate. Empty: "
            + "; ".join(f"{gate.title} {gate.threshold:f} {gate.unit}" for gate in GATES.values() if gate.unit),
        }


@admin.register(GateDemand)
class GateDemandAdmin(DraftsChanges, ModelAdmin):
    form = DemandForm
    list_display = ["slug", "gate", "purpose", "from_level", "threshold", "is_active"]
    list_filter = ["is_active"]
    list_select_related = ["purpose"]
    fields = ["slug", "gate", "purpose", "from_level", "threshold", "is_active"]

    def get_readonly_fields(self, request: HttpRequest, obj: GateDemand | None = None) -> list[str]:
        return ["slug"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: GateDemand | None = None) -> bool:
        return False  # a gate is switched off


class ExemptionForm(ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    gate = ChoiceField(label="Gate", choices=[(slug, gate.title) for slug, gate in GATES.items()])

    class Meta:
        help_texts = {"reason": "Why it does not apply. It stands in the version's list of gates."}


@admin.register(GateExemption)
class GateExemptionAdmin(DraftsChanges, ModelAdmin):
    form = ExemptionForm
    list_display = ["model", "version", "gate", "reason"]
    list_select_related = ["model"]
    fields = ["model", "version", "gate", "reason"]

    def get_readonly_fields(self, request: HttpRequest, obj: GateExemption | None = None) -> list[str]:
        return ["model", "version", "gate"] if obj else []


@admin.register(StoppedSegment)
class StoppedSegmentAdmin(DraftsChanges, ModelAdmin):
    """Segments that are off. Deleting one drafts the set that lets it serve again; two officers bring it into force."""

    list_display = ["model", "version", "segment", "stopped_on", "reason"]
    list_select_related = ["model"]
    list_filter = ["model"]
    fields = ["model", "version", "segment", "stopped_on", "reason"]

    def has_change_permission(self, request: HttpRequest, obj: StoppedSegment | None = None) -> bool:
        return False
