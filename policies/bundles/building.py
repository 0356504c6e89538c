"""Build the data of a bundle out of the registers: what policies can look up."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from common.levels import LEVELS
from consent.models import NO_NOTICES, Purpose, current_notice_versions
from consent.register.terms import Coverage, Terms, beyond_versions, live, of_versions
from model_registry.gates import outcome as gates
from model_registry.gates.findings import FAILED
from model_registry.models import ModelVersion
from model_registry.reviews.models import ReviewRule
from model_registry.segments import stopping
from policies.models import (
    DisplayRule,
    FrequencyCap,
    Jurisdiction,
    MaskRule,
    PriceRule,
    ProcessingRegion,
    RankingRule,
    Region,
    ResidencyRule,
    SensitiveCategory,
    TransferInstrument,
)
from privacy.releases import limits
from privacy.retention.data_sets import periods

QUIET_HOURS = {"start": 21, "end": 8}


def build_data() -> dict[str, Any]:
    """Return the registers as one document: what policies can look up (docs/glossary.md names the members)."""
    purposes = list(Purpose.objects.filter(is_active=True).order_by("slug"))
    disclosure = limits.document()
    return {
        "schema": 1,
        "levels": LEVELS,
        "segment": {"min_size": disclosure["smallest_group"]},
        "quiet_hours": QUIET_HOURS,
        "purposes": _purposes(purposes),
        "sensitive_categories": list(SensitiveCategory.objects.order_by("slug").values_list("slug", flat=True)),
        "residency": _residency(),
        "jurisdictions": {j.slug: _jurisdiction(j) for j in Jurisdiction.objects.all()},
        "retention": {slug: {"days": days} for slug, days in periods.of_purposes().items()},
        "models": _models(),
        "human_review": _reviews(),
        "display_rules": {rule.slug: rule.document() for rule in DisplayRule.objects.all()},
        "disclosure": disclosure,
        "ranking": {rule.purpose: rule.document() for rule in RankingRule.objects.all()},
        "frequency_caps": {cap.slug: cap.document() for cap in FrequencyCap.objects.all()},
        "mask_rules": {rule.slug: rule.document() for rule in MaskRule.objects.all()},
        "price_rules": {rule.slug: rule.document() for rule in PriceRule.objects.all()},
    }


def _purposes(purposes: list[Purpose]) -> dict[str, Any]:
    notices, terms = current_notice_versions(), of_versions()
    by_id = {purpose.pk: purpose for purpose in purposes}
    newest: dict[str, Terms] = {}
    found: dict[str, Any] = {}
    for purpose in purposes:
        slug, versions = purpose.slug, notices.get(purpose.slug, NO_NOTICES)
        frozen = terms.get(slug, {})
        newest[slug] = frozen.get(versions["current"], Terms())
        found[slug] = _purpose(purpose, _ancestors(purpose, by_id), versions["required"], live(frozen, versions))
    for slug, purpose in found.items():
        lending = _lending(slug, purpose["parents"], newest)
        if lending != purpose["parents"]:
            purpose["lending"] = lending
    return found


def _purpose(purpose: Purpose, parents: list[str], required: int, versions: dict[int, Terms]) -> dict[str, Any]:
    """Return a purpose; ``agreed`` holds what the live versions cover that the register says more than."""
    said = Coverage.read(vars(purpose))
    narrower = beyond_versions(said, versions)
    agreed = {"agreed": {str(version): versions[version].within(said).document() for version in narrower}}
    return {
        "legal_basis": purpose.legal_basis,
        "parents": parents,
        "required_notice": required,
        **said.document(),
        **(agreed if narrower else {}),
    }


def _lending(slug: str, parents: list[str], newest: dict[str, Terms]) -> list[str]:
    """Return the broader purposes whose yes counts for this one: those that the notices in force name as broader."""
    lending: list[str] = []
    for parent in parents:
        if newest[slug].broader != parent:
            break
        lending.append(parent)
        slug = parent
    return lending


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


def _reviews() -> dict[str, Any]:
    """Return the rules that mark outputs for a review by a person."""
    rules = ReviewRule.objects.filter(is_active=True).select_related("purpose")
    return {rule.slug: rule.mark() for rule in rules if rule.purpose is None or rule.purpose.is_active}


def _models() -> dict[str, Any]:
    """Return the versions that serve, served, or may serve again at once; drafts are in no bundle."""
    versions = ModelVersion.objects.filter(status__in=ModelVersion.IN_BUNDLE)
    now, off = timezone.now(), stopping.by_version()
    return {
        str(version): {
            "id": version.model.slug,
            "version": version.version,
            "status": version.status,
            "max_level": version.max_level,
            "purposes": sorted(purpose.slug for purpose in version.purposes.all()),
            **_gates(version, now),
            **_canary(version),
            "artifact": version.artifact,
            "artifact_sha256": version.artifact_sha256,
            "signature": version.signature,
            **_stopped(off.get((version.model_id, version.version), [])),
        }
        for version in versions.select_related("model").prefetch_related("purposes")
    }


def _canary(version: ModelVersion) -> dict[str, Any]:
    """Return whom a canary serves: a share, and the rollout that draws its people."""
    if version.status != ModelVersion.Status.CANARY:
        return {}
    return {"canary": {"share": version.canary_share, "rollout": version.canary_rollout}}


def _stopped(segments: list[str]) -> dict[str, Any]:
    return {"stopped_segments": sorted(segments)} if segments else {}


def _gates(version: ModelVersion, now: datetime) -> dict[str, Any]:
    """Return the outcome of a version's gates, and when it ends by itself; a retired version passes none."""
    if version.status not in ModelVersion.IN_USE:
        return {"gates": FAILED, "gates_until": None}
    outcome = gates.of(version, now)
    return {"gates": outcome.state, "gates_until": outcome.until.isoformat() if outcome.until else None}
