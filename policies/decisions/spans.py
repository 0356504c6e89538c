"""Trace attributes of a decision: what was answered and why, never about whom."""

from common.levels import LEVELS
from common.tracing import Attributes
from policies.bundles import reasons
from policies.decisions.rendering import Decision, RenderedVerdict

_OTHER = "other"


def of_decision(decision: Decision) -> Attributes:
    return of_verdict(decision.rendered)


def of_verdict(rendered: RenderedVerdict) -> Attributes:
    """Return attributes with words of our own only, and no reason's detail.

    Rules of the business's own may answer with any words, and those of other packages see who is asked about.
    """
    verdict = rendered.verdict
    return {
        "assent.outcome": rendered.outcome,
        "assent.level": verdict.level if verdict.level is None or verdict.level in LEVELS else _OTHER,
        "assent.reasons": [reason.code if reason.code in reasons.CODES else _OTHER for reason in verdict.reasons],
        "assent.bundle_revision": verdict.revision,
        "assent.engine": rendered.engine,
    }
