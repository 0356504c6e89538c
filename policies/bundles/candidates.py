"""Rows of a rollout, and the projection every decision reads. Callers hold the publishers' lock."""

from typing import Any

from common import policy_data
from oversight.approvals import steps
from oversight.rollouts import service
from oversight.rollouts.kinds import Kind as KindOfRollout
from policies.bundles.subjects import ROLLOUT, of_rollout
from policies.models import ActiveBundle, Bundle, Policy, Rollout, RolloutStep

Kind = RolloutStep.Kind
State = Rollout.State


def open_rollout() -> Rollout | None:
    return Rollout.objects.select_related("policy").filter(state=State.OPEN).first()


def begin(
    policy: Policy, bundle: Bundle, *, actor: str, reason: str, guards: dict[str, Any], in_emergency: bool
) -> Rollout:
    """Evaluate a policy as a shadow of the active one from the next decision on."""
    rollout = Rollout.objects.create(
        policy=policy,
        started_by=actor,
        reason=reason[:200],
        guards=guards,
        in_emergency=in_emergency,
    )
    kind = "started_in_emergency" if in_emergency else Kind.STARTED
    details = {"guards": service.in_words(guards)}
    _step(rollout, Kind.STARTED, bundle)
    steps.record(of_rollout(rollout), kind, actor=actor, note=reason[:200], details=details, is_alone=in_emergency)
    return rollout


def rebuild(rollout: Rollout, bundle: Bundle, *, actor: str) -> None:
    """Put another revision of the same policy in the candidate's place, over the registers as they are now."""
    if bundle.pk != _candidate().pk:
        _step(rollout, Kind.REBUILT, bundle)
        steps.record(of_rollout(rollout), Kind.REBUILT, actor=actor, details={"bundle": bundle.revision})


def end(rollout: Rollout, state: Rollout.State, *, actor: str, why: str) -> None:
    """End the candidate: from the next decision on it answers no request."""
    service.end(KIND, rollout, state, actor=actor, why=why)


def candidate_revisions(rollout: Rollout) -> list[str]:
    """Return every revision that has been the candidate: each change of the registers makes another."""
    return list(rollout.steps.order_by().values_list("bundle_id", flat=True).distinct())


def _candidate() -> Bundle:
    candidate = ActiveBundle.objects.select_related("candidate").get(id=1).candidate
    assert candidate is not None  # noqa: S101 (a constraint of the database: it is there while the rollout is open)
    return candidate


def _step(rollout: Rollout, kind: RolloutStep.Kind, bundle: Bundle) -> None:
    RolloutStep.objects.create(rollout=rollout, kind=kind, bundle=bundle, share=rollout.share)
    ActiveBundle.objects.filter(id=1).update(candidate=bundle, candidate_share=rollout.share, rollout=rollout)


def _put(rollout: Rollout, step: str, _actor: str) -> None:
    _step(rollout, Kind(step), _candidate())


def _take_out(rollout: Rollout, _actor: str, figures: dict[str, Any] | None) -> None:
    RolloutStep.objects.create(
        rollout=rollout, kind=Kind.ENDED, bundle=_candidate(), share=rollout.share, figures=figures
    )
    ActiveBundle.objects.filter(id=1).update(candidate=None, candidate_share=0, rollout=None)


def _running() -> list[Rollout]:
    rollout = open_rollout()
    return [rollout] if rollout else []


KIND = KindOfRollout(
    slug=ROLLOUT.slug,
    take_turn=policy_data.take_turn,
    running=_running,
    subject=of_rollout,
    put=_put,
    take_out=_take_out,
)
