"""Answers about a person who is not looked up: another cell's that cannot be asked, or of unknown residence."""

from http import HTTPStatus
from typing import Any

import msgspec

from common.http.problems import Problem, Unavailable
from consent.problems import NoCell, OtherCell, RegionConflict, RegionNeeded
from policies.cells.requests import SubjectRequest
from policies.cells.subject_placement import Place, Unplaced
from policies.decision_log.spool import SpoolFull
from policies.decisions.evaluate import BatchEvaluation
from policies.decisions.rendering import failure
from policies.endpoints import wsgi


class CellUnavailable(Problem):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "cell_unavailable"
    title = "The person's cell does not answer"


def answers(request: SubjectRequest, code: str, count: int, *, caller: str, revision: str) -> list[Any]:
    """Decide ``count`` questions at level none, logged without a pseudonym, in the form of the route.

    Where the route asks for no decision it is the problem: of each item where a batch says it so, else it is raised.
    """
    render = request.route.render_denial
    if render is None:
        problem, word = problem_of(Unplaced(code)), request.route.render_problem
        if word is None or not request.is_batch:
            raise problem
        return [word(problem) for _ in range(count)]
    sheet = BatchEvaluation(caller=caller)
    decisions = [sheet.answer_without_subject(failure(code, revision)) for _ in range(count)]
    try:
        sheet.log()
    except SpoolFull:
        raise wsgi.log_unavailable() from None
    return [_plain(render(decision, request.document)) for decision in decisions]


def _plain(answer: Any) -> Any:
    return msgspec.json.decode(answer) if isinstance(answer, msgspec.Raw) else answer


def problem_of(where: Place) -> Problem:
    """Return why nothing is read or written here, with the way out."""
    if not isinstance(where, Unplaced):
        return OtherCell(f"People of this region belong to cell '{where.name}'; send it there.")
    kind, detail = _PROBLEMS.get(where.code, _NO_RULES)
    return kind(detail)


_NO_RULES: tuple[type[Problem], str] = (
    Unavailable,
    "No policy bundle is in force, so it is not known to which cell this person belongs.",
)
_CONFLICT = (
    "This person is known here under a region whose people this cell holds, and the request states another. Nothing "
    "was stored. Leave the region out to go on here, under the region that is stored."
)
_PROBLEMS: dict[str, tuple[type[Problem], str]] = {
    "region_unknown": (
        RegionNeeded,
        "This person is not known in this cell. State the region of residence, so that the cell can be found.",
    ),
    "residency": (
        NoCell,
        "No residency rule lets one of the cells hold people of this region. Nothing was stored.",
    ),
    "region_conflict": (
        RegionConflict,
        _CONFLICT,
    ),
    "cell_unavailable": (
        CellUnavailable,
        "It is not known whether anything was stored there. Send the request again with the same Idempotency-Key.",
    ),
}
