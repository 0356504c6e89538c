"""Draft a change set, edit it, withdraw it. Nothing of a draft is in force."""

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.utils import timezone

from common import actors
from oversight import registers, rows
from oversight.approvals import subjects
from oversight.approvals.steps import record
from oversight.changes import checking, documents, steps
from oversight.changes.documents import Compared, Proposed
from oversight.changes.states import Step
from oversight.changes.subject import subject_of
from oversight.models import Change, ChangeSet
from oversight.problems import NothingChanged, NotNow, SecondOfficerNeeded


@transaction.atomic
def draft(
    proposed: Iterable[Proposed],
    *,
    title: str,
    actor: str,
    reason: str = "",
    undoes: ChangeSet | None = None,
) -> ChangeSet:
    """Store a new draft over the registers as they are. Raises NothingChanged, KeptElsewhere, ChangeRefused."""
    wanted = list(proposed)
    registers.refuse_if_kept_elsewhere(each.register for each in wanted)
    change_set = store(compare(wanted), title=title, actor=actor, reason=reason, undoes=undoes)
    record(subject_of(change_set), Step.DRAFTED, actor=actor, note=reason)
    return change_set


def store(
    found: Sequence[Compared],
    *,
    title: str,
    actor: str,
    reason: str = "",
    kind: ChangeSet.Kind = ChangeSet.Kind.NORMAL,
    undoes: ChangeSet | None = None,
) -> ChangeSet:
    """Write the rows of a set."""
    change_set = ChangeSet.objects.create(
        title=title[:200],
        reason=reason[:500],
        author_id=actors.account_of(actor),
        author_name=str(actor)[:160],
        kind=kind,
        digest=documents.digest(found),
        undoes=undoes,
    )
    _store(change_set, found)
    return change_set


def compare(proposed: Iterable[Proposed]) -> list[Compared]:
    """Compare what is proposed with the registers; what would stay as it is falls out. Raises NothingChanged."""
    found = []
    for each in proposed:
        before = rows.find_document(registers.find(each.register), each.key)
        if before != each.after:
            found.append(Compared(each.register, each.key, before, each.after))
    if not found:
        raise NothingChanged("The registers say this already.")
    return sorted(found, key=lambda each: registers.rank(each.register))


def _store(change_set: ChangeSet, found: Sequence[Compared]) -> None:
    Change.objects.bulk_create(
        Change(set=change_set, position=number, register=c.register, key=c.key, before=c.before, after=c.after)
        for number, c in enumerate(found, start=1)
    )


@transaction.atomic
def edit(change_set: ChangeSet, proposed: Iterable[Proposed], *, actor: str) -> ChangeSet:
    """Replace and add changes of a draft; its check and preview are void. Raises NotNow, NothingChanged."""
    current = steps.locked(change_set)
    refuse_others(current, actor)
    if current.state != ChangeSet.State.DRAFT:
        raise NotNow("Only a draft can be edited. Take the proposal back first.")
    wanted = {(c.register, c.key): Proposed(c.register, c.key, c.after) for c in current.changes.all()}
    wanted |= {(each.register, each.key): each for each in proposed}
    return _replace(current, compare(wanted.values()))


def _replace(change_set: ChangeSet, found: Sequence[Compared]) -> ChangeSet:
    change_set.changes.all().delete()
    _store(change_set, found)
    change_set.digest = documents.digest(found)
    change_set.save(update_fields=["digest"])
    return change_set


@transaction.atomic
def rebase(change_set: ChangeSet, *, actor: str) -> list[str]:
    """Bring a draft up to the registers as they are, member by member; return the members that clash.

    Where both changed a member, the draft's value stands and the officer is shown which.
    """
    current = steps.locked(change_set)
    refuse_others(current, actor)
    if current.state != ChangeSet.State.DRAFT:
        raise NotNow("Only a draft can be brought up to date. Take the proposal back first.")
    wanted, clashes = [], []
    for change in current.changes.all():
        theirs = rows.find_document(registers.find(change.register), change.key)
        merged = documents.merge(change.before, change.after, theirs)
        wanted.append(Proposed(change.register, change.key, merged.document))
        clashes += [f"{change.register} {change.key}: {name}" for name in merged.clashes]
    _replace(current, compare(wanted))
    return clashes


def own_draft_of(register: str, key: str, *, actor: str) -> ChangeSet | None:
    """Return the actor's newest draft that holds this object."""
    account = actors.account_of(actor)
    drafts = ChangeSet.objects.filter(state=ChangeSet.State.DRAFT, author_id=account, undoes=None)
    return drafts.filter(changes__register=register, changes__key=key).first() if account else None


@transaction.atomic
def withdraw(change_set: ChangeSet, *, actor: str) -> None:
    """Give a draft or a proposal up. Raises NotNow, SecondOfficerNeeded."""
    current = steps.locked(change_set)
    refuse_others(current, actor)
    steps.take(current, Step.WITHDRAWN, actor=actor)
    subjects.no_longer_needed(subject_of(current), actor=actor)


@transaction.atomic
def reopen(change_set: ChangeSet, *, actor: str) -> None:
    """Take a proposal back to a draft. Raises NotNow, SecondOfficerNeeded."""
    current = steps.locked(change_set)
    refuse_others(current, actor)
    current.proposed_at = None
    steps.take(current, Step.REOPENED, actor=actor, save=("proposed_at",))
    subjects.no_longer_needed(subject_of(current), actor=actor)


@transaction.atomic
def propose(change_set: ChangeSet, *, actor: str, reason: str) -> None:
    """Ask another officer to approve a draft that was checked as it stands. Raises NotNow, ChangeRefused."""
    current = steps.locked(change_set)
    refuse_others(current, actor)
    if not current.is_checked:
        raise NotNow("The draft has changed since it was checked. Check it again, then propose it.")
    checking.refuse(current.findings)
    current.proposed_at, current.reason = timezone.now(), reason[:500]
    steps.take(current, Step.PROPOSED, actor=actor, note=current.reason, save=("proposed_at", "reason"))
    subjects.ask(subject_of(current), actor=actor)


def refuse_others(change_set: ChangeSet, actor: str) -> None:
    """Refuse everybody but a set's author. Raises SecondOfficerNeeded."""
    if not subject_of(change_set).is_author(actor):
        raise SecondOfficerNeeded("Only its author edits, proposes or withdraws a change set.")
