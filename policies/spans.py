"""What a trace says of a decision: what was answered and why, never about whom."""

from common.tracing import Attributes
from policies.answers import Decision, Prepared


def of_decision(decision: Decision) -> Attributes:
    return of_prepared(decision.prepared)


def of_prepared(prepared: Prepared) -> Attributes:
    """A reason's detail is left out: it is the policy's own text."""
    verdict = prepared.verdict
    return {
        "assent.outcome": prepared.outcome,
        "assent.level": verdict.level,
        "assent.reasons": [reason.code for reason in verdict.reasons],
        "assent.bundle_revision": verdict.revision,
        "assent.engine": prepared.engine,
    }
