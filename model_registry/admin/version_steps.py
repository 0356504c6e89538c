"""Steps of the life cycle on the pages of versions, each confirmed, or drafted as a change set."""

from typing import Any

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


def _leads_to(status: Status, description: str, path: str, icon: str, *, is_primary: bool = False) -> Any:
    """Return the action of a version's page that takes it to a status, once it is confirmed."""

    def act(self: "VersionSteps", request: HttpRequest, object_id: str) -> HttpResponse:
        return self._confirm(request, object_id, status)

    act.__name__ = f"{path.replace('-', '_')}_this"
    return action(
        description=description,
        permissions=[act.__name__],
        url_path=path,
        icon=icon,
        variant=ActionVariant.PRIMARY if is_primary else ActionVariant.DEFAULT,
    )(act)


class VersionSteps(ModelAdmin):
    """Steps that officers take, in the list and on the page of one version."""

    actions = ["submit", "suspend", "retire"]
    actions_detail = [
        "submit_this", "take_back_this", "approve_this", "make_live_this", "extend_this", "suspend_this",
        "resume_this", "retire_this",
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

    submit_this = _leads_to(Status.IN_REVIEW, "Submit for review", "submit", "rate_review", is_primary=True)
    take_back_this = _leads_to(Status.DRAFT, "Back to draft", "take-back", "undo")
    approve_this = _leads_to(Status.APPROVED, "Approve", "approve", "check_circle", is_primary=True)
    make_live_this = _leads_to(Status.LIVE, "Make live", "make-live", "play_circle", is_primary=True)
    suspend_this = _leads_to(Status.SUSPENDED, "Suspend", "suspend", "pause_circle")
    resume_this = _leads_to(Status.LIVE, "Make live again", "resume", "play_circle", is_primary=True)
    retire_this = _leads_to(Status.RETIRED, "Retire", "retire", "archive")

    @action(description="Extend the approval", permissions=["extend_this"], url_path="extend", icon="event_repeat")
    def extend_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = get_object_or_404(ModelVersion.objects.select_related("model"), pk=object_id)
        return self._propose(request, version, Status(version.status), release_steps.extension(version))

    def has_submit_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        return self._may_step(request, object_id, Status.DRAFT, Status.IN_REVIEW)

    def has_take_back_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        return self._may_step(request, object_id, Status.IN_REVIEW, Status.DRAFT)

    def has_approve_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        return self._may_step(request, object_id, Status.IN_REVIEW, Status.APPROVED)

    def has_make_live_this_permission(self, request: HttpRequest, object_id: str) -> bool:
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
