"""Verdicts of a second officer on a subject, and the ways around one: a single officer, an emergency.

Callers have locked the subject, so that two officers at once decide one after the other, and take it further.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth import get_user_model

from common import actors
from oversight.approvals import steps, subjects
from oversight.approvals.subjects import Subject
from oversight.models import Approval
from oversight.officers import provenance, single
from oversight.problems import ChangeRefused, NotNow, Outdated, SecondOfficerNeeded

Verdict = Approval.Verdict
EMERGENCY = "oversight.emergency_changeset"  # the right to act without a second officer


def approve(
    subject: Subject, *, actor: str, seen: str, reason: str = "", confirmed: Mapping[str, Any] | None = None
) -> Approval:
    """Approve what was seen, as an independent officer, or as the only one of the installation.

    Raises SecondOfficerNeeded, Outdated, ChangeRefused.
    """
    given = _give(subject, Verdict.APPROVED, actor, reason, seen=seen, confirmed=confirmed)
    subjects.done(subjects.find(subject.kind).approval, subject, actor=actor, outcome=Verdict.APPROVED)
    return given


def refuse(subject: Subject, *, actor: str, seen: str, reason: str) -> Approval:
    """Refuse what was seen, with a reason. Raises as ``approve``."""
    if not reason.strip():
        raise ChangeRefused("Say why, so that its author can do better.")
    given = _give(subject, Verdict.REFUSED, actor, reason, seen=seen)
    subjects.done(subjects.find(subject.kind).approval, subject, actor=actor, outcome=Verdict.REFUSED)
    return given


def refuse_without_reason(reason: str) -> None:
    """Refuse an emergency without its reason. Raises ChangeRefused."""
    if not reason.strip():
        raise ChangeRefused("An emergency needs its reason.")


def review(subject: Subject, *, actor: str, reason: str = "") -> Approval:
    """Confirm that an independent officer has looked at what one did alone. Raises SecondOfficerNeeded, NotNow."""
    if not subjects.waits_for_review(subject):
        raise NotNow(f"This {subjects.find(subject.kind).noun} does not wait for a review.")
    who_made = _refuse_who_acted_alone(subject, actor)
    given = _give(subject, Verdict.REVIEWED, actor, reason, seen=subject.digest, who_made=who_made)
    steps.record(subject, Verdict.REVIEWED, actor=actor, note=reason)
    subjects.done(subjects.find(subject.kind).review, subject, actor=actor, outcome=reason)
    return given


def require_second(subject: Subject, actor: str) -> None:
    """Refuse, ahead of what takes long, who could not approve. Raises SecondOfficerNeeded, ChangeRefused."""
    if not is_only_officer(subject, actor):
        refuse_dependent(subject, actor)


def refuse_dependent(subject: Subject, actor: str) -> list[int]:
    """Refuse the author, and an account that the author may stand behind. Raises SecondOfficerNeeded, ChangeRefused.

    Returns the trail's positions that say who made the two accounts.
    """
    refuse_the_author(subject, actor)
    account = account_of(actor)
    _refuse_without_right(subject, account)
    return _positions(subject.account, account)


def _refuse_without_right(subject: Subject, account: int) -> None:
    """Refuse an account that may not approve, on every path. Raises SecondOfficerNeeded."""
    kind = subjects.find(subject.kind)
    user = get_user_model().objects.filter(pk=account).first()
    if user is None or not user.has_perm(kind.right):
        raise SecondOfficerNeeded(f"This account may not approve a {kind.noun}: it lacks the right “{kind.right}”.")


def refuse_the_author(subject: Subject, actor: str) -> None:
    """Refuse the author. Raises SecondOfficerNeeded."""
    if subject.is_author(actor):
        noun = subjects.find(subject.kind).noun
        raise SecondOfficerNeeded(f"You are its author. Another officer has to approve this {noun}.")


def _refuse_who_acted_alone(subject: Subject, actor: str) -> list[int]:
    """Refuse an officer one of whose steps is reviewed, who need not be the author. Raises SecondOfficerNeeded."""
    if subjects.acted_alone(subject, actor):
        raise SecondOfficerNeeded("You did this alone. Another officer has to confirm it.")
    account = account_of(actor)
    return [position for step in subjects.alone(subject) for position in _positions(step.account, account)]


def _positions(first: int | None, account: int) -> list[int]:
    """Return where the trail says who made two accounts. Raises SecondOfficerNeeded where they are not independent."""
    if first is None:
        return []
    verdict = provenance.independent(first, account)
    if not verdict.is_independent:
        raise SecondOfficerNeeded(verdict.why)
    return list(verdict.positions)


def is_only_officer(subject: Subject, actor: str) -> bool:
    """Return whether the author approves, as the only officer that the operator says there is."""
    return subject.is_author(actor) and single.is_single()


def _give(
    subject: Subject,
    verdict: Verdict,
    actor: str,
    reason: str,
    *,
    seen: str,
    confirmed: Mapping[str, Any] | None = None,
    who_made: Iterable[int] = (),
) -> Approval:
    is_single = verdict == Verdict.APPROVED and is_only_officer(subject, actor)
    made = {*who_made, *(() if is_single else refuse_dependent(subject, actor))}
    refuse_unseen(subject, seen)
    return Approval.objects.create(
        subject=subject.kind,
        object=subject.key,
        digest=subject.digest,
        actor=str(actor)[:160],
        account=account_of(actor),
        author_name=str(subject.author)[:160],
        author=subject.account,
        is_single=is_single,
        verdict=verdict,
        reason=reason[:500],
        provenance=sorted(made),
        confirmed=dict(confirmed or {}),
    )


def refuse_unseen(subject: Subject, seen: str) -> None:
    """Refuse a verdict on what has changed since. Raises Outdated."""
    if seen != subject.digest:
        raise Outdated(f"This {subjects.find(subject.kind).noun} has changed since you opened it. Look at it again.")


def account_of(actor: str) -> int:
    """Return the number of the account that acts. Raises ChangeRefused."""
    account = actors.account_of(actor)
    if account is None:
        raise ChangeRefused("Only an officer signed in with an account may do this.")
    return account
