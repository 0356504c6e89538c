"""Differences of answers: the comparable part of an answer, and the kinds of difference between two."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from common.canonical import canonical_json
from common.http.problems import Problem
from common.levels import LEVELS
from policies.bundles.reasons import outcome_of
from policies.engines import Verdict

Obligations = frozenset[tuple[str, str]]


class CandidateUnusable(Problem):
    status = 422
    code = "candidate_unusable"
    title = "The candidate cannot be simulated"


class Kind(StrEnum):
    """Kind of difference; one decision can differ in several ways. The ones by outcome exclude the others."""

    PERMIT_TO_DENY = "permit_to_deny"
    DENY_TO_PERMIT = "deny_to_permit"
    PERMIT_TO_UNKNOWN = "permit_to_unknown"
    UNKNOWN_TO_PERMIT = "unknown_to_permit"
    DENY_TO_UNKNOWN = "deny_to_unknown"
    UNKNOWN_TO_DENY = "unknown_to_deny"
    LEVEL_DOWN = "level_down"
    LEVEL_UP = "level_up"
    OBLIGATIONS_ADDED = "obligations_added"
    OBLIGATIONS_REMOVED = "obligations_removed"
    REASONS = "reasons_changed"


# Another reason for the same answer is worth a look, but it changes no treatment.
DIFFERENT = frozenset(Kind) - {Kind.REASONS}


@dataclass(frozen=True)
class ComparedAnswer:
    """Comparable part of an answer: reasons in the policy's order, ``obligations`` as (type, canonical JSON)."""

    outcome: str
    level: str | None
    reasons: tuple[str, ...]
    obligations: Obligations

    def document(self) -> dict[str, Any]:
        return {
            "outcome": self.outcome,
            "level": self.level,
            "reasons": list(self.reasons),
            "obligations": sorted({kind for kind, _ in self.obligations}),
        }


def of_verdict(verdict: Verdict) -> ComparedAnswer:
    reasons = tuple(reason.code for reason in verdict.reasons)
    obligations = obligations_of((o.type, o.properties) for o in verdict.obligations)
    return ComparedAnswer(outcome_of(verdict.decision, reasons), verdict.level, reasons, obligations)


def obligations_of(pairs: Iterable[tuple[str, Any]]) -> Obligations:
    return frozenset((kind, canonical_json(properties).decode()) for kind, properties in pairs)


def differences(before: ComparedAnswer, after: ComparedAnswer) -> frozenset[Kind]:
    """Return how ``after`` differs; nothing where both are equal."""
    if before is after:
        return frozenset()
    if before.outcome != after.outcome:
        return frozenset({Kind(f"{before.outcome}_to_{after.outcome}")})
    kinds = set()
    if (rise := _rank(after) - _rank(before)) != 0:
        kinds.add(Kind.LEVEL_UP if rise > 0 else Kind.LEVEL_DOWN)
    if after.obligations - before.obligations:
        kinds.add(Kind.OBLIGATIONS_ADDED)
    if before.obligations - after.obligations:
        kinds.add(Kind.OBLIGATIONS_REMOVED)
    if set(after.reasons) != set(before.reasons):
        kinds.add(Kind.REASONS)
    return frozenset(kinds)


def _rank(answer: ComparedAnswer) -> int:
    return LEVELS.get(answer.level or "none", 0)
