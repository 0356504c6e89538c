"""Preview of a set's effect: the real write in a savepoint that is rolled back."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import transaction

from common import policy_data
from common.http.problems import Problem
from common.registers.lint import Finding
from oversight.changes import checking, writing
from oversight.changes.documents import Compared
from oversight.changes.steps import locked
from oversight.models import ChangeSet

_Read = TypeVar("_Read")


@dataclass(frozen=True)
class Measured:
    """A figure or a text over the registers as they are: what it is of, and by which method."""

    key: str
    label: str
    value: int | str
    method: str


Effect = Callable[[Sequence[Compared]], Iterable[Measured]]
_effects: list[Effect] = []


def add_effect(*effects: Effect) -> None:
    """Register functions that measure the registers before the write and after it."""
    _effects.extend(effect for effect in effects if effect not in _effects)


Later = Callable[[ChangeSet], None]
Probe = Callable[[], Later]
_probes: list[Probe] = []


def add_probe(*probes: Probe) -> None:
    """Register functions that are called while the write stands, published.

    Each reads what it needs and returns what is done with it once the write is taken back: the publishers wait while
    the write stands, so what takes long is left to a job.
    """
    _probes.extend(probe for probe in probes if probe not in _probes)


def compared(change_set: ChangeSet) -> list[Compared]:
    """Return a set's changes."""
    return [Compared(c.register, c.key, c.before, c.after) for c in change_set.changes.all()]


@transaction.atomic
def check(change_set: ChangeSet) -> ChangeSet:
    """Lint and preview a set as it stands, and stamp the result on its digest."""
    current = locked(change_set)
    changes = compared(current)
    policy_data.take_turn()
    before, figures = checking.lint(), _measure(changes)
    current.base = checking.registers_digest()
    tried = _tried(changes, str(current.author_name))
    current.findings = checking.as_document(checking.new_findings(before, tried.findings))
    current.preview = _paired(figures, tried.figures)
    current.expected_revision = tried.revision
    current.checked_digest = current.digest
    current.save(update_fields=["base", "findings", "preview", "expected_revision", "checked_digest"])
    for later in tried.later:
        later(current)
    return current


@transaction.atomic
def findings(changes: Sequence[Compared], *, actor: str) -> list[Finding]:
    """Return what lint would find after changes; nothing of them stays."""
    policy_data.take_turn()
    before = checking.lint()
    return checking.new_findings(before, _tried(changes, actor).findings)


@transaction.atomic
def read_after(changes: Sequence[Compared], read: Callable[[], _Read]) -> _Read | None:
    """Return what ``read`` finds while the changes stand; None where they are refused. Nothing of them stays."""
    policy_data.take_turn()
    point = transaction.savepoint()
    try:
        writing.write(changes, writer="preview")
        return read()
    except Problem:
        return None
    finally:
        transaction.savepoint_rollback(point)


@dataclass(frozen=True)
class _Tried:
    """What stood while the write did; ``later`` is what the probes do after it."""

    findings: list[Finding]
    figures: list[Measured] = field(default_factory=list)
    revision: str = ""
    later: list[Later] = field(default_factory=list)


def _tried(changes: Sequence[Compared], actor: str) -> _Tried:
    """Write, look, and take back."""
    point = transaction.savepoint()
    try:
        writing.write(changes, writer="preview")
        revision = policy_data.changed(reason="preview of a change set", actor=actor)
        return _Tried(checking.lint(), _measure(changes), revision, [probe() for probe in _probes])
    except Problem as refused:
        return _Tried([Finding(changes[0].register, changes[0].key, refused.code, refused.detail)])
    finally:
        transaction.savepoint_rollback(point)


def _measure(changes: Sequence[Compared]) -> list[Measured]:
    return [figure for effect in _effects for figure in effect(changes)]


def _paired(before: Iterable[Measured], after: Iterable[Measured]) -> list[dict[str, Any]]:
    """Return each figure with its value before and after; what is only there before or after has None."""
    old = {figure.key: figure for figure in before}
    new = {figure.key: figure for figure in after}
    return [
        {
            "key": key,
            "label": figure.label,
            "method": figure.method,
            "before": old[key].value if key in old else None,
            "after": new[key].value if key in new else None,
        }
        for key, figure in {**old, **new}.items()
    ]
