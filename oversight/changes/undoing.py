"""Undo: the inverse of a set in force, as a draft that goes the same way."""

from django.db import transaction

from oversight import registers, rows
from oversight.changes import drafting, steps
from oversight.changes.documents import Proposed
from oversight.changes.states import Step, target
from oversight.models import Change, ChangeSet
from oversight.problems import ChangeRefused, Outdated


@transaction.atomic
def undo(change_set: ChangeSet, *, actor: str, reason: str = "") -> ChangeSet:
    """Draft the inverse of a set in force: one officer may apply it where it narrows, otherwise two.

    Raises NotNow; Outdated where an object has moved on; ChangeRefused where it cannot be taken back.
    """
    current = steps.locked(change_set)
    target(current.state, Step.UNDONE)
    changes = list(current.changes.order_by("-position"))
    moved = [str(change) for change in changes if _now(change) != change.after]
    if moved:
        raise Outdated(f"Changed again since: {', '.join(moved)}. Undo the later change first.")
    return drafting.draft(
        [_inverse(change) for change in changes],
        title=f"Undo: {current.title}",
        reason=reason,
        actor=actor,
        undoes=current,
    )


def _now(change: Change) -> dict[str, object] | None:
    return rows.find_document(registers.find(change.register), change.key)


def _inverse(change: Change) -> Proposed:
    register = registers.find(change.register)
    if register.inverse is None:
        return Proposed(change.register, change.key, change.before)
    made = register.inverse(change.before, change.after)
    if made is None:
        raise ChangeRefused(f"{register.title} {change.key} was the first of its kind and can never be taken back.")
    return Proposed(change.register, *made)
