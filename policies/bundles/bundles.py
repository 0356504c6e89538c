"""Bundles: built out of the registers and the Rego files, activated, and loaded for a process.

A bundle is policies + data = one immutable revision. Publishers queue up at a lock first and read the registers after
that, so two officers changing different things at once end in one bundle that holds both changes.
"""

import json
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from audit import trail
from common.canonical import canonical_json, sha256
from consent.models import Purpose, current_notice_versions
from model_registry.models import ModelVersion
from policies import rego
from policies.bundles import candidate as steps
from policies.bundles.packages import Package, read_register
from policies.certification import read_certification
from policies.models import (
    Activation,
    ActiveBundle,
    Bundle,
    Jurisdiction,
    Policy,
    PolicyActivation,
    ProcessingRegion,
    Region,
    ResidencyRule,
    Rollout,
    SensitiveCategory,
    TransferInstrument,
)
from privacy.models import RetentionSchedule

LEVELS = {"none": 0, "segment": 1, "behavioral": 2, "contextual": 3, "individual": 4}
SEGMENT_MIN_SIZE = 20
SYSTEM = "system"  # the author of what a release ships
QUIET_HOURS = {"start": 21, "end": 8}
_KEPT = 8  # during a rollout each change of the registers makes two
_LOCK = 0x62756E64  # "bund"
_FACT_STATUS = {ModelVersion.Status.APPROVED: "live"}


class BundleMissing(Exception):
    """Absence of a revision from the database."""


@dataclass(frozen=True)
class PurposeFacts:
    """A purpose as facts need it, computed once per bundle."""

    legal_basis: str
    ancestors: tuple[str, ...]
    required_notice: int


@dataclass(frozen=True)
class LoadedBundle:
    """A loaded revision. ``data_json`` is the data root of the engine, the revision included."""

    revision: str
    policies: dict[str, str]
    data: dict[str, Any]
    data_json: str
    purposes: dict[str, PurposeFacts]
    categories: frozenset[str]
    sensitive: frozenset[str]
    recipients: frozenset[str]
    instrument_ends: tuple[tuple[str, float], ...]  # (slug, epoch seconds), the ones that end at all
    packages: dict[str, Package] = field(default_factory=dict)  # by resource type; all others are the consent package's
    memo: dict[bytes, Any] = field(default_factory=dict, compare=False)
    entity_memo: dict[bytes, Any] = field(default_factory=dict, compare=False)
    changes: dict[bytes, Any] = field(default_factory=dict, compare=False)  # by answer: what would change it
    request_facts: dict[tuple[Any, ...], bytes] = field(default_factory=dict, compare=False)


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
    PolicyActivation.objects.create(
        policy=policy, bundle=bundle, kind=kind, author=policy.author, actor=actor, reason=reason[:200]
    )
    details = {"kind": str(kind), "author": policy.author, "reason": reason[:200], "bundle": bundle.revision}
    trail.record("policy.activated", policy.digest, actor=actor, details=details)
    return bundle


def _end_rollout(policy: Policy, actor: str) -> None:
    """End a rollout whose candidate was compared with another policy than the one now in force."""
    rollout, last = steps.open_rollout(), last_activation()
    if rollout is not None and (last is None or last.policy_id != policy.digest):
        why = f"Policy {policy} was brought into force meanwhile."
        steps.end(rollout, Rollout.State.OVERTAKEN, actor=actor, why=why)


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
    policies, data = policy.modules, {**build_data(), **policy.overlay}
    if has_certification() if certification is None else certification:
        more_policies, more_data = read_certification()
        policies, data = {**policies, **more_policies}, {**data, **more_data}
    return policies, data


def _publish(policy: Policy, reason: str, actor: str, certification: bool | None) -> Bundle:
    bundle, created = store(policy, reason=reason, actor=actor, certification=certification)
    if created or not ActiveBundle.objects.filter(bundle=bundle).exists():
        activate(bundle=bundle, reason=reason, actor=actor)
    rollout = steps.open_rollout()
    if rollout is not None:
        # In this transaction: a model suspended for the one is never live for the other.
        candidate, _ = store(rollout.policy, reason=reason, actor=actor, certification=certification)
        steps.rebuild(rollout, candidate, actor=actor)
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


def build_data() -> dict[str, Any]:
    """Return the registers as one document: what policies can look up (docs/glossary.md names the members)."""
    notices = current_notice_versions()
    purposes = list(Purpose.objects.filter(is_active=True).order_by("slug"))
    return {
        "schema": 1,
        "levels": LEVELS,
        "segment": {"min_size": SEGMENT_MIN_SIZE},
        "quiet_hours": QUIET_HOURS,
        "purposes": {purpose.slug: _purpose(purpose, purposes, notices) for purpose in purposes},
        "sensitive_categories": list(SensitiveCategory.objects.order_by("slug").values_list("slug", flat=True)),
        "residency": _residency(),
        "jurisdictions": {j.slug: _jurisdiction(j) for j in Jurisdiction.objects.all()},
        "retention": {
            schedule.purpose.slug: {"days": schedule.retain_for.days}
            for schedule in RetentionSchedule.objects.filter(is_active=True).select_related("purpose")
        },
        "models": _models(),
    }


def _purpose(purpose: Purpose, purposes: list[Purpose], notices: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "legal_basis": purpose.legal_basis,
        "parents": _ancestors(purpose, {p.pk: p for p in purposes}),
        "max_level": purpose.max_level,
        "actions": sorted(purpose.actions),
        "data_categories": sorted(purpose.data_categories),
        "recipients": sorted(purpose.recipients),
        "channels": sorted(purpose.channels),
        "required_notice": notices.get(purpose.slug, {"required": 0})["required"],
    }


