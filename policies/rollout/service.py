"""Rollout steps: start, widen, promote, stop, roll back: the PAP's rules. One transaction, one audit event each.

Everything waits for the publishers' lock and reads the rollout after that, so an officer who clicks and the job that
watches never both act on the same one. Every call names the rollout it means: another one is not touched.
"""

from dataclasses import asdict

import msgspec
from django.db import transaction

from common import actors
from common.http.problems import Conflict
from policies.authoring import lifecycle
from policies.authoring.lifecycle import PolicyRefused
from policies.authoring.simulated import refuse_unless_simulated
from policies.bundles import candidates, publishing
from policies.bundles.candidates import State
from policies.models import Bundle, Policy, PolicyActivation, Rollout
from policies.models.rollout import FULL
from policies.rollout.guards import Figures, Guards

WATCH = actors.job("rollout")
_NO_GUARDS = Guards()


def start(policy: Policy, *, actor: str, reason: str, guards: Guards = _NO_GUARDS, emergency: bool = False) -> Rollout:
    """Evaluate a published policy as a shadow of the active one; it answers no request, so its author may start it.

    In an emergency no simulation is asked for, and the trail has an event of its own. Raises SimulationNeeded,
    Conflict, PolicyRefused.
    """
    if emergency and not reason.strip():
        raise PolicyRefused("An emergency needs its reason.")
    _refuse_while_another_runs(policy)
    if not emergency:
        refuse_unless_simulated(policy)
    lifecycle.refuse_if_it_does_not_run(policy)
    with transaction.atomic():
        publishing.wait_for_publishers()
        _refuse_while_another_runs(policy)
        # Both over the registers as they are, with all changes since: the facts of a shadow rest on that.
        publishing.publish("registers as they are, for a rollout", actor)
        bundle, _ = publishing.store(policy, reason=f"candidate: {policy.note}", actor=actor)
        return candidates.begin(
            policy,
            bundle,
            actor=actor,
            reason=reason,
            guards=msgspec.to_builtins(guards),
            in_emergency=emergency,
        )


@transaction.atomic
def set_share(rollout_id: int, share: int, *, actor: str) -> Rollout:
    """Let the candidate answer ``share`` ten-thousandths of the people; 0 makes it a shadow again.

    More people take another person than the author. Raises SecondPersonNeeded, Conflict.
    """
    rollout = _running(rollout_id)
    if not 0 <= share <= FULL:
        raise PolicyRefused("A share is between 0 and 100 per cent.")
    if share == rollout.share:
        raise Conflict(f"The share is {share / 100:g} % already.")
    if share > rollout.share:
        lifecycle.refuse_the_author(rollout.policy, actor)
    candidates.set_share(rollout, share, actor=actor)
    return rollout


def promote(rollout_id: int, *, actor: str, reason: str = "") -> Bundle:
    """Bring the candidate into force for all people and end the rollout.

    Raises SecondPersonNeeded, Conflict, PolicyRefused.
    """
    policy = _meant(rollout_id).policy
    lifecycle.refuse_the_author(policy, actor)
    lifecycle.refuse_if_it_does_not_run(policy)  # the registers have moved on since the start
    with transaction.atomic():
        rollout = _running(rollout_id)
        reason = reason or rollout.reason or policy.note
        candidates.end(rollout, State.COMPLETED, actor=actor, why=reason)
        return publishing.bring_into_force(policy, kind=PolicyActivation.Kind.APPROVED, reason=reason, actor=actor)


@transaction.atomic
def stop(rollout_id: int, *, actor: str, reason: str) -> Rollout:
    """End the rollout: the active policy answers all people from the next decision on. Takes one person."""
    if not reason.strip():
        raise PolicyRefused("Say why the rollout is stopped.")
    rollout = _running(rollout_id)
    candidates.end(rollout, State.STOPPED, actor=actor, why=reason)
    return rollout


@transaction.atomic
def roll_back(rollout_id: int, *, why: str, figures: Figures) -> bool:
    """End the rollout on behalf of a guard; return whether it was still running."""
    try:
        rollout = _running(rollout_id)
    except Conflict:
        return False
    candidates.end(rollout, State.ROLLED_BACK, actor=WATCH, why=why, figures=asdict(figures))
    return True


def _running(rollout_id: int) -> Rollout:
    publishing.wait_for_publishers()
    return _meant(rollout_id)


def _meant(rollout_id: int) -> Rollout:
    rollout = candidates.open_rollout()
    if rollout is None or rollout.pk != rollout_id:
        raise Conflict("This rollout has ended.")
    return rollout


def _refuse_while_another_runs(policy: Policy) -> None:
    running, last = candidates.open_rollout(), publishing.last_activation()
    if running is not None:
        raise Conflict(f"A rollout of policy {running.policy} is running. Promote or stop it first.")
    if last is None or last.policy_id == policy.digest:
        raise Conflict("This policy is in force.")
