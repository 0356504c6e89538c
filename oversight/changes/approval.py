"""Verdicts of a second officer on a change set: approve, refuse, review afterwards."""

from typing import Any

from django.db import transaction

from common import policy_data
from oversight.approvals import verdicts
from oversight.changes import applying, steps
from oversight.changes.preview import compared
from oversight.changes.states import Step, target
from oversight.changes.subject import subject_of
from oversight.models import ChangeSet
from oversight.problems import ChangeRefused

Kind = ChangeSet.Kind


@transaction.atomic
def approve(change_set: ChangeSet, *, actor: str, seen: str, reason: str = "", confirmed: str = "") -> ChangeSet:
    """Approve what was seen, and bring it into force. Raises SecondOfficerNeeded, Outdated, NotNow, ChangeRefused.

    The only officer of an installation approves an own draft. ``confirmed`` says why the set's claims are true, where
    it makes any: that a changed text says no more than before.
    """
    policy_data.take_turn()
    current = steps.locked(change_set)
    subject = subject_of(current)
    is_only = verdicts.is_only_officer(subject, actor)
    if not is_only:
        verdicts.refuse_the_author(subject, actor)
    target(current.state, Step.APPLIED_ALONE if is_only else Step.APPLIED)
    verdicts.refuse_unseen(subject, seen)
    claims = _confirmed(current, confirmed)
    given = verdicts.approve(subject, actor=actor, seen=seen, reason=reason, confirmed=claims)
    details: dict[str, Any] = {"confirmed": claims} if claims else {}
    if is_only:
        return applying.bring_into_force(current, kind=Kind.SINGLE, actor=actor, reason=reason, details=details)
    details |= {"approver": str(actor), "provenance": given.provenance}
    return applying.bring_into_force(current, kind=Kind.NORMAL, actor=actor, reason=reason, details=details)


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
    current = steps.locked(change_set)
    target(current.state, Step.REFUSED)
    verdicts.refuse(subject_of(current), actor=actor, seen=seen, reason=reason)
    steps.take(current, Step.REFUSED, actor=actor, note=reason[:500])


@transaction.atomic
def review(change_set: ChangeSet, *, actor: str, reason: str = "") -> None:
    """Confirm that an independent officer has looked at what one brought into force alone. Raises as ``approve``."""
    verdicts.review(subject_of(steps.locked(change_set)), actor=actor, reason=reason)
