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

from audit import signing
from common import actors
from common.canonical import canonical_json, sha256
from common.http.problems import Conflict
from oversight.approvals import steps, subjects, verdicts
from privacy.models import DeletionPlan, RetentionSchedule
from privacy.retention import schedules
from privacy.retention.data_sets import refusals, terms
from privacy.retention.subjects import of_plan
from privacy.retention.tables import Counted

State = DeletionPlan.State
VALID_FOR = timedelta(days=7)
GUARDED_FROM = 1_000  # rows; below that a share says nothing
_SAMPLES = 5
_TYPE = "assent-deletion-plan"
SHARE = "share"
# What plans of earlier releases said without saying it: events by their age.
EARLIER: dict[str, Any] = {
    "data_set": "events", "trigger": "received", "action": "delete", "keep_last": 0, "jurisdiction": "",
    "minimums": [],
}  # fmt: skip


class PlanRefused(Conflict):
    code = "plan_refused"
    title = "This deletion plan cannot be approved"


class Outdated(Exception):
    """A plan that no longer says what its schedule or its data say; the text says why and what to do."""


@transaction.atomic
def make(
    schedule: RetentionSchedule, *, actor: str, now: datetime | None = None, by_schedule: bool = False
) -> DeletionPlan:
    """Count what the schedule makes due now and store it as a signed plan. Deletes nothing. Raises PlanRefused.

    An officer is asked to approve it, unless it goes ahead ``by_schedule`` and nothing blocks it. What waited for the
    same schedule is overtaken by it.
    """
    now = now or timezone.now()
    if reason := refusals.why_not(schedule):
        raise PlanRefused(reason)
    before = terms.before_of(schedule, now)
    plan = DeletionPlan(purpose=schedule.purpose, schedule=schedule.slug, before=before, author=actor)
    plan.author_account = actors.account_of(actor)
    plan.document = _document(plan, schedule, terms.of(schedule, now))
    plan.digest = sha256(canonical_json(plan.document)).hex()
    plan.signature = signing.sign(plan.digest.encode(), typ=_TYPE)
    plan.save(force_insert=True)
    _overtake(plan, actor)
    _record("made", plan, actor)
    if plan.blockers or not by_schedule:
        subjects.ask(of_plan(plan), actor=actor)
    return plan


def _overtake(plan: DeletionPlan, actor: str) -> None:
    """Void the requests to approve older plans of the schedule; officers decide on the newest."""
    older = DeletionPlan.objects.filter(schedule=plan.schedule, state=State.PROPOSED).exclude(pk=plan.pk)
    for each in older.select_related("purpose"):
        subjects.no_longer_needed(of_plan(each), actor=actor, outcome="overtaken")


def _document(plan: DeletionPlan, schedule: RetentionSchedule, frozen: dict[str, Any]) -> dict[str, Any]:
    purpose = schedule.purpose.slug if schedule.purpose else None
    extent = terms.extent_of(frozen, plan.before, purpose)
    way = schedules.way_of(schedule)
    examined = {way.name: way.examine(extent)} if way else {}
    samples = {way.name: way.sample(extent, _SAMPLES)} if way else {}
    return {
        "format": 2,
        "plan": str(plan.id),
        "made_at": plan.made_at.isoformat(),
        "author": str(plan.author),
        "schedule": schedule.slug,
        "purpose": purpose,
        "retain_days": schedule.retain_for.days if schedule.retain_for else None,
        "terms": frozen,
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
        "kept_by_law": found.kept_by_law,
        "stored": found.stored,
        "oldest": found.oldest.isoformat() if found.oldest else None,
        "sample_sha256": samples,
    }


@transaction.atomic
def approve(plan: DeletionPlan, *, actor: str, seen: str, reason: str = "") -> DeletionPlan:
    """Approve the plan that was seen, as an officer independent of its author.

    Raises PlanRefused, SecondOfficerNeeded, Outdated, ChangeRefused.
    """
    current = _open(plan)
    _refuse_outdated(current)
    current.decision = verdicts.approve(of_plan(current), actor=actor, seen=seen, reason=reason)
    return _decide(current, State.APPROVED, State.APPROVED, actor, reason)


@transaction.atomic
def approve_by_schedule(plan: DeletionPlan, *, actor: str) -> DeletionPlan:
    """Approve a plan by its schedule alone. Raises PlanRefused where anything blocks it."""
    current = _open(plan)
    _refuse_outdated(current)
    if current.blockers:
        raise PlanRefused("The plan deletes more than the largest share. An officer has to approve it.")
    subjects.no_longer_needed(of_plan(current), actor=actor)
    return _decide(current, State.APPROVED, "approved_by_schedule", actor)


