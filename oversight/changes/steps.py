"""Take a step: the state, the step's row and its audit event together."""

from collections.abc import Mapping
from typing import Any

from audit import trail
from oversight.changes import states
from oversight.changes.states import Step
from oversight.models import ChangeSet, SetStep


def trail_object(change_set: ChangeSet) -> str:
    """Return what the audit trail calls a set."""
    return f"changes {change_set.pk}"


def take(
    change_set: ChangeSet,
    step: Step,
    *,
    actor: str,
    note: str = "",
    details: Mapping[str, Any] | None = None,
    save: tuple[str, ...] = (),
) -> None:
    """Move a locked set on, with the fields in ``save``. Raises NotNow."""
    change_set.state = states.target(change_set.state, step)
    change_set.save(update_fields=["state", *save])
    record(change_set, step, actor=actor, note=note, details=details)


def record(
    change_set: ChangeSet, step: Step, *, actor: str, note: str = "", details: Mapping[str, Any] | None = None
) -> None:
    """Write a step's row and its audit event; the state stays."""
    SetStep.objects.create(set=change_set, kind=step, actor=str(actor), note=note)
    said = {"digest": change_set.digest, **({"reason": note} if note else {}), **(details or {})}
    trail.record(f"changes.{step}", trail_object(change_set), actor=actor, details=said)


def locked(change_set: ChangeSet) -> ChangeSet:
    """Return the set as it stands, locked until the transaction ends."""
    return ChangeSet.objects.select_for_update(of=("self",)).get(pk=change_set.pk)
