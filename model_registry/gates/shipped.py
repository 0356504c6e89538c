"""Gates that a release ships: demanded of every version until officers change them, by change sets."""

from collections.abc import Mapping
from datetime import timedelta

from django.utils import timezone

from audit import trail
from model_registry.gates import reviewing
from model_registry.gates.models import ReviewerRole
from model_registry.models import GateDemand, ModelVersion

# Demand: its gate, the level from which on, and whether it is switched on. What needs a training under differential
# privacy, the role of a deployer of the AI Act, reviewers of four roles or a clock that never stops waits for an
# officer who has it.
DEMANDS: Mapping[str, tuple[str, str, bool]] = {
    "card": ("card", "none", True),
    "runbook": ("runbook", "none", True),
    "dpia": ("dpia", "segment", True),
    "segments": ("segments", "segment", True),
    "quality": ("quality", "none", True),
    "fallback": ("fallback", "none", True),
    "datasheet": ("datasheet", "none", False),
    "fria": ("fria", "segment", False),
    "opted-out": ("opted_out", "segment", False),
    "freshness": ("freshness", "none", False),
    "epsilon": ("epsilon", "individual", False),
    "files": ("files", "none", False),
    "bias-audit": ("bias_audit", "behavioral", True),
    "leak-audit": ("leak_audit", "behavioral", True),
    "adversarial-audit": ("adversarial_audit", "none", False),
    "regression-audit": ("regression_audit", "none", False),
    "ageing-audit": ("ageing_audit", "none", False),
    "reviews": ("reviews", "none", False),
    "monitoring": ("monitoring", "none", False),
    "inputs": ("inputs", "none", False),
    "drift": ("drift", "none", False),
    "service": ("service", "none", False),
    "incident-contact": ("incident_contact", "none", False),
    "audits-renewed": ("audits_renewed", "behavioral", True),
    "retraining": ("retraining", "none", False),
}
GRACE = timedelta(days=90)


def are_missing() -> bool:
    """Return whether this release ships a gate that the register lacks."""
    return GateDemand.objects.filter(slug__in=DEMANDS).count() < len(DEMANDS)


def fill(*, actor: str) -> None:
    """Add what the register lacks. Where it had no gates at all, versions in use get their grace.

    A register that has gates already gets new ones switched off: nothing that serves is denied by an upgrade.
    """
    is_new = not GateDemand.objects.exists()
    if is_new:
        _give_grace(actor)
    for slug, (gate, level, is_active) in DEMANDS.items():
        roles = ReviewerRole.values if gate == reviewing.GATE else []
        row = {"gate": gate, "from_level": level, "is_active": is_active and is_new, "roles": roles}
        GateDemand.objects.get_or_create(slug=slug, defaults=row)


def _give_grace(actor: str) -> None:
    """Let versions that an older release approved serve on for a while: it had no gates (docs/decisions/0047)."""
    until = timezone.now() + GRACE
    for version in ModelVersion.objects.filter(status__in=ModelVersion.IN_USE).select_related("model"):
        version.gates_grace_until = until
        version.save(update_fields=["gates_grace_until"])
        trail.record("model.gates_grace", str(version), actor=actor, details={"until": until.isoformat()})
