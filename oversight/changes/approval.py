"""Verdicts of a second officer: approve, refuse, review afterwards."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from common import policy_data
from oversight.changes import applying, drafting, steps
from oversight.changes.preview import compared
from oversight.changes.states import Step, target
from oversight.models import Approval, ChangeSet
from oversight.officers import provenance, single
from oversight.problems import ChangeRefused, NotNow, Outdated, SecondOfficerNeeded
from oversight.work import reviews

Verdict = Approval.Verdict


@transaction.atomic
def approve(change_set: ChangeSet, *, actor: str, seen: str, reason: str = "", confirmed: str = "") -> ChangeSet:
    """Approve what was seen, and bring it into force. Raises SecondOfficerNeeded, Outdated, NotNow, ChangeRefused.

    ``confirmed`` says why the set's claims are true, where it makes any: that a changed text says no more than before.
    """
    policy_data.take_turn()
    current = steps.locked(change_set)
    target(current.state, Step.APPLIED)
    _refuse_unseen(current, seen)
    claims = _confirmed(current, confirmed)
    approval = _give(current, Verdict.APPROVED, actor, reason, confirmed=claims)
    reviews.done(reviews.APPROVAL, current, actor=actor, outcome=Verdict.APPROVED)
    details = {"approver": str(actor), "provenance": approval.provenance, **({"confirmed": claims} if claims else {})}
    return applying.bring_into_force(current, kind=ChangeSet.Kind.NORMAL, actor=actor, reason=reason, details=details)


@transaction.atomic
def apply_alone(change_set: ChangeSet, *, actor: str, seen: str, reason: str = "", confirmed: str = "") -> ChangeSet:
    """Bring an own draft into force where the installation has a single officer. Raises as ``approve``."""
    if not single.is_single():
        raise SecondOfficerNeeded("Another officer has to approve this change set. Propose it.")
    policy_data.take_turn()
    current = steps.locked(change_set)
    drafting.refuse_others(current, actor)
    target(current.state, Step.APPLIED_ALONE)
    _refuse_unseen(current, seen)
    claims = _confirmed(current, confirmed)
    Approval.objects.create(
        set=current,
        digest=current.digest,
        account_id=applying.account_of(actor),
        author_id=current.author_id,
        is_single=True,
        confirmed=claims,
        verdict=Verdict.APPROVED,
        reason=reason[:500],
    )
    details = {"confirmed": claims} if claims else {}
    return applying.bring_into_force(current, kind=ChangeSet.Kind.SINGLE, actor=actor, reason=reason, details=details)


def _confirmed(change_set: ChangeSet, reason: str) -> dict[str, Any]:
    """Return the set's claims with the reason why they are true; empty where it makes none. Raises ChangeRefused."""
    claims = applying.to_confirm(compared(change_set))
    if not claims:
        return {}
    if not reason.strip():
        raise ChangeRefused(f"{' '.join(claims)} Confirm it with a reason, or refuse the set.")
    return {"claims": claims, "reason": reason.strip()[:500]}


@transaction.atomic
def refuse(change_set: ChangeSet, *, actor: str, seen: str, reason: str) -> None:
    """Refuse what was seen, with a reason; it comes into force no more. Raises as ``approve``."""
    if not reason.strip():
        raise ChangeRefused("Say why, so that its author can do better.")
    current = steps.locked(change_set)
    target(current.state, Step.REFUSED)
    _refuse_unseen(current, seen)
    _give(current, Verdict.REFUSED, actor, reason)
    steps.take(current, Step.REFUSED, actor=actor, note=reason[:500])
    reviews.done(reviews.APPROVAL, current, actor=actor, outcome=Verdict.REFUSED)


@transaction.atomic
def review(change_set: ChangeSet, *, actor: str, reason: str = "") -> None:
    """Confirm that an independent officer has looked at what one brought into force alone. Raises as ``approve``."""
    current = steps.locked(change_set)
    if not current.is_unreviewed:
        raise NotNow("This change set does not wait for a review.")
    _give(current, Verdict.REVIEWED, actor, reason)
    current.reviewed_at = timezone.now()
    current.save(update_fields=["reviewed_at"])
    steps.record(current, Step.REVIEWED, actor=actor, note=reason[:500])
    reviews.done(reviews.REVIEW, current, actor=actor, outcome=reason)


def refuse_dependent(change_set: ChangeSet, actor: str) -> list[int]:
    """Refuse the author, and an account that the author may stand behind. Raises SecondOfficerNeeded.

    Returns the trail's positions that say who made the two accounts.
    """
    account = applying.account_of(actor)
    if drafting.is_author(change_set, actor):
        raise SecondOfficerNeeded("You wrote this change set. Another officer has to approve it.")
    if change_set.author_id is None:
        return []
    verdict = provenance.independent(change_set.author_id, account)
    if not verdict.is_independent:
        raise SecondOfficerNeeded(verdict.why)
    return list(verdict.positions)


def _give(
    change_set: ChangeSet, verdict: Verdict, actor: str, reason: str, *, confirmed: dict[str, Any] | None = None
) -> Approval:
    return Approval.objects.create(
        set=change_set,
        digest=change_set.digest,
        account_id=applying.account_of(actor),
        author_id=change_set.author_id,
        verdict=verdict,
        reason=reason[:500],
        provenance=refuse_dependent(change_set, actor),
        confirmed=confirmed or {},
    )


def _refuse_unseen(change_set: ChangeSet, seen: str) -> None:
    if seen != change_set.digest:
        raise Outdated("This change set has changed since you opened it. Look at it again.")
