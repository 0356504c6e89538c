"""Open, claim, escalate and close work items. One is open for each kind and object."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from audit import trail
from common import actors
from oversight.models import WorkItem, WorkStep
from oversight.problems import NotNow
from oversight.work import kinds

State = WorkItem.State


@transaction.atomic
def open_item(
    kind: str, object_name: str, *, actor: str, now: datetime | None = None, due_at: datetime | None = None
) -> WorkItem:
    """Open an item, or return the one that is open. ``due_at``: the work's own time, which may move."""
    moment = now or timezone.now()
    item, created = WorkItem.objects.get_or_create(
        kind=kind,
        object=object_name,
        state__in=WorkItem.OPEN_STATES,
        defaults={"opened_at": moment, "due_at": due_at or moment + kinds.find(kind).due, "state": State.OPEN},
    )
    if created:
        _step(item, State.OPEN, actor)
    elif due_at is not None and item.due_at != due_at:
        item.due_at = due_at
        item.save(update_fields=["due_at"])
    return item


@transaction.atomic
def claim(item: WorkItem, *, actor: str) -> WorkItem:
    """Take an item over. Raises NotNow."""
    current = _open(item)
    current.owner_id, current.claimed_at = actors.account_of(actor), timezone.now()
    return _move(current, State.CLAIMED, actor, "owner", "claimed_at")


@transaction.atomic
def hand_on(item: WorkItem, *, actor: str, note: str) -> WorkItem:
    """Give an item back for the next officer to claim. Raises NotNow."""
    return _given_back(item, State.OPEN, actor, note)


@transaction.atomic
def escalate(item: WorkItem, *, actor: str, note: str) -> WorkItem:
    """Give an item back as one that another officer has to decide. Raises NotNow."""
    return _given_back(item, State.ESCALATED, actor, note)


@transaction.atomic
def finish(item: WorkItem, *, actor: str, outcome: str = "") -> WorkItem:
    """Close an item that is done. Raises NotNow."""
    current = _open(item)
    current.outcome = outcome[:500]
    return _move(current, State.DONE, actor, "outcome")


@transaction.atomic
def void(item: WorkItem, *, actor: str, outcome: str = "") -> WorkItem:
    """Close an item that needs no work any more. Raises NotNow."""
    current = _open(item)
    current.outcome = outcome[:500]
    return _move(current, State.VOID, actor, "outcome")


def find_open(kind: str, object_name: str) -> WorkItem | None:
    return WorkItem.objects.filter(kind=kind, object=object_name, state__in=WorkItem.OPEN_STATES).first()


def all_open(kind: str) -> list[WorkItem]:
    """Return the open items of a kind."""
    return list(WorkItem.objects.filter(kind=kind, state__in=WorkItem.OPEN_STATES))


@transaction.atomic
def escalate_overdue(now: datetime) -> int:
    """Mark every item that is past its due time; return how many."""
    late = WorkItem.objects.select_for_update(skip_locked=True).filter(
        state__in=(State.OPEN, State.CLAIMED), due_at__lt=now
    )
    items = list(late)
    for item in items:
        _move(item, State.ESCALATED, actors.job("work"))
    return len(items)


def _given_back(item: WorkItem, state: State, actor: str, note: str) -> WorkItem:
    current = _open(item)
    current.owner_id, current.claimed_at, current.state = None, None, state
    current.save(update_fields=["state", "owner", "claimed_at"])
    _step(current, state, actor, note[:500])
    return current


def _open(item: WorkItem) -> WorkItem:
    current = WorkItem.objects.select_for_update(of=("self",)).get(pk=item.pk)
    if current.state not in WorkItem.OPEN_STATES:
        raise NotNow(f"This work is {State(current.state).label.lower()} already.")
    return current


def _move(item: WorkItem, state: State, actor: str, *fields: str) -> WorkItem:
    item.state = state
    item.save(update_fields=["state", *fields])
    _step(item, state, actor, item.outcome)
    return item


def _step(item: WorkItem, state: State, actor: str, note: str = "") -> None:
    WorkStep.objects.create(item=item, kind=state, actor=str(actor), note=note)
    details = {"kind": item.kind, "object": item.object, "due_at": item.due_at.isoformat()}
    trail.record(f"work.{state}", f"work {item.pk}", actor=actor, details=details)
