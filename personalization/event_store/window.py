"""Whose events may all be kept, beyond the rolling window: those whose level is individual, by a decision."""

from uuid import UUID

from django.conf import settings

from common import actors

_FAILURES = frozenset(
    {"bundle_missing", "engine_timeout", "engine_unavailable", "engine_undefined", "information_unavailable"}
)


def may_keep_all(ref: UUID, purpose: str, logged: bool) -> bool:
    """Return whether the person's level lets everything be kept. Where no decision can be made, nothing goes."""
    # They load the policy engine, which a process that only registers the data set does not need.
    from policies.decisions import evaluate
    from policies.decisions.questions import Question

    question = Question(
        subject_ref=ref,
        action="personalize",
        purpose=purpose,
        requested_level="individual",
        data_categories=("purchases", "ratings", "views"),
        processing_region=settings.PROCESSING_REGION,
    )
    if logged:
        verdict = evaluate.decide(question, caller=actors.job("window")).rendered.verdict
    else:
        verdict = evaluate.preview(question).verdict
    return verdict.level == "individual" or any(reason.code in _FAILURES for reason in verdict.reasons)
