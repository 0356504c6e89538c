"""What would change an answer: flip one fact, ask the same policy again, keep what changes the answer.

A refusal, withdrawal or objection is never flipped: nobody is told how to get around a "no".
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import msgspec

from policies import bundles
from policies.bundles import LEVELS, LoadedBundle
from policies.decisions import Prepared, evaluate_facts

_ASKABLE = frozenset({"never_asked", "expired", "renewal_required"})
Change = dict[str, Any]


def would_change(prepared: Prepared) -> list[Change]:
    """Return the single changes that would permit more than ``prepared`` does, with the level each leads to."""
    document = msgspec.json.decode(prepared.facts)
    # Another package than consent has facts of its own; what would change them is its business.
    if not document or prepared.engine == "none" or "package" in document:
        return []
    bundle = bundles.loaded(prepared.verdict.revision)
    changes = []
    for change, flipped in _flips(document, bundle):
        verdict = evaluate_facts(msgspec.json.encode(flipped), bundle).verdict
        if _permits_more(verdict.decision, verdict.level, prepared):
            changes.append({**change, "to_level": verdict.level} if verdict.level else change)
    return changes


def _permits_more(decision: bool, level: str | None, prepared: Prepared) -> bool:
    if decision and not prepared.verdict.decision:
        return True
    return LEVELS.get(level or "none", 0) > LEVELS.get(prepared.verdict.level or "none", 0)


def _flips(document: dict[str, Any], bundle: LoadedBundle) -> Iterator[tuple[Change, dict[str, Any]]]:
    if document["consent"]["state"] in _ASKABLE:
        flipped = deepcopy(document)
        flipped["consent"].update(state="given", notice_current=True)
        # Whoever agrees is known from then on.
        flipped["subject"]["known"] = True
        yield {"code": "grant_consent", "purpose": document["purpose"]}, flipped
    if document["model"] is not None and document["model"]["status"] not in ("live", "retired"):
        flipped = deepcopy(document)
        flipped["model"]["status"] = "live"
        yield {"code": "approve_model", "model": document["model"]["id"]}, flipped
    for region in bundle.data["residency"]["processing"]:
        if region != document["processing"]["region"]:
            flipped = deepcopy(document)
            flipped["processing"]["region"] = region
            yield {"code": "process_in_region", "region": region}, flipped
