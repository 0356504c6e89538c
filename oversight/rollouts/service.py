"""Steps of a rollout: widen, narrow, approve, end. One transaction, one row and one audit event each.

Everything takes its turn and reads the rollout after that, so an officer who clicks and the job that watches never both
act on the same one. Every call names the rollout it means: another one is not touched.
"""

from typing import Any, Final, TypeVar

from django.db import transaction
from django.utils import timezone

from common import actors
from common.http.problems import Conflict
from oversight.approvals import steps, subjects, verdicts
from oversight.models import Approval, RolloutBase
from oversight.problems import ChangeRefused
from oversight.rollouts.kinds import Kind

State = RolloutBase.State
R = TypeVar("R", bound=RolloutBase)
WATCH: Final = actors.job("rollout")
STARTED: Final = "started"
WIDENED: Final = "widened"
NARROWED: Final = "narrowed"


@transaction.atomic
def set_share(kind: Kind[R], rollout_id: int, share: int, *, actor: str, seen: str = "") -> R:
    """Let the candidate answer ``share`` ten-thousandths of the people; 0 makes it a shadow again.

    More people take another officer than the author, who approves what was ``seen``: without it, what is there now.
    Raises SecondOfficerNeeded, Outdated, Conflict, ChangeRefused.
    """
    rollout = running(kind, rollout_id)
    if not 0 <= share <= kind.most:
        raise ChangeRefused(f"A share is between 0 and {kind.most / 100:g} per cent.")
    if share == rollout.share:
        raise Conflict(f"The share is {share / 100:g} % already.")
    if seen:  # what another officer has moved since is not what this one means to narrow, either
        verdicts.refuse_unseen(kind.subject(rollout), seen)
    step, note = NARROWED, f"{share / 100:g} %"
    if share > rollout.share:
        step, rollout.approval = WIDENED, approve(kind, rollout, actor=actor, seen=seen, reason=note)
    rollout.share = share
    rollout.save(update_fields=["share", "approval"])
    kind.put(rollout, step, actor)
    steps.record(kind.subject(rollout), step, actor=actor, note=note, details={"ten_thousandths": share})
    return rollout


def approve(kind: Kind[R], rollout: R, *, actor: str, seen: str, reason: str) -> Approval:
    """Approve, as another officer than the author, that a rollout answers more people. Raises as ``set_share``."""
    subject = kind.subject(rollout)
    return verdicts.approve(subject, actor=actor, seen=seen or subject.digest, reason=reason)


@transaction.atomic
def stop(kind: Kind[R], rollout_id: int, *, actor: str, reason: str) -> R:
    """End a rollout: what is in force answers all people from the next request on. Takes one officer."""
    if not reason.strip():
        raise ChangeRefused("Say why the rollout is stopped.")
    rollout = running(kind, rollout_id)
    end(kind, rollout, State.STOPPED, actor=actor, why=reason)
    return rollout


@transaction.atomic
def roll_back(kind: Kind[R], rollout_id: int, *, why: str, figures: dict[str, Any]) -> bool:
    """End a rollout on behalf of a guard; return whether it was still running."""
    try:
        rollout = running(kind, rollout_id)
    except Conflict:
        return False
    end(kind, rollout, State.ROLLED_BACK, actor=WATCH, why=why, figures=figures)
    return True


def end(
    kind: Kind[R], rollout: R, state: State, *, actor: str, why: str, figures: dict[str, Any] | None = None
) -> None:
    """End the candidate: from the next request on it answers none. Callers have taken their turn."""
    rollout.state, rollout.ended_at, rollout.ended_by, rollout.why = state, timezone.now(), actor, why[:500]
    rollout.save(update_fields=["state", "ended_at", "ended_by", "why"])
    kind.take_out(rollout, actor, figures)
    subject = kind.subject(rollout)
    steps.record(subject, state, actor=actor, note=why)
    subjects.no_longer_needed(subject, actor=actor, outcome=state)


def running(kind: Kind[R], rollout_id: int) -> R:
    """Take the turn, and return a rollout that runs. Raises Conflict."""
    kind.take_turn()
    return meant(kind, rollout_id)


def meant(kind: Kind[R], rollout_id: int) -> R:
    """Return the running rollout of a number. Raises Conflict."""
    found = next((rollout for rollout in kind.running() if rollout.pk == rollout_id), None)
    if found is None:
        raise Conflict("This rollout has ended.")
    return found


def in_words(limits: dict[str, Any]) -> dict[str, str]:
    """Return the limits as text: the trail takes no fractions, as they have no canonical text."""
    return {name: f"{limit:g}" for name, limit in limits.items()}
