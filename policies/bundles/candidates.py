"""Rows of a rollout, and the projection every decision reads. Callers hold the publishers' lock."""

from typing import Any

from django.utils import timezone

from audit import trail
from common import actors
from policies.models import ActiveBundle, Bundle, Policy, Rollout, RolloutStep

Kind = RolloutStep.Kind
State = Rollout.State
_EVENTS = {
    State.COMPLETED: "rollout.completed",
    State.STOPPED: "rollout.stopped",
    State.ROLLED_BACK: "rollout.rolled_back",
    State.OVERTAKEN: "rollout.overtaken",
}


def open_rollout() -> Rollout | None:
    return Rollout.objects.select_related("policy").filter(state=State.OPEN).first()


def begin(
    policy: Policy, bundle: Bundle, *, actor: str, reason: str, guards: dict[str, Any], in_emergency: bool
) -> Rollout:
    """Evaluate a policy as a shadow of the active one from the next decision on."""
    rollout = Rollout.objects.create(
        policy=policy,
        author=policy.author,
        author_account=policy.author_account,
        started_by=actor,
        reason=reason[:200],
        guards=guards,
        in_emergency=in_emergency,
    )
    _step(rollout, Kind.STARTED, bundle, actor, reason)
    event = "rollout.started_in_emergency" if in_emergency else "rollout.started"
    trail.record(event, policy.digest, actor=actor, details={"reason": reason[:200], "guards": _in_words(guards)})
    return rollout


def _in_words(guards: dict[str, Any]) -> dict[str, str]:
    """Return fractions as text: the trail takes none, as they have no canonical text."""
    return {name: f"{limit:g}" for name, limit in guards.items()}


def set_share(rollout: Rollout, share: int, *, actor: str) -> None:
    is_wider = share > rollout.share
    rollout.share = share
    if is_wider and not rollout.approved_by:
        rollout.approved_by, rollout.approved_account = actor, actors.account_of(actor)
    rollout.save(update_fields=["share", "approved_by", "approved_account"])
    kind = Kind.WIDENED if is_wider else Kind.NARROWED
    _step(rollout, kind, _candidate(), actor)
    trail.record(f"rollout.{kind}", rollout.policy_id, actor=actor, details={"ten_thousandths": share})


def rebuild(rollout: Rollout, bundle: Bundle, *, actor: str) -> None:
    """Put another revision of the same policy in the candidate's place, over the registers as they are now."""
    if bundle.pk != _candidate().pk:
        _step(rollout, Kind.REBUILT, bundle, actor)


def end(rollout: Rollout, state: Rollout.State, *, actor: str, why: str, figures: dict[str, Any] | None = None) -> None:
    """End the candidate: from the next decision on it answers no request."""
    candidate, share = _candidate(), rollout.share
    rollout.state, rollout.ended_at, rollout.ended_by, rollout.why = state, timezone.now(), actor, why[:500]
    rollout.save(update_fields=["state", "ended_at", "ended_by", "why"])
    RolloutStep.objects.create(
        rollout=rollout, kind=Kind.ENDED, bundle=candidate, share=share, actor=actor, why=why[:500], figures=figures
    )
    ActiveBundle.objects.filter(id=1).update(candidate=None, candidate_share=0, rollout=None)
    trail.record(_EVENTS[state], rollout.policy_id, actor=actor, details={"why": why[:500]})


def candidate_revisions(rollout: Rollout) -> list[str]:
    """Return every revision that has been the candidate: each change of the registers makes another."""
    return list(rollout.steps.order_by().values_list("bundle_id", flat=True).distinct())


def _candidate() -> Bundle:
    candidate = ActiveBundle.objects.select_related("candidate").get(id=1).candidate
    assert candidate is not None  # noqa: S101 (a constraint of the database: it is there while the rollout is open)
    return candidate


def _step(rollout: Rollout, kind: RolloutStep.Kind, bundle: Bundle, actor: str, why: str = "") -> None:
    RolloutStep.objects.create(
        rollout=rollout, kind=kind, bundle=bundle, share=rollout.share, actor=actor, why=why[:500]
    )
    ActiveBundle.objects.filter(id=1).update(candidate=bundle, candidate_share=rollout.share, rollout=rollout)
