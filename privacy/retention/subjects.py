"""Deletion plans, and undos of their runs, as subjects of approvals."""

from uuid import UUID

from django.urls import reverse

from common.canonical import digest_of
from oversight.approvals.subjects import Kind, Subject
from oversight.models import Step
from privacy.models import DeletionPlan, Disposal

APPROVE, CONTROL = "privacy.approve_deletionplan", "privacy.control_disposal"
PROPOSED = "proposed"


def of_plan(plan: DeletionPlan) -> Subject:
    """Return a plan as what a second officer approves: its signed document, by its digest."""
    return Subject(
        kind=PLAN.slug,
        key=str(plan.pk),
        digest=plan.digest,
        title=f"Deletion of {plan.due:,} entries of {plan.purpose or plan.schedule}",
        author=plan.author,
        account=plan.author_account,
        trail_object=plan.about,
    )


def of_undo(run: Disposal) -> Subject:
    """Return the undo of a run as it was proposed last; without a proposal it has no author."""
    step = Step.objects.filter(subject=UNDO.slug, object=str(run.pk), kind=PROPOSED).last()
    return Subject(
        kind=UNDO.slug,
        key=str(run.pk),
        digest=digest_of({"run": str(run.pk), "removed": run.removed, "manifest": run.manifest_sha256}).hex(),
        title=f"Undo of the deletion run of {run.purpose or run.schedule}, {run.total_removed:,} entries",
        author=step.actor if step else "",
        account=step.account if step else None,
        reason=step.note if step else "",
        trail_object=run.about,
    )


PLAN = Kind(
    slug="plan",
    noun="deletion plan",
    right=APPROVE,
    load=lambda key: of_plan(DeletionPlan.objects.select_related("purpose").get(pk=UUID(key))),
    url=lambda key: reverse("admin:privacy_deletionplan_change", args=[key]),
    waits="Deletion plan to approve",
)
UNDO = Kind(
    slug="undo",
    noun="undo",
    right=APPROVE,
    load=lambda key: of_undo(Disposal.objects.select_related("purpose").get(pk=UUID(key))),
    url=lambda key: reverse("admin:privacy_disposal_change", args=[key]),
    waits="Undo of a deletion run to approve",
)
