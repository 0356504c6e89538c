"""Take a step: the state, the step's row and its audit event together."""

from collections.abc import Mapping
from typing import Any

from oversight.approvals import steps
from oversight.changes import states
from oversight.changes.states import Step
from oversight.changes.subject import subject_of
from oversight.models import ChangeSet


def take(
    change_set: ChangeSet,
    step: Step,
    *,
    actor: str,
    note: str = "",
    details: Mapping[str, Any] | None = None,
    save: tuple[str, ...] = (),
    is_alone: bool = False,
) -> None:
    """Move a locked set on, with the fields in ``save``. Raises NotNow."""
    change_set.state = states.target(change_set.state, step)
    change_set.save(update_fields=["state", *save])
    steps.record(subject_of(change_set), step, actor=actor, note=note, details=details, is_alone=is_alone)


def locked(change_set: ChangeSet) -> ChangeSet:
    """Return the set as it stands, locked until the transaction ends."""
    return ChangeSet.objects.select_for_update(of=("self",)).get(pk=change_set.pk)
