"""Deletion of data whose consent was withdrawn or whose retention ended. In batches, restartable, with proof.

Every batch is one transaction with its checkpoint, so a killed worker loses at most the batch in flight and the next
run goes on behind it. The manifest covers every removed key; its SHA-256 stands in the audit trail.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import DateTimeField, Exists, Func, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from audit import trail
from common import actors
from common.canonical import sha256
from common.jobs import queues
from consent.ledger.persons.erasing import SOURCE as ERASURE
from consent.models import ConsentRecord, DataSubject
from privacy.models import DeletionPlan, DeletionSwitch, Disposal, HoldMember, RetentionSchedule
from privacy.retention import manifest, pacing, plans, schedules, turns, undo
from privacy.retention.data_sets import refusals, terms
from privacy.retention.data_sets.extents import Extent
from privacy.retention.pacing import Pace
from privacy.retention.plans import Outdated
from privacy.retention.tables import Batch, Position, Table, note_end
from privacy.retention.turns import Checkpoint

logger = logging.getLogger(__name__)
# The moment, by the database's clock, that parts what the withdrawn consent allowed from what a later one does. The
# withdrawal's own time is too early: it was taken before the commit, and data may have come in between. From the
# commit to the next choice nothing is stored, so the time of either, or now, is late enough.
_END_OF_CONSENT = Coalesce(
    Subquery(ConsentRecord.objects.filter(supersedes=OuterRef("pk")).values("recorded_at")),
    Func(function="statement_timestamp", output_field=DateTimeField()),
)
_A_MESSAGE = 50
BATCH = 20_000
_WITHDRAWN = (ConsentRecord.State.WITHDRAWN, ConsentRecord.State.OBJECTED)


def queue_for_withdrawals(records: Sequence[UUID]) -> None:
    """Queue one disposal for each withdrawal and hand it to a worker: three statements for any number.

    Safe to call twice for the same records.
    """
    withdrawn = ConsentRecord.objects.filter(id__in=records, scope="", state__in=_WITHDRAWN)
    rows = withdrawn.annotate(ended=_END_OF_CONSENT).values_list("id", "purpose__id", "subject_id", "ended")
    wanted = [
        Disposal(record_id=record, reason=Disposal.Reason.WITHDRAWAL, purpose_id=purpose, subject_ref=ref, before=ended)
        for record, purpose, ref, ended in rows
    ]
    Disposal.objects.bulk_create(wanted, ignore_conflicts=True)
    open_ones = Disposal.objects.filter(record_id__in=[new.record_id for new in wanted], status__in=Disposal.OPEN)
    _hand_over(list(open_ones.values_list("id", flat=True)))


def _hand_over(disposals: Sequence[UUID], queue: str = queues.URGENT) -> None:
    """Hand disposals to workers once they are committed, several a message."""
    from privacy.tasks import run_disposals

    for first in range(0, len(disposals), _A_MESSAGE):
        message = [str(each) for each in disposals[first : first + _A_MESSAGE]]
        run_disposals.apply_async_on_commit(args=(message,), queue=queue)


def sweep() -> int:
    """Queue what did not reach a worker: withdrawals without disposal, and disposals not done."""
    disposed = Disposal.objects.filter(record_id=OuterRef("pk"))
    # An erasure deletes by itself, and more than a withdrawal does.
    ended = ConsentRecord.objects.filter(~Exists(disposed), scope="", state__in=_WITHDRAWN).exclude(source=ERASURE)
    missing = list(ended.values_list("pk", flat=True)[:1_000])
    queue_for_withdrawals(missing)
    held = DataSubject.objects.filter(Q(held=True) | Q(restricted=True), ref=OuterRef("subject_ref"))
    member = HoldMember.objects.filter(
        Q(purpose="") | Q(purpose=OuterRef("purpose__slug")), ref=OuterRef("subject_ref")
    )
    overdue = Disposal.objects.filter(
        ~Exists(held), ~Exists(member), status__in=Disposal.OPEN, queued_at__lt=timezone.now() - timedelta(minutes=1)
    )
    if DeletionSwitch.objects.exists():
        overdue = overdue.exclude(reason=Disposal.Reason.RETENTION)
    for reason, queue in ((Disposal.Reason.WITHDRAWAL, queues.URGENT), (Disposal.Reason.RETENTION, queues.LONG)):
        of_reason = overdue.filter(reason=reason).order_by("queued_at")
        _hand_over(list(of_reason.values_list("id", flat=True)[:1_000]), queue)
    return len(missing)


def queue_for_retention(*, actor: str) -> list[Disposal]:
    """Plan what every schedule makes due; queue each plan that nothing blocks. The others wait for an officer."""
    queued = []
    for schedule in schedules.ending():
        plan = plan_if_due(schedule, actor=actor)
        if plan is not None and not plan.blockers:
            queued.append(queue_plan(plans.approve_by_schedule(plan, actor=actor)))
    return queued


def plan_if_due(schedule: RetentionSchedule, *, actor: str) -> DeletionPlan | None:
    """Return a new plan of the schedule; None where nothing is due, it cannot run, or a plan or run of it is open."""
    waiting = DeletionPlan.objects.filter(
        schedule=schedule.slug, state=DeletionPlan.State.PROPOSED, made_at__gt=timezone.now() - plans.VALID_FOR
    )
    unfinished = Disposal.objects.filter(
        schedule=schedule.slug, reason=Disposal.Reason.RETENTION, status__in=(*Disposal.OPEN, Disposal.Status.PAUSED)
    )
    if waiting.exists() or unfinished.exists():
        return None
    found = schedules.way_of(schedule)
    if found is None or refusals.why_not(schedule) or not found.has_due(terms.extent(schedule, timezone.now())):
        return None
    return plans.make(schedule, actor=actor, by_schedule=True)


@transaction.atomic
def queue_plan(plan: DeletionPlan) -> Disposal:
    """Queue the run of an approved plan and hand it to a worker."""
    run = run_of(plan)
    hand_over_long(run)
    return run


def run_of(plan: DeletionPlan) -> Disposal:
    """Return the one run of an approved plan. Raises PlanRefused."""
    if plan.state != DeletionPlan.State.APPROVED:
        raise plans.PlanRefused("The plan is not approved, so nothing of it is deleted.")
    said = {"purpose": plan.purpose, "before": plan.before, "schedule": plan.schedule}
    frozen = plan.document.get("terms", {})
    run, _ = Disposal.objects.get_or_create(
        plan=plan, defaults={"reason": Disposal.Reason.RETENTION, "terms": frozen, **said}
    )
    return run


def hand_over_long(run: Disposal) -> None:
    """Hand a retention run to the worker of long jobs: a message of its own."""
    _hand_over([run.id], queues.LONG)


def run(disposal_id: UUID, *, pace: Pace | None = None) -> Disposal:
    """Execute a disposal. Two workers may run the same one: they take turns and the end is written once."""
    disposal = Disposal.objects.select_related("purpose", "plan").get(pk=disposal_id)
    if disposal.status not in Disposal.OPEN:
        return disposal
    pace = pace or _pace_of(disposal)
    try:
        if disposal.plan is not None:
            plans.require_current(disposal.plan)
        for store in _stores_of(disposal):
            _empty(disposal, store, pace)
        return _finish(disposal.pk)
    except Outdated as exc:
        return _stop(disposal.pk, str(exc))
    except _NotNow:
        return Disposal.objects.select_related("purpose", "plan").get(pk=disposal_id)


def _stores_of(disposal: Disposal) -> Iterable[Table]:
    """Return what the run acts through: the way of its schedule, or every data set of a purpose. Raises Outdated."""
    if not disposal.terms:
        return schedules.stores()
    said = disposal.terms
    found = schedules.way(said["data_set"], said["trigger"], said["action"])
    if found is None:
        raise Outdated(f"The data set {said['data_set']} is not registered any more. Make a new plan.")
    return [found]


def _extent_of(disposal: Disposal) -> Extent:
    purpose = disposal.purpose.slug if disposal.purpose else None
    if disposal.terms:
        return terms.extent_of(disposal.terms, disposal.before, purpose)
    return Extent(disposal.before, purpose, disposal.subject_ref)


def _pace_of(disposal: Disposal) -> Pace:
    return pacing.for_retention() if disposal.reason == Disposal.Reason.RETENTION else Pace(gentle=False)


def _empty(disposal: Disposal, store: Table, pace: Pace) -> None:
    goes_on = True
    while goes_on:
        began, before = time.monotonic(), disposal.total_removed
        goes_on = _one_batch(disposal, store, min(BATCH, pacing.GENTLE_BATCH) if pace.gentle else BATCH)
        pace.rest(time.monotonic() - began, disposal.total_removed - before)


class _NotNow(Exception):
    """A hold keeps the data, or the run is paused, stopped or switched off: the sweep goes on when that has ended."""


def _require_free(disposal: Disposal) -> None:
    """Raise _NotNow where a hold keeps the person of this disposal."""
    if disposal.subject_ref is not None and turns.is_kept(disposal.subject_ref, disposal.about):
        raise _NotNow


def _lock(disposal: Disposal, store: Table) -> Checkpoint:
    """Lock the run before anything is deleted, and return where it is. Raises _NotNow."""
    last = turns.lock_run(disposal.pk, store.table if store.deletes else None)
    if last.status in (Disposal.Status.PAUSED, Disposal.Status.STOPPED):
        raise _NotNow
    if disposal.reason == Disposal.Reason.RETENTION and last.is_switched_off:
        raise _NotNow
    return last


@transaction.atomic
def _one_batch(disposal: Disposal, store: Table, size: int | None = None) -> bool:
    """Delete one batch and note it in the manifest; return whether there may be more. Raises _NotNow, Outdated."""
    turns.take(store.name)
    _require_free(disposal)
    last = _lock(disposal, store)
    if last.status == Disposal.Status.DONE:
        return False
    extent = _extent_of(disposal)
    start = _start(last, store)
    end = store.locate(extent, start, size or BATCH)
    keep = disposal.plan is not None and disposal.plan.document["undo_days"] > 0
    number = last.number + 1
    gone = store.delete_batch(extent, Batch(disposal.id, number, start, end), keep=keep)
    if not gone.rows and end is None:
        # What a hold kept, or another run took, is behind us; only the whole extent says that nothing is left.
        return _note_passed(disposal, store, number, start) and store.has_due(extent)
    removed = _note(disposal, store, gone.rows, last)
    _require_planned(disposal, store, removed)
    if gone.content is not None:
        undo.seal(disposal, number, store.name, gone.content, undo.make_key(disposal.id))
    disposal.removed = removed
    return end is not None or store.has_due(extent)


def _start(last: Checkpoint, store: Table) -> Position | None:
    if last.store != store.name or last.reached is None:
        return None
    return Position(last.reached, last.reached_key or "")


def _note(disposal: Disposal, store: Table, rows: int, last: Checkpoint) -> dict[str, int]:
    return turns.note_batch(disposal.pk, store.name, rows, last, store.table if store.deletes else None)


def _note_passed(disposal: Disposal, store: Table, number: int, start: Position | None) -> bool:
    """Note that the pass reached the end, so that the next one begins at the beginning."""
    if start is not None:
        note_end(store.name, disposal.pk, number)
    return True


def _require_planned(disposal: Disposal, store: Table, removed: dict[str, int]) -> None:
    """Raise Outdated where the batch in hand, which is then rolled back, goes beyond what the plan says."""
    if disposal.plan is None:
        return
    allowed = plans.planned(disposal.plan).get(store.name, 0)
    if removed.get(store.name, 0) > allowed:
        raise Outdated(
            f"There is more to delete in {store.name} than the {allowed:,} rows of the plan: data came in late, or a"
            " hold ended. Make a new plan for the rest."
        )


@transaction.atomic
def _stop(disposal_id: UUID, why: str) -> Disposal:
    disposal = Disposal.objects.select_for_update(of=("self",)).select_related("purpose", "plan").get(pk=disposal_id)
    if disposal.status in Disposal.OPEN:
        disposal.status, disposal.why_stopped = Disposal.Status.STOPPED, why
        disposal.save(update_fields=["status", "why_stopped"])
        seal_stopped(disposal)
        trail.record(
            "disposal.stopped",
            disposal.about,
            actor=actors.job("disposal"),
            details={"disposal": str(disposal.id), "removed": disposal.removed, "reason": why},
        )
    return disposal


def _by_schedule(disposal: Disposal) -> dict[str, str]:
    """Return which schedule the run followed, and what it did."""
    if not disposal.terms:
        return {}
    return {"schedule": disposal.schedule, "action": disposal.terms["action"]}


def seal_stopped(disposal: Disposal) -> None:
    """Write the end of a run that was stopped: when, and the manifest of what it had removed."""
    disposal.finished_at = timezone.now()
    disposal.manifest_sha256 = sha256(manifest.manifest(disposal)).hex()
    disposal.undo_until = _undo_until(disposal)
    disposal.save(update_fields=["finished_at", "manifest_sha256", "undo_until"])


def _undo_until(disposal: Disposal) -> datetime | None:
    days = disposal.plan.document["undo_days"] if disposal.plan else 0
    return timezone.now() + timedelta(days=days) if days and disposal.removed else None


@transaction.atomic
def _finish(disposal_id: UUID) -> Disposal:
    disposal = Disposal.objects.select_for_update(of=("self",)).select_related("purpose", "plan").get(pk=disposal_id)
    if disposal.status not in Disposal.OPEN:
        return disposal
    disposal.status = Disposal.Status.DONE
    disposal.finished_at = timezone.now()
    disposal.manifest_sha256 = sha256(manifest.manifest(disposal)).hex()
    disposal.undo_until = _undo_until(disposal)
    disposal.save(update_fields=["status", "finished_at", "manifest_sha256", "undo_until"])
    trail.record(
        "disposal.done",
        str(disposal.subject_ref or disposal.about),
        actor=actors.job("disposal"),
        details={
            "disposal": str(disposal.id),
            "reason": disposal.reason,
            "purpose": disposal.purpose.slug if disposal.purpose else None,
            **_by_schedule(disposal),
            "removed": disposal.removed,
            "manifest_sha256": disposal.manifest_sha256,
        },
    )
    logger.info("Disposal %s done: %s rows removed", disposal.id, disposal.total_removed)
    return disposal
