"""Bring a change set into force: one transaction, at most one revision, one audit event."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.utils import timezone

from common import policy_data
from common.registers.lint import Finding
from oversight import guard, registers, relaxing, rows
from oversight.approvals import subjects, verdicts
from oversight.changes import checking, documents, drafting, steps, writing
from oversight.changes.documents import Compared, Document
from oversight.changes.preview import compared
from oversight.changes.states import Step, allows, target
from oversight.changes.subject import subject_of
from oversight.models import ChangeSet
from oversight.problems import ChangeRefused

Kind = ChangeSet.Kind
_STEP = {
    Kind.NORMAL: Step.APPLIED,
    Kind.PROTECTIVE: Step.APPLIED_PROTECTIVELY,
    Kind.EMERGENCY: Step.APPLIED_IN_EMERGENCY,
    Kind.SINGLE: Step.APPLIED_ALONE,
    Kind.RELAXED: Step.APPLIED_AS_RELAXED,
    Kind.SHIPPED: Step.SHIPPED,
    Kind.RELEASE: Step.RELEASED,
}


def bring_into_force(
    change_set: ChangeSet, *, kind: Kind, actor: str, reason: str = "", details: Mapping[str, Any] | None = None
) -> ChangeSet:
    """Write a locked set and publish once. The caller holds the publishers' turn and has decided who may.

    Raises NotNow, Outdated, ChangeRefused.
    """
    target(change_set.state, _STEP[kind])
    changes = compared(change_set)
    if kind != Kind.RELEASE:
        registers.refuse_if_kept_elsewhere(change.register for change in changes)
    writing.refuse_outdated(changes)
    before = checking.lint()
    with writing.of_set(change_set.pk):
        done = writing.write(changes, writer=kind)
    checking.refuse(checking.as_document(checking.new_findings(before, checking.lint())))
    revision = policy_data.changed(reason=change_set.title, actor=actor) if done.in_bundle else ""
    _finish(change_set, kind, revision)
    said = {
        "author": change_set.author_name,
        "kind": str(kind),
        "revision": revision,
        "changes": [_described(change) for change in changes],
        "sealed_rows": done.sealed,
        **(details or {}),
    }
    fields = ("kind", "bundle_revision", "applied_at")
    is_alone = kind in (Kind.PROTECTIVE, Kind.EMERGENCY, Kind.RELAXED)
    steps.take(change_set, _STEP[kind], actor=actor, note=reason[:500], details=said, save=fields, is_alone=is_alone)
    if is_alone:
        subjects.ask_for_review(subject_of(change_set), actor=actor)
    _undo_original(change_set, actor)
    return change_set


def _finish(change_set: ChangeSet, kind: Kind, revision: str) -> None:
    change_set.kind, change_set.bundle_revision, change_set.applied_at = kind, revision, timezone.now()


def _described(change: Compared) -> dict[str, Any]:
    fields = documents.for_trail(change.before, change.after)
    return {"register": change.register, "key": change.key, "fields": fields}


def _undo_original(change_set: ChangeSet, actor: str) -> None:
    if change_set.undoes_id is None:
        return
    original = ChangeSet.objects.select_for_update(of=("self",)).get(pk=change_set.undoes_id)
    if allows(original.state, Step.UNDONE):
        steps.take(original, Step.UNDONE, actor=actor, details={"by": subject_of(change_set).trail_object})


def only_narrows(changes: Iterable[Compared]) -> bool:
    """Return whether every change only takes permission away, by the rules of its register."""
    listed = list(changes)
    together = {(c.register, c.key): c.after for c in listed}
    return all(_narrows(registers.find(c.register), c, together) for c in listed)


def _narrows(
    register: registers.Register, change: Compared, together: Mapping[tuple[str, str], Document | None]
) -> bool:
    return register.narrows(change.before, change.after) or register.narrows_with(change.key, change.after, together)


def to_confirm(changes: Iterable[Compared]) -> list[str]:
    """Return the claims of a set that only a second officer's word makes true."""
    said = (registers.find(change.register).to_confirm(change.before, change.after) for change in changes)
    return list(dict.fromkeys(filter(None, said)))  # a version is one claim in every language


