"""Steps of the life cycle on the pages of versions, each confirmed, or drafted as a change set."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from unfold.decorators import action
from unfold.enums import ActionVariant

from common import actors
from common.admin_pages.confirm import Step, confirm
from common.admin_pages.model_admin import ModelAdmin
from common.http.problems import Problem
from model_registry import approval, prefill, services
from model_registry.models import ModelVersion
from model_registry.pages import release_steps
from oversight.models import ChangeSet

Status = ModelVersion.Status


class VersionSteps(ModelAdmin):
    """Steps that officers take, in the list and on the page of one version."""

    actions = ["submit", "suspend", "retire"]
    actions_detail = [
        "submit_this", "take_back_this", "approve_this", "live_this", "extend_this", "suspend_this", "resume_this",
        "retire_this",
    ]  # fmt: skip

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
        description="Extend the approval",
        permissions=["extend_this"],
        url_path="extend",
        icon="event_repeat",
    )
    def extend_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = get_object_or_404(ModelVersion.objects.select_related("model"), pk=object_id)
        return self._propose(request, version, Status(version.status), release_steps.extension(version))

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

    def has_extend_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        version = ModelVersion.objects.filter(pk=object_id).first()
        may = request.user.has_perm("model_registry.change_model") and request.user.has_perm(
            "oversight.propose_changeset"
        )
        return may and version is not None and version.is_approved

    def has_suspend_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        return any(self._may_step(request, object_id, before, Status.SUSPENDED) for before in ModelVersion.SERVING)

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
