"""What is answered about an event."""

from collections.abc import Iterable
from typing import Any

from common.http.problems import Problem
from personalization.intake.taking import Answer, Taken
from personalization.serving import wording
from personalization.serving.wording import Document


def document(taken: Taken) -> dict[str, Any]:
    """Return whether an event is stored, by which decision, and why not."""
    [answered] = documents([taken])
    return answered


def documents(given: Iterable[Answer]) -> list[dict[str, Any]]:
    """Return what is answered about events of one request; the reasons of a verdict are worded once."""
    reasons: dict[int, list[Document]] = {}
    answered = []
    for each in given:
        if isinstance(each, Problem):
            answered.append(refusal(each))
            continue
        decision = each.decision
        verdict = id(decision.rendered)  # held by the answers for as long as this runs
        if verdict not in reasons:
            reasons[verdict] = wording.decided(decision)
        answered.append(
            {
                "stored": each.stored,
                "duplicate": each.duplicate,
                "decision_id": decision.id,
                "reasons": reasons[verdict],
            }
        )
    return answered


def refusal(problem: Problem) -> dict[str, Any]:
    """Return why an event of many was not taken in, as its own request would have been answered."""
    error: dict[str, Any] = {
        "status": int(problem.status),
        "code": problem.code,
        "title": str(problem.title),
        "detail": str(problem.detail),
    }
    if problem.errors:
        error["errors"] = problem.errors
    return {"stored": False, "duplicate": False, "error": error}
