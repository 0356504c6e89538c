"""Preview of a set's effect: the real write in a savepoint that is rolled back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import transaction

from common import policy_data
from common.http.problems import Problem
from common.registers.lint import Finding
from oversight.changes import checking, counting, figures, writing
from oversight.changes.counting import Progress, Wanted
from oversight.changes.documents import Compared
from oversight.changes.figures import Measured
from oversight.changes.steps import locked
from oversight.models import ChangeSet

_Read = TypeVar("_Read")
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
    """Lint and preview a set as it stands, and stamp the result on its digest.

    Where there are many people a job counts them afterwards (``counting``).
    """
    current = locked(change_set)
    changes = compared(current)
    policy_data.take_turn()
    before, measured, wanted = checking.lint(), figures.measure(changes), counting.describe(changes)
    current.base = checking.registers_digest()
    tried = _tried(changes, str(current.author_name))
    current.findings = checking.as_document(checking.new_findings(before, tried.findings))
    current.preview = figures.paired(measured, tried.figures)
    counting.ask(current, wanted, tried.wanted)
    current.expected_revision = tried.revision
    current.checked_digest = current.digest
    stamped = ["base", "findings", "preview", "counting", "expected_revision", "checked_digest"]
    current.save(update_fields=stamped)
    for later in tried.later:
        later(current)
    counting.begin(current)
    return current


@dataclass(frozen=True)
class Trial:
    """What changes would bring about: what lint would find, and figures before and after."""

    findings: list[Finding]
    figures: list[dict[str, Any]]


def trial(changes: Sequence[Compared], *, actor: str, progress: Progress) -> Trial:
    """Return what changes would bring about; nothing of them stays. ``progress`` gets the per cent counted."""
    with transaction.atomic():
        policy_data.take_turn()
        before, measured, wanted = checking.lint(), figures.measure(changes), counting.describe(changes)
        tried = _tried(changes, actor)
    pairs = {name: [old, tried.wanted.get(name, [])] for name, old in wanted.items()}
    counted = counting.measured(pairs, progress=progress)
    return Trial(checking.new_findings(before, tried.findings), [*counted, *figures.paired(measured, tried.figures)])


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
    wanted: dict[str, Wanted] = field(default_factory=dict)
    revision: str = ""
    later: list[Later] = field(default_factory=list)


def _tried(changes: Sequence[Compared], actor: str) -> _Tried:
    """Write, look, and take back."""
    point = transaction.savepoint()
    try:
        writing.write(changes, writer="preview")
        revision = policy_data.changed(reason="preview of a change set", actor=actor)
        found = figures.measure(changes), counting.describe(changes)
        return _Tried(checking.lint(), *found, revision, [probe() for probe in _probes])
    except Problem as refused:
        return _Tried([Finding(changes[0].register, changes[0].key, refused.code, refused.detail)])
    finally:
        transaction.savepoint_rollback(point)
