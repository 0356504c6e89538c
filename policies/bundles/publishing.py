"""Publish bundles: a policy over the registers becomes an immutable revision, and comes into force.

A bundle is policies + data = one immutable revision. Publishers queue up at a lock first and read the registers after
that, so two officers changing different things at once end in one bundle that holds both changes.
"""

from functools import lru_cache
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from audit import trail
from audit.sealed_rows import SealedRows
from common import actors
from common.canonical import canonical_json, sha256
from oversight.approvals import steps
from policies import rego
from policies.bundles import building, candidates
from policies.bundles.subjects import of_policy
from policies.certification import read_certification
from policies.models import (
    Activation,
    ActiveBundle,
    Bundle,
    Policy,
    PolicyActivation,
    Rollout,
)

SYSTEM = "system"  # the author of what a release ships
ACTIVATIONS = SealedRows(
    "activation",
    PolicyActivation,
    ("policy_id", "bundle_id", "kind", "author", "author_account", "actor", "actor_account", "reason", "activated_at"),
)
_STEPS = {
    PolicyActivation.Kind.RELEASE: "shipped",
    PolicyActivation.Kind.APPROVED: "activated",
    PolicyActivation.Kind.SINGLE: "activated_alone",
    PolicyActivation.Kind.EMERGENCY: "activated_in_emergency",
    PolicyActivation.Kind.ROLLBACK: "brought_back",
}
_LOCK = 0x62756E64  # "bund"


@transaction.atomic
def publish(reason: str, actor: str, *, certification: bool | None = None) -> Bundle:
    """Build the registers as they are in this transaction and bring the revision into force.

    The policy stays the one in force; the first one ever is the one shipped. The certification package is in the bundle
    where ``certification`` says so; unsaid, where it is in force now.
    """
    wait_for_publishers()
    last = last_activation()
    if last is None:
        return _bring_into_force(shipped_policy(), PolicyActivation.Kind.RELEASE, reason, actor, certification)
    return _publish(last.policy, reason, actor, certification)


def publish_change(reason: str, actor: str) -> str:
    """Publish a change of the registers; return the revision in force after it."""
    return str(publish(reason, actor).revision)


@transaction.atomic
def bring_into_force(
    policy: Policy, *, kind: PolicyActivation.Kind, reason: str, actor: str, certification: bool | None = None
) -> Bundle:
    """Put a policy over the registers in force. ``authoring.lifecycle`` decides who may."""
    wait_for_publishers()
    return _bring_into_force(policy, kind, reason, actor, certification)


def _bring_into_force(
    policy: Policy, kind: PolicyActivation.Kind, reason: str, actor: str, certification: bool | None
) -> Bundle:
    _end_rollout(policy, actor)
    bundle = _publish(policy, reason, actor, certification)
    activation = PolicyActivation.objects.create(
        policy=policy,
        bundle=bundle,
        kind=kind,
        author=policy.author,
        author_account=policy.author_account,
        actor=actor,
        actor_account=actors.account_of(actor),
        reason=reason[:200],
    )
    details = {
        "kind": str(kind),
        "author": policy.author,
        "bundle": bundle.revision,
        **ACTIVATIONS.sealed(activation),
    }
    steps.record(
        of_policy(policy),
        _STEPS[kind],
        action="policy.activated",
        actor=actor,
        note=reason[:200],
        details=details,
        is_alone=kind == PolicyActivation.Kind.EMERGENCY,
    )
    return bundle


def _end_rollout(policy: Policy, actor: str) -> None:
    """End a rollout whose candidate was compared with another policy than the one now in force."""
    rollout, last = candidates.open_rollout(), last_activation()
    if rollout is not None and (last is None or last.policy_id != policy.digest):
        why = f"Policy {policy} was brought into force meanwhile."
        candidates.end(rollout, Rollout.State.OVERTAKEN, actor=actor, why=why)


def last_activation() -> PolicyActivation | None:
    """Return how the policy in force was activated; None before the first, and after an upgrade until it starts."""
    return PolicyActivation.objects.select_related("policy").order_by("-id").first()


def shipped_policy() -> Policy:
    """Return the policy of this release."""
    modules = read_policies()
    defaults = {"modules": modules, "note": "shipped with a release", "author": SYSTEM}
    return Policy.objects.get_or_create(digest=policy_digest(modules, {}), defaults=defaults)[0]


def policy_digest(modules: dict[str, str], overlay: dict[str, Any]) -> str:
    return f"sha256:{sha256(canonical_json({'modules': modules, 'overlay': overlay})).hex()}"


def wait_for_publishers() -> None:
    """Take turns until the transaction ends: one change of what decides at a time."""
    with connection.cursor() as cursor:
        # Not the row of the revision in force: before the first publication there is none to lock.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def assemble(policy: Policy, certification: bool | None = None) -> tuple[dict[str, str], dict[str, Any]]:
    """Return modules and data of a bundle of this policy over the registers as they are."""
    policies, data = policy.modules, {**building.build_data(), **policy.overlay}
    if has_certification() if certification is None else certification:
        more_policies, more_data = read_certification()
        policies, data = {**policies, **more_policies}, {**data, **more_data}
    return policies, data


def _publish(policy: Policy, reason: str, actor: str, certification: bool | None) -> Bundle:
    bundle, created = store(policy, reason=reason, actor=actor, certification=certification)
    if created or not ActiveBundle.objects.filter(bundle=bundle).exists():
        activate(bundle=bundle, reason=reason, actor=actor)
    rollout = candidates.open_rollout()
    if rollout is not None:
        # In this transaction: a model suspended for the one is never live for the other.
        built, _ = store(rollout.policy, reason=reason, actor=actor, certification=certification)
        candidates.rebuild(rollout, built, actor=actor)
    return bundle


def store(policy: Policy, *, reason: str, actor: str, certification: bool | None = None) -> tuple[Bundle, bool]:
    """Store a policy over the registers as a revision that is not in force; return whether it is new."""
    policies, data = assemble(policy, certification)
    return Bundle.objects.get_or_create(
        revision=revision_of(policies, data),
        defaults={
            "policies": policies,
            "data": canonical_json(data).decode(),
            "reason": reason[:200],
            "actor": actor,
        },
    )


@transaction.atomic
def activate(*, bundle: Bundle, reason: str, actor: str) -> None:
    """Activate a revision for the next decision of every process."""
    now = timezone.now()
    Activation.objects.create(bundle=bundle, reason=reason[:200], actor=actor, activated_at=now)
    ActiveBundle.objects.update_or_create(id=1, defaults={"bundle": bundle, "activated_at": now})
    trail.record("bundle.activated", bundle.revision, actor=actor, details={"reason": reason[:200]})


def has_certification() -> bool:
    """Return whether the certification package is in force."""
    return ActiveBundle.objects.filter(bundle__policies__has_any_keys=list(read_certification()[0])).exists()


def revision_of(policies: dict[str, str], data: dict[str, Any]) -> str:
    return f"sha256:{sha256(canonical_json({'policies': policies, 'data': data})).hex()}"


@lru_cache(maxsize=1)
def read_policies() -> dict[str, str]:
    """Return the Rego modules of this release, tests left out: path -> text."""
    return rego.read_modules()
