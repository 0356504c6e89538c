"""Summary of a candidate's differing answer, by which the log is searched and counted."""

import json
from typing import Any

from policies.decision_log.differences import ComparedAnswer, Kind, differences

# The engine gave no answer under this revision, or there is no such revision to ask.
FAILURES = frozenset({"engine_unavailable", "engine_timeout", "engine_undefined", "bundle_missing"})


def summary(entry: dict[str, Any]) -> dict[str, Any] | None:
    """Return the column's summary of an entry, derived from it and from nothing else; None without a difference.

    Only words of our own: what rules may write as they like (reasons, obligations) stays in the entry.
    """
    told = entry.get("shadow")
    if told is None:
        return None
    before, after = _answer(entry), _answer(told)
    return {
        "revision": told["revision"],
        "outcome": after.outcome,
        "kinds": sorted(map(str, differences(before, after))) or [str(Kind.REASONS)],
        "failed": not FAILURES.isdisjoint(after.reasons),
    }


def _answer(told: dict[str, Any]) -> ComparedAnswer:
    return ComparedAnswer(
        told["outcome"],
        told.get("level"),
        tuple(reason["code"] for reason in told["reasons"]),
        # Not as canonical JSON, which refuses the fractions a rule may write.
        frozenset((duty["type"], json.dumps(duty["properties"], sort_keys=True)) for duty in told["obligations"]),
    )
