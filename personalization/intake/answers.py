"""What is answered about an event."""

from typing import Any

from common.http.problems import Problem
from personalization.intake.taking import Taken
from personalization.serving import wording


def document(taken: Taken) -> dict[str, Any]:
    """Return whether an event is stored, by which decision, and why not."""
    return {
        "stored": taken.stored,
        "duplicate": taken.duplicate,
        "decision_id": taken.decision.id,
        "reasons": wording.decided(taken.decision),
    }


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
