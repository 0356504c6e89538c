"""Rows of a rollout, and the projection every decision reads. Callers hold the publishers' lock."""

from typing import Any

from django.utils import timezone

from oversight.approvals import steps, subjects
from oversight.models import Approval
from policies.bundles.subjects import of_rollout
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
    details = {"guards": _in_words(guards)}
    _step(rollout, Kind.STARTED, bundle)
    steps.record(of_rollout(rollout), kind, actor=actor, note=reason[:200], details=details, is_alone=in_emergency)
    return rollout


def _in_words(guards: dict[str, Any]) -> dict[str, str]:
    """Return fractions as text: the trail takes none, as they have no canonical text."""
    return {name: f"{limit:g}" for name, limit in guards.items()}


def set_share(rollout: Rollout, share: int, *, actor: str, approval: Approval | None = None) -> None:
    """Let the candidate answer so many people from the next decision on; more of them by an approval."""
    kind = Kind.WIDENED if share > rollout.share else Kind.NARROWED
    rollout.share, rollout.approval = share, approval or rollout.approval
    rollout.save(update_fields=["share", "approval"])
    _step(rollout, kind, _candidate())
    note, details = f"{share / 100:g} %", {"ten_thousandths": share}
    steps.record(of_rollout(rollout), kind, actor=actor, note=note, details=details)


def rebuild(rollout: Rollout, bundle: Bundle, *, actor: str) -> None:
    """Put another revision of the same policy in the candidate's place, over the registers as they are now."""
    if bundle.pk != _candidate().pk:
        _step(rollout, Kind.REBUILT, bundle)
        steps.record(of_rollout(rollout), Kind.REBUILT, actor=actor, details={"bundle": bundle.revision})


def end(rollout: Rollout, state: Rollout.State, *, actor: str, why: str, figures: dict[str, Any] | None = None) -> None:
    """End the candidate: from the next decision on it answers no request."""
    candidate, share = _candidate(), rollout.share
    rollout.state, rollout.ended_at, rollout.ended_by, rollout.why = state, timezone.now(), actor, why[:500]
    rollout.save(update_fields=["state", "ended_at", "ended_by", "why"])
    RolloutStep.objects.create(rollout=rollout, kind=Kind.ENDED, bundle=candidate, share=share, figures=figures)
    ActiveBundle.objects.filter(id=1).update(candidate=None, candidate_share=0, rollout=None)
    subject = of_rollout(rollout)
    steps.record(subject, state, actor=actor, note=why)
    subjects.no_longer_needed(subject, actor=actor, outcome=state)


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
