"""Rollout steps: start, widen, promote, stop, roll back: the PAP's rules. One transaction, one audit event each.

Everything waits for the publishers' lock and reads the rollout after that, so an officer who clicks and the job that
watches never both act on the same one. Every call names the rollout it means: another one is not touched.
"""

from dataclasses import asdict

import msgspec
from django.db import transaction

from common import actors
from common.http.problems import Conflict
from oversight.approvals import subjects, verdicts
from oversight.models import Approval
from policies.authoring import lifecycle
from policies.authoring.lifecycle import PolicyRefused
from policies.authoring.simulated import refuse_unless_simulated
from policies.bundles import candidates, publishing
from policies.bundles.candidates import State
from policies.bundles.subjects import of_policy, of_rollout
from policies.models import Bundle, Policy, Rollout
from policies.models.rollout import FULL
from policies.rollout.guards import Figures, Guards

WATCH = actors.job("rollout")
_NO_GUARDS = Guards()


def start(policy: Policy, *, actor: str, reason: str, guards: Guards = _NO_GUARDS, emergency: bool = False) -> Rollout:
    """Evaluate a published policy as a shadow of the active one; it answers no request, so its author may start it.

    In an emergency no simulation is asked for, and the trail has an event of its own. Raises SimulationNeeded,
    Conflict, PolicyRefused.
    """
    if emergency:
        verdicts.refuse_without_reason(reason)
    lifecycle.refuse_refused(policy)
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
        lifecycle.refuse_refused(policy)
        rollout = candidates.begin(
            policy,
            bundle,
            actor=actor,
            reason=reason,
            guards=msgspec.to_builtins(guards),
            in_emergency=emergency,
        )
        # One request for each policy: from here on it is the rollout that waits.
        subjects.no_longer_needed(of_policy(policy), actor=actor, outcome="rolled out")
        if emergency:
            subjects.ask_for_review(of_rollout(rollout), actor=actor)
        subjects.ask(of_rollout(rollout), actor=actor)
        return rollout


@transaction.atomic
def set_share(rollout_id: int, share: int, *, actor: str, seen: str = "") -> Rollout:
    """Let the candidate answer ``share`` ten-thousandths of the people; 0 makes it a shadow again.

    More people take another officer than the author, who approves what was ``seen``: without it, what is there now.
    Raises SecondOfficerNeeded, Outdated, Conflict.
    """
    rollout = _running(rollout_id)
    if not 0 <= share <= FULL:
        raise PolicyRefused("A share is between 0 and 100 per cent.")
    if share == rollout.share:
        raise Conflict(f"The share is {share / 100:g} % already.")
    if seen:  # what another officer has moved since is not what this one means to narrow, either
        verdicts.refuse_unseen(of_rollout(rollout), seen)
    given = _approve(rollout, actor=actor, seen=seen, reason=f"{share / 100:g} %") if share > rollout.share else None
    candidates.set_share(rollout, share, actor=actor, approval=given)
    return rollout


def _approve(rollout: Rollout, *, actor: str, seen: str, reason: str) -> Approval:
    subject = of_rollout(rollout)
    return verdicts.approve(subject, actor=actor, seen=seen or subject.digest, reason=reason)


def promote(rollout_id: int, *, actor: str, reason: str = "", seen: str = "") -> Bundle:
    """Bring the candidate into force for all people and end the rollout.

    Raises SecondOfficerNeeded, Outdated, Conflict, PolicyRefused.
    """
    policy = _meant(rollout_id).policy
    verdicts.require_second(of_policy(policy), actor)
    lifecycle.refuse_if_it_does_not_run(policy)  # the registers have moved on since the start
    with transaction.atomic():
        rollout = _running(rollout_id)
        reason = reason or rollout.reason or policy.note
        kind = lifecycle.kind_by(_approve(rollout, actor=actor, seen=seen, reason=reason))
        candidates.end(rollout, State.COMPLETED, actor=actor, why=reason)
        return publishing.bring_into_force(policy, kind=kind, reason=reason, actor=actor)


@transaction.atomic
def confirm(rollout_id: int, *, actor: str, reason: str = "") -> None:
    """Confirm as another officer that a rollout was begun in an emergency, running or not.

    Raises SecondOfficerNeeded, NotNow.
    """
    publishing.wait_for_publishers()
    verdicts.review(of_rollout(Rollout.objects.select_related("policy").get(pk=rollout_id)), actor=actor, reason=reason)


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
