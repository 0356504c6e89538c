"""The policy's answer about releases of tables: the package ``governance.release`` of the bundle in force.

Either engine is asked as for a decision. No bundle, no package in it (policies of earlier releases have none) and no
answer are refusals. Facts are a closed vocabulary: what no register names is ``unknown``.
"""

import json
from datetime import datetime
from typing import Any

from django.utils import timezone

from policies import engines
from policies.bundles import loading
from policies.bundles.loading import LoadedBundle
from policies.bundles.packages import UNKNOWN
from policies.engines import EngineFailure
from policies.models import ActiveBundle
from privacy.releases.gate import Facts, Reason, Verdict

PACKAGE = "governance.release"
QUERY = f"data.{PACKAGE}.answer"

_SENTENCES = {
    "release_unreadable": "The facts or the limits of disclosure cannot be read.",
    "k_too_small": "The smallest class is too small: {detail} are asked for.",
    "l_too_small": "A class shows too few sensitive values: {detail} are asked for.",
    "t_too_large": "Shares of sensitive values in a class are too far from the table's: {detail} thousandths at most.",
    "epsilon_too_large": "Noise of this epsilon protects too little: {detail} thousandths at most.",
    "protection_unknown": "Neither classes nor noise within the limits protect it ({detail}).",
    "purpose_unknown": "The purpose is not registered: {detail}.",
    "recipient_not_allowed": "The purpose does not name this receiver: {detail}.",
    "region_unknown": "Nothing is registered about the region of the receiver: {detail}.",
    "residency": "No residency rule allows data of people from {detail}.",
    "days_too_many": "It would be in force too long: {detail} days at most.",
    "overlap": "Laid on an earlier release of this table, too little is left of a person's class: {detail}.",
    "person_key": "Pseudonyms in it point to people: it is not anonymous.",
    "person_key_unknown": "The policy in force says nothing about pseudonyms (input.person_key), so none may leave.",
    "inferred_too_often": "Sensitive values of people in it are guessed too often: {detail} thousandths at most.",
    "singled_out_too_often": "People in it are singled out too often: {detail} thousandths at most.",
    "attack_unmeasured": "It has too few rows to measure how often sensitive values of people in it are guessed.",
    "bundle_missing": "No policy is in force.",
    "package_missing": "The policy in force says nothing about releases. Publish one that does.",
    "engine_undefined": "The policy gave no answer, which is a refusal.",
    "engine_unavailable": "The policy engine did not answer, which is a refusal.",
    "engine_timeout": "The policy engine did not answer in time, which is a refusal.",
}


def judge(facts: Facts) -> Verdict:
    """Return what the policy in force says about a release. A failure of any kind is a refusal."""
    active = ActiveBundle.objects.values_list("bundle_id", "candidate_id").first()
    bundle = loading.usable(active[0]) if active else None
    if active is None or bundle is None:
        return _refusal("bundle_missing", "none")
    if not any(f"package {PACKAGE}" in text.splitlines() for text in bundle.policies.values()):
        return _refusal("package_missing", bundle.revision)
    # A policy written before there was this fact would permit what it has not heard of.
    if facts.person_key and not any("input.person_key" in text for text in bundle.policies.values()):
        return _refusal("person_key_unknown", bundle.revision)
    try:
        engine = engines.for_revision(bundle.revision, active[1])
        verdict = engine.evaluate(bundle, json.dumps(document(facts, bundle, timezone.now())).encode(), QUERY)
    except EngineFailure as failed:
        return _refusal(failed.reason, bundle.revision)
    reasons = tuple(_reason(each.code, each.detail or "") for each in verdict.reasons)
    warned = tuple(_reason(**each.properties) for each in verdict.obligations if each.type == "look_at")
    return Verdict(verdict.decision, reasons, warned, bundle.revision)


def document(facts: Facts, bundle: LoadedBundle, now: datetime) -> dict[str, Any]:
    """Return the policy's input."""
    residency = bundle.data["residency"]
    groups = set(residency["regions"].values())
    return {
        "kind": facts.kind,
        "k": facts.k,
        "l": facts.l,
        "t": facts.t,
        "epsilon": facts.epsilon,
        "has_sensitive": facts.has_sensitive,
        "purpose": _word(facts.purpose, bundle.data["purposes"]),
        "receivers": [_word(each, bundle.recipients) for each in facts.receivers],
        "people": _word(facts.people, groups),
        "region": _word(facts.region, residency["processing"]),
        "days": facts.days,
        "smallest_overlap": facts.smallest_overlap,
        "person_key": facts.person_key,
        "inferred": facts.inferred,
        "singled_out": facts.singled_out,
        "expired_instruments": [slug for slug, end in bundle.instrument_ends if end <= now.timestamp()],
    }


def _word(said: str, known: Any) -> str:
    return said if said in known else UNKNOWN


def _refusal(code: str, revision: str) -> Verdict:
    return Verdict(False, (_reason(code, ""),), (), revision)


def _reason(code: str, detail: str) -> Reason:
    return Reason(code, detail, _SENTENCES.get(code, code).format(detail=detail))
