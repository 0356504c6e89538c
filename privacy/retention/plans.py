"""Deletion plans: what a retention run will delete, counted, frozen and signed before it is approved.

A plan within the largest share goes ahead by its schedule, which officers approved. A larger one, and any that an
officer makes, waits for another officer. What is approved is the document, so a run that finds more than it says stops.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit import signing, trail
from common import actors
from common.canonical import canonical_json, sha256
from common.http.problems import Conflict
from privacy.models import DeletionPlan, RetentionSchedule
from privacy.retention import schedules
from privacy.retention.tables import Counted, Extent

VALID_FOR = timedelta(days=7)
GUARDED_FROM = 1_000  # rows; below that a share says nothing
_SAMPLES = 5
_TYPE = "assent-deletion-plan"
SHARE = "share"


class PlanRefused(Conflict):
    code = "plan_refused"
    title = "This deletion plan cannot be approved"


class Outdated(Exception):
    """A plan that no longer says what its schedule or its data say; the text says why and what to do."""


@transaction.atomic
def make(schedule: RetentionSchedule, *, actor: str, now: datetime | None = None) -> DeletionPlan:
    """Count what the schedule makes due now and store it as a signed plan. Deletes nothing."""
    before = (now or timezone.now()) - schedule.retain_for
    plan = DeletionPlan(purpose=schedule.purpose, before=before, author=actor)
    plan.author_account = actors.account_of(actor)
    plan.document = _document(plan, schedule)
    plan.digest = sha256(canonical_json(plan.document)).hex()
    plan.signature = signing.sign(plan.digest.encode(), typ=_TYPE)
    plan.save(force_insert=True)
    _record("plan.made", plan, actor)
    return plan


def _document(plan: DeletionPlan, schedule: RetentionSchedule) -> dict[str, Any]:
    extent = Extent(plan.before, schedule.purpose.slug)
    examined = {store.name: store.examine(extent) for store in schedules.stores()}
    samples = {store.name: store.sample(extent, _SAMPLES) for store in schedules.stores()}
    return {
        "format": 1,
        "plan": str(plan.id),
        "made_at": plan.made_at.isoformat(),
        "author": str(plan.author),
        "purpose": schedule.purpose.slug,
        "retain_days": schedule.retain_for.days,
        "undo_days": schedule.undo_days,
        "before": plan.before.isoformat(),
        "largest_share_percent": settings.RETENTION_MAX_SHARE_PERCENT,
        "blockers": [SHARE] if any(_is_too_much(each) for each in examined.values()) else [],
        "data_sets": {name: _described(each, samples[name]) for name, each in examined.items()},
    }


def _is_too_much(found: Counted) -> bool:
    return found.due >= GUARDED_FROM and found.due * 100 > settings.RETENTION_MAX_SHARE_PERCENT * found.stored


def _described(found: Counted, samples: list[str]) -> dict[str, Any]:
    return {
        "due": found.due,
        "held": found.held,
        "stored": found.stored,
        "oldest": found.oldest.isoformat() if found.oldest else None,
        "sample_sha256": samples,
    }


@transaction.atomic
def approve(plan: DeletionPlan, *, actor: str, seen: str) -> DeletionPlan:
    """Approve the plan that was seen, as another officer than its author. Raises PlanRefused."""
    current = _open(plan, seen)
    if actors.account_of(actor) is None:
        raise PlanRefused("Only an officer signed in with an account may approve a plan.")
    if actors.is_same_person(actor, current.author, current.author_account):
        raise PlanRefused("You made this plan. Another officer has to approve it.")
    return _decide(current, DeletionPlan.State.APPROVED, actor)


@transaction.atomic
def approve_by_schedule(plan: DeletionPlan, *, actor: str) -> DeletionPlan:
    """Approve a plan by its schedule alone. Raises PlanRefused where anything blocks it."""
    current = _open(plan, plan.digest)
    if current.blockers:
        raise PlanRefused("The plan deletes more than the largest share. An officer has to approve it.")
    return _decide(current, DeletionPlan.State.APPROVED, actor)


@transaction.atomic
def refuse(plan: DeletionPlan, *, actor: str, seen: str) -> DeletionPlan:
    """Refuse a plan: nothing of it is deleted. Raises PlanRefused."""
    return _decide(_open(plan, seen), DeletionPlan.State.REFUSED, actor)


def _open(plan: DeletionPlan, seen: str) -> DeletionPlan:
    current = DeletionPlan.objects.select_for_update(of=("self",)).select_related("purpose").get(pk=plan.pk)
    if current.state != DeletionPlan.State.PROPOSED:
        raise PlanRefused(f"This plan was {current.get_state_display().lower()} already.")
    if seen != current.digest:
        raise PlanRefused("This is not the plan you have seen. Look at it again.")
    try:
        require_current(current)
    except Outdated as exc:
        raise PlanRefused(str(exc)) from exc
    return current


def _decide(plan: DeletionPlan, state: DeletionPlan.State, actor: str) -> DeletionPlan:
    plan.state, plan.approver, plan.approver_account = state, actor, actors.account_of(actor)
    plan.decided_at = timezone.now()
    plan.save(update_fields=["state", "approver", "approver_account", "decided_at"])
    _record(f"plan.{state}", plan, actor)
    return plan


def require_current(plan: DeletionPlan, *, now: datetime | None = None) -> None:
    """Raise Outdated unless the plan is the document that was signed, young, and still what its schedule says."""
    if sha256(canonical_json(plan.document)).hex() != plan.digest:
        raise Outdated("The plan's document was changed after it was signed.")
    if (now or timezone.now()) - plan.made_at > VALID_FOR:
        raise Outdated(f"The plan is older than {VALID_FOR.days} days. Make a new one.")
    schedule = RetentionSchedule.objects.filter(purpose=plan.purpose, is_active=True).first()
    if schedule is None:
        raise Outdated("The retention schedule is not in use any more. Nothing is deleted for its age.")
    if schedule.retain_for.days > plan.document["retain_days"]:
        raise Outdated("The retention period is longer now than the plan says. Make a new plan.")
    known = {store.name for store in schedules.stores()}
    if gone := sorted(set(plan.document["data_sets"]) - known):
        raise Outdated(f"The data set {gone[0]} is not registered any more. Make a new plan.")


def planned(plan: DeletionPlan) -> Mapping[str, int]:
    """Return how many rows of each data set the plan lets a run delete."""
    return {name: int(each["due"]) for name, each in plan.document["data_sets"].items()}


def _record(action: str, plan: DeletionPlan, actor: str) -> None:
    details = {"plan": str(plan.id), "purpose": plan.purpose.slug, "digest": plan.digest, "due": plan.due}
    trail.record(action, plan.purpose.slug, actor=actor, details=details)