@transaction.atomic
def apply_protectively(change_set: ChangeSet, *, actor: str, reason: str) -> ChangeSet:
    """Bring a draft that only takes permission away into force alone; another officer looks at it afterwards.

    Raises ChangeRefused, NotNow, Outdated.
    """
    policy_data.take_turn()
    current = steps.locked(change_set)
    drafting.refuse_others(current, actor)
    if not only_narrows(compared(current)):
        raise ChangeRefused("This does not only take permission away, so a second officer has to approve it.")
    return bring_into_force(current, kind=Kind.PROTECTIVE, actor=actor, reason=reason)


@transaction.atomic
def apply_in_emergency(change_set: ChangeSet, *, actor: str, reason: str) -> ChangeSet:
    """Bring a draft into force alone in an emergency. It stays on the start page until another officer has looked.

    Raises ChangeRefused, NotNow, Outdated.
    """
    verdicts.refuse_without_reason(reason)
    policy_data.take_turn()
    current = steps.locked(change_set)
    drafting.refuse_others(current, actor)
    if not all(registers.find(c.register).in_emergency for c in compared(current)):
        raise ChangeRefused("This needs two officers, in an emergency too.")
    _refuse_claims(current)
    return bring_into_force(current, kind=Kind.EMERGENCY, actor=actor, reason=reason)


def _refuse_claims(change_set: ChangeSet) -> None:
    if to_confirm(compared(change_set)):
        raise ChangeRefused(
            "Only a second officer can confirm that a changed text says no more than before. Mark the version as"
            " material, or propose the set."
        )


@transaction.atomic
def apply_relaxed(change_set: ChangeSet, *, actor: str, reason: str) -> ChangeSet:
    """Bring a draft into force alone whose registers are all relaxed; another officer looks at it afterwards.

    Raises ChangeRefused, NotNow, Outdated.
    """
    policy_data.take_turn()
    current = steps.locked(change_set)
    drafting.refuse_others(current, actor)
    if not relaxing.is_relaxed(change.register for change in compared(current)):
        raise ChangeRefused("Not all of these registers may be changed by one officer: another one has to approve it.")
    _refuse_claims(current)
    return bring_into_force(current, kind=Kind.RELAXED, actor=actor, reason=reason)


@contextmanager
def apply_shipped(*, title: str, actor: str, kind: Kind = Kind.SHIPPED) -> Iterator[None]:
    """Let the block write what a release ships or another cell released; store what it changed as a set in force.

    The block publishes by itself. No set is stored where it changed nothing. What was written is checked as a draft is,
    and the findings are the set's. Raises ChangeRefused for an error in what a release ships.
    """
    with transaction.atomic():
        policy_data.take_turn()
        before, known = _everything(), checking.lint()
        with guard.writing(kind):
            yield
        changes = _between(before, _everything())
        if changes:
            found = checking.as_document([*_unfit(changes), *checking.new_findings(known, checking.lint())])
            if kind == Kind.SHIPPED:  # another cell's release passed there, and holding it back would keep older rules
                checking.refuse(found)
            _store_shipped(changes, found, title=title, actor=actor, kind=kind)


def _everything() -> dict[tuple[str, str], Document]:
    return {
        (register.name, key): document
        for register in registers.all_registers()
        for key, document in rows.all_documents(register).items()
    }


def _between(before: Mapping[tuple[str, str], Document], after: Mapping[tuple[str, str], Document]) -> list[Compared]:
    moved = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return [Compared(*name, before.get(name), after.get(name)) for name in moved]


def _unfit(changes: Iterable[Compared]) -> Iterator[Finding]:
    """Find rows that no form and no file would let through."""
    for change in changes:
        register = registers.find(change.register)
        if said := rows.unfit(register, change.key):
            yield Finding(change.register, change.key, ChangeRefused.code, f"{register.title} {change.key}: {said}")


def _store_shipped(
    changes: Sequence[Compared], found: list[dict[str, Any]], *, title: str, actor: str, kind: Kind
) -> None:
    change_set = drafting.store(changes, title=title, actor=actor, kind=kind)
    change_set.kind, change_set.applied_at = kind, timezone.now()
    change_set.findings, change_set.checked_digest = found, change_set.digest
    details = {
        "kind": str(kind),
        "changes": [[change.register, change.key] for change in changes],
        "errors": sum(finding["is_error"] for finding in found),
    }
    save = ("kind", "applied_at", "findings", "checked_digest")
    steps.take(change_set, _STEP[kind], actor=actor, details=details, save=save)