@transaction.atomic
def refuse(plan: DeletionPlan, *, actor: str, seen: str, reason: str) -> DeletionPlan:
    """Refuse a plan, or withdraw it as its author: nothing of it is deleted. Raises as ``approve``."""
    current = _open(plan)
    subject = of_plan(current)
    if subject.is_author(actor):
        subjects.no_longer_needed(subject, actor=actor, outcome="withdrawn")
        return _decide(current, State.REFUSED, "withdrawn", actor, reason)
    current.decision = verdicts.refuse(subject, actor=actor, seen=seen, reason=reason)
    return _decide(current, State.REFUSED, State.REFUSED, actor, reason)


def _open(plan: DeletionPlan) -> DeletionPlan:
    current = DeletionPlan.objects.select_for_update(of=("self",)).select_related("purpose").get(pk=plan.pk)
    if current.state != State.PROPOSED:
        raise PlanRefused(f"This plan was {current.get_state_display().lower()} already.")
    return current


def _refuse_outdated(plan: DeletionPlan) -> None:
    try:
        require_current(plan)
    except Outdated as exc:
        raise PlanRefused(str(exc)) from exc


def _decide(plan: DeletionPlan, state: DeletionPlan.State, step: str, actor: str, reason: str = "") -> DeletionPlan:
    plan.state = state
    plan.save(update_fields=["state", "decision"])
    _record(step, plan, actor, reason)
    return plan


def require_current(plan: DeletionPlan, *, now: datetime | None = None) -> None:
    """Raise Outdated unless the plan is the document that was signed, young, and still what its schedule says."""
    if sha256(canonical_json(plan.document)).hex() != plan.digest:
        raise Outdated("The plan's document was changed after it was signed.")
    if (now or timezone.now()) - plan.made_at > VALID_FOR:
        raise Outdated(f"The plan is older than {VALID_FOR.days} days. Make a new one.")
    schedule = schedules.ending().filter(slug=plan.schedule).first()
    if schedule is None:
        raise Outdated("The retention schedule is not in use any more. Nothing is deleted for its age.")
    if gone := sorted(set(plan.document["data_sets"]) - set(schedules.data_sets())):
        raise Outdated(f"The data set {gone[0]} is not registered any more. Make a new plan.")
    _require_terms(plan, schedule)


def _require_terms(plan: DeletionPlan, schedule: RetentionSchedule) -> None:
    """Raise Outdated where the schedule keeps longer now, does something else, or a law asks for more."""
    planned_days, now = plan.document["retain_days"], timezone.now()
    if schedule.retain_for and planned_days is not None and schedule.retain_for.days > planned_days:
        raise Outdated("The retention period is longer now than the plan says. Make a new plan.")
    frozen = plan.document.get("terms") or EARLIER
    current = terms.of(schedule, now)
    if current["keep_last"] > frozen["keep_last"]:
        raise Outdated("The window is larger now than the plan says. Make a new plan.")
    if any(current[name] != frozen[name] for name in ("data_set", "trigger", "action", "jurisdiction")):
        raise Outdated("The schedule does something else now than the plan says. Make a new plan.")
    if any(_asks_more(each, frozen, now) for each in current["minimums"]):
        raise Outdated("A legal minimum keeps more now than the plan says. Make a new plan.")


def _asks_more(minimum: dict[str, Any], frozen: dict[str, Any], now: datetime) -> bool:
    """Return whether a legal minimum is new since the plan, is longer, or names more."""
    for each in frozen["minimums"]:
        if each["schedule"] == minimum["schedule"]:
            grown = _length(minimum, now) > _length(each, datetime.fromisoformat(frozen["at"]))
            names_more = each["kinds"] and not (minimum["kinds"] and set(minimum["kinds"]) <= set(each["kinds"]))
            return bool(grown or names_more) or minimum["purpose"] != each["purpose"]
    return True


def _length(minimum: dict[str, Any], at: datetime) -> timedelta:
    return at - datetime.fromisoformat(minimum["since"])


def planned(plan: DeletionPlan) -> Mapping[str, int]:
    """Return how many rows of each data set the plan lets a run delete."""
    return {name: int(each["due"]) for name, each in plan.document["data_sets"].items()}


def _record(step: str, plan: DeletionPlan, actor: str, reason: str = "") -> None:
    purpose = plan.purpose.slug if plan.purpose else None
    details = {"plan": str(plan.id), "schedule": plan.schedule, "purpose": purpose, "due": plan.due}
    steps.record(of_plan(plan), step, actor=actor, note=reason, details=details)
