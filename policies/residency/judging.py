"""Judge placements by a bundle: the same engine, rules and instruments as requests."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from policies.bundles.loading import LoadedBundle
from policies.engines import Engine, EngineFailure, Verdict
from policies.residency import regions
from policies.residency.placements import Placement

PACKAGE = "governance.deployment"
QUERY = f"data.{PACKAGE}.answer"

_SENTENCES = {
    "placement_unreadable": "This placement cannot be read.",
    "region_unstated": "It is not said where this stands.",
    "region_unknown": "Nobody has said under whose law this region is: {detail}. Add it to the processing regions.",
    "subjects_unstated": "It is not said whose data this is: name groups of people with --subjects or an annotation.",
    "purpose_unknown": "No such purpose is registered: {detail}.",
    "category_without_purpose": "None of the stated purposes uses this kind of data: {detail}.",
    "transfer_instrument_expired": "The transfer instrument of rule {detail} has expired.",
    "residency": "No rule allows data of people in {detail}.",
    "engine_undefined": "The policy gave no answer, which is a refusal.",
    "engine_unavailable": "The policy engine did not answer, which is a refusal.",
    "engine_timeout": "The policy engine did not answer in time, which is a refusal.",
}


@dataclass(frozen=True)
class Reason:
    code: str
    detail: str

    @property
    def sentence(self) -> str:
        return _SENTENCES.get(self.code, self.code).format(detail=self.detail)


@dataclass(frozen=True)
class Judgement:
    """Result for a placement. ``rules`` are the residency rules that permit it; ``reasons`` why it is refused."""

    placement: Placement
    permitted: bool
    rules: tuple[str, ...]
    instruments: tuple[str, ...]
    reasons: tuple[Reason, ...]


def is_able(bundle: LoadedBundle) -> bool:
    """Return whether the bundle has the package: those of earlier releases do not."""
    return any(f"package {PACKAGE}" in text.splitlines() for text in bundle.policies.values())


def judge(placements: Iterable[Placement], *, bundle: LoadedBundle, engine: Engine, now: datetime) -> list[Judgement]:
    """Judge each placement. A failure of the engine is a refusal."""
    expired = [slug for slug, end in bundle.instrument_ends if end <= now.timestamp()]
    return [_judge(placement, expired, bundle, engine) for placement in placements]


def _judge(placement: Placement, expired: Sequence[str], bundle: LoadedBundle, engine: Engine) -> Judgement:
    facts = {
        "kind": placement.kind,
        "region": placement.region,
        "region_group": regions.group_of(placement.provider, placement.region),
        "subject_groups": placement.subject_groups,
        "data_categories": placement.data_categories,
        "purposes": placement.purposes,
        "expired_instruments": expired,
    }
    try:
        verdict = engine.evaluate(bundle, json.dumps(facts).encode(), QUERY)
    except EngineFailure as exc:
        return Judgement(placement, False, (), (), (Reason(exc.reason, ""),))
    reasons = tuple(Reason(reason.code, reason.detail or "") for reason in verdict.reasons)
    return Judgement(placement, verdict.decision, _named(verdict, "rule"), _named(verdict, "instrument"), reasons)


def _named(verdict: Verdict, member: str) -> tuple[str, ...]:
    named = (obligation.properties.get(member) for obligation in verdict.obligations)
    return tuple(dict.fromkeys(str(name) for name in named if name))