def _ancestors(purpose: Purpose, by_id: dict[int, Purpose]) -> list[str]:
    chain: list[str] = []
    parent = by_id.get(purpose.parent_id) if purpose.parent_id else None
    while parent is not None and parent.slug not in chain and parent.slug != purpose.slug:
        chain.append(parent.slug)
        parent = by_id.get(parent.parent_id) if parent.parent_id else None
    return chain


def _residency() -> dict[str, Any]:
    return residency_of(
        regions=list(Region.objects.select_related("jurisdiction")),
        processing=dict(ProcessingRegion.objects.values_list("slug", "group")),
        rules=ResidencyRule.objects.select_related("instrument"),
        instruments=TransferInstrument.objects.all(),
    )


def residency_of(
    *,
    regions: Sequence[Region],
    processing: dict[str, str],
    rules: Iterable[ResidencyRule],
    instruments: Iterable[TransferInstrument],
) -> dict[str, Any]:
    """Return the residency member of a bundle's data; the rows may be unsaved."""
    return {
        "regions": {region.code: region.group for region in regions},
        "jurisdiction_of": {region.code: region.jurisdiction.slug for region in regions},
        "time_zone_of": {region.code: region.time_zone for region in regions},
        "age_of_consent_of": {region.code: region.age_of_consent for region in regions if region.age_of_consent},
        "processing": processing,
        "rules": [_rule(rule) for rule in rules],
        "instruments": {
            i.slug: {"valid_until": i.valid_until.isoformat() if i.valid_until else None} for i in instruments
        },
    }


def _rule(rule: ResidencyRule) -> dict[str, Any]:
    return {
        "id": rule.slug,
        "subject": rule.subject_group,
        "processing": rule.processing_group,
        "categories": sorted(rule.data_categories),
        "instrument": rule.instrument.slug if rule.instrument else None,
    }


def _jurisdiction(jurisdiction: Jurisdiction) -> dict[str, Any]:
    return {
        "consent_default": jurisdiction.consent_default,
        "unasked_max_level": jurisdiction.unasked_max_level,
        "consent_days": jurisdiction.consent_days,
        "reask_days": jurisdiction.reask_days,
        "age_of_consent": jurisdiction.age_of_consent,
        "opt_in_below": jurisdiction.opt_in_below,
        "answer": {
            "days": jurisdiction.answer_days,
            "extension_days": jurisdiction.extension_days,
            "unit": jurisdiction.answer_unit,
            "confirm_days": jurisdiction.confirm_days,
            "confirm_unit": jurisdiction.confirm_unit,
        },
        "binding_signals": sorted(jurisdiction.binding_signals),
        "pack_revision": jurisdiction.pack_revision,
        "signal_caps": jurisdiction.signal_caps,
        "minor_max_level": jurisdiction.minor_max_level,
        "unknown_age_is_adult": jurisdiction.unknown_age_is_adult,
    }


def _models() -> dict[str, Any]:
    versions = ModelVersion.objects.select_related("model").prefetch_related("purposes")
    return {
        str(version): {
            "id": version.model.slug,
            "version": version.version,
            "status": _FACT_STATUS.get(ModelVersion.Status(version.status), version.status),
            "max_level": version.max_level,
            "purposes": sorted(purpose.slug for purpose in version.purposes.all()),
            "gates": "passed",
            "artifact": version.artifact,
            "artifact_sha256": version.artifact_sha256,
        }
        for version in versions
    }


_loaded: dict[str, LoadedBundle] = {}
_loading = threading.Lock()


def loaded(revision: str) -> LoadedBundle:
    """Return the revision as this process holds it; read from the database once. Raises BundleMissing."""
    bundle = _loaded.get(revision)
    if bundle is None:
        with _loading:
            bundle = _loaded.get(revision) or _load(revision)
            _loaded[revision] = bundle
            for old in list(_loaded)[:-_KEPT]:
                del _loaded[old]
    return bundle


def usable(revision: str | None) -> LoadedBundle | None:
    """Return the revision, or None: a bundle that cannot be read or parsed is a bundle that is missing."""
    try:
        return loaded(revision) if revision else None
    except Exception:  # noqa: BLE001
        return None


def _load(revision: str) -> LoadedBundle:
    row = Bundle.objects.filter(revision=revision).values_list("policies", "data").first()
    if row is None:
        raise BundleMissing(revision)
    return load(revision, *row)


def load(revision: str, policies: dict[str, str], data_text: str) -> LoadedBundle:
    data = {**json.loads(data_text), "revision": revision}
    purposes = data["purposes"]
    sensitive = frozenset(data["sensitive_categories"])
    return LoadedBundle(
        revision=revision,
        policies=policies,
        data=data,
        data_json=json.dumps(data),
        purposes={
            slug: PurposeFacts(p["legal_basis"], tuple(p["parents"]), p["required_notice"])
            for slug, p in purposes.items()
        },
        categories=sensitive.union(*(p["data_categories"] for p in purposes.values())),
        sensitive=sensitive,
        recipients=frozenset().union(*(p["recipients"] for p in purposes.values())),
        instrument_ends=tuple(
            (slug, datetime.fromisoformat(instrument["valid_until"]).timestamp())
            for slug, instrument in sorted(data["residency"]["instruments"].items())
            if instrument["valid_until"]
        ),
        packages=read_register(data),
    )
