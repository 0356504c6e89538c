"""Rollout steps of a policy: start and promote are the PAP's rules; the others are those of every rollout."""

from dataclasses import asdict
from datetime import datetime

import msgspec
from django.db import transaction

from common.http.problems import Conflict
from oversight.approvals import subjects, verdicts
from oversight.rollouts import service as steps
from oversight.rollouts.watch import Look
from policies.authoring import lifecycle
from policies.authoring.simulated import refuse_unless_simulated
from policies.bundles import candidates, publishing
from policies.bundles.candidates import KIND, State
from policies.bundles.subjects import of_policy, of_rollout
from policies.models import Bundle, Policy, Rollout
from policies.rollout import figures
from policies.rollout.guards import Guards, judge, read_guards

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


def set_share(rollout_id: int, share: int, *, actor: str, seen: str = "") -> Rollout:
    """Let the candidate answer ``share`` ten-thousandths of the people. Raises as ``oversight.rollouts.service``."""
    return steps.set_share(KIND, rollout_id, share, actor=actor, seen=seen)


def promote(rollout_id: int, *, actor: str, reason: str = "", seen: str = "") -> Bundle:
    """Bring the candidate into force for all people and end the rollout.

    Raises SecondOfficerNeeded, Outdated, Conflict, PolicyRefused.
    """
    policy = steps.meant(KIND, rollout_id).policy
    verdicts.require_second(of_policy(policy), actor)
    lifecycle.refuse_if_it_does_not_run(policy)  # the registers have moved on since the start
    with transaction.atomic():
        rollout = steps.running(KIND, rollout_id)
        reason = reason or rollout.reason or policy.note
        kind = lifecycle.kind_by(steps.approve(KIND, rollout, actor=actor, seen=seen, reason=reason))
        candidates.end(rollout, State.COMPLETED, actor=actor, why=reason)
        return publishing.bring_into_force(policy, kind=kind, reason=reason, actor=actor)


@transaction.atomic
def confirm(rollout_id: int, *, actor: str, reason: str = "") -> None:
    """Confirm as another officer that a rollout was begun in an emergency, running or not.

    Raises SecondOfficerNeeded, NotNow.
    """
    publishing.wait_for_publishers()
    verdicts.review(of_rollout(Rollout.objects.select_related("policy").get(pk=rollout_id)), actor=actor, reason=reason)


def stop(rollout_id: int, *, actor: str, reason: str) -> Rollout:
    """End the rollout: the active policy answers all people from the next decision on. Takes one person."""
    return steps.stop(KIND, rollout_id, actor=actor, reason=reason)


def look(rollout: Rollout, now: datetime) -> Look:
    """Count the decisions of both sides and judge them: the source of the guards' figures."""
    guards = read_guards(rollout.guards)
    counted = figures.figures_of(rollout, guards, now=now)
    return Look(judge(guards, counted), asdict(counted))


def _refuse_while_another_runs(policy: Policy) -> None:
    running, last = candidates.open_rollout(), publishing.last_activation()
    if running is not None:
        raise Conflict(f"A rollout of policy {running.policy} is running. Promote or stop it first.")
    if last is None or last.policy_id == policy.digest:
        raise Conflict("This policy is in force.")
