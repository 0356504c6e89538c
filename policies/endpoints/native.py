"""POST /api/v1/decisions: the AuthZEN endpoints' answers with full detail, one question or up to 1,000.

``decisions`` holds many questions, and the other members are what they share, as in an AuthZEN batch. An answer adds to
the decision: sentences for officers and people, whether it may be asked for, what would change it, and on demand the
rules that led to it. One statement, one revision and one write to the log, as for an AuthZEN batch.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec

from policies.bundles import loading, reasons
from policies.decision_log.spool import SpoolFull
from policies.decisions.rendering import Decision
from policies.endpoints import wsgi
from policies.endpoints.authzen import access, batch
from policies.endpoints.authzen.batch import MAX_EVALUATIONS, Fault
from policies.endpoints.wsgi import Environ, Refused, StartResponse
from policies.engines import EngineFailure
from policies.engines.base import Reason
from policies.explaining.counterfactuals import Budget, would_change
from policies.explaining.explanations import explain_answer

PATH = "/api/v1/decisions"
MAX_EXPLAINED = 10
MAX_FLIPS = 500  # evaluations spent on what would change the answers of one request
_encode = msgspec.json.Encoder().encode
Told = dict[str, Any]


class _Wishes(msgspec.Struct):
    """Options of a request. Members that are not named are ignored, as in AuthZEN."""

    decisions: list[dict[str, Any]] | msgspec.UnsetType = msgspec.UNSET
    explain: bool = False
    would_change: bool = True

    def __post_init__(self) -> None:
        count = 1 if self.decisions is msgspec.UNSET else len(self.decisions)
        if count == 0:
            raise ValueError("decisions is empty; ask at least one question.")
        if count > MAX_EVALUATIONS:
            raise ValueError(f"There are more than {MAX_EVALUATIONS} questions; send them in several requests.")
        if self.explain and count > MAX_EXPLAINED:
            raise ValueError(f"At most {MAX_EXPLAINED} answers are explained at once; ask for fewer.")


def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Answer ``POST /api/v1/decisions``."""
    headers = wsgi.common_headers(environ)
    try:
        body = _encode(_answer(environ))
    except Refused as refused:
        return wsgi.refuse(refused, headers, start_response)
    return wsgi.respond(200, body, headers, start_response)


def _answer(environ: Environ) -> Told:
    token = wsgi.token_of(environ)
    document = wsgi.read_document(environ)
    try:
        wishes = msgspec.convert(document, _Wishes)
    except ValueError as exc:
        access.refuse(str(exc), token)
    alone = wishes.decisions is msgspec.UNSET
    answers = _decide(_questions(document, wishes), token)
    if alone and isinstance(answers[0], Fault):
        raise Refused(400, "invalid_request", str(answers[0]))
    budget = Budget(MAX_FLIPS)
    told = [_fault(each) if isinstance(each, Fault) else _told(each, wishes, budget) for each in answers]
    return told[0] if alone else {"decisions": told}


def _questions(document: Told, wishes: _Wishes) -> list[Told]:
    """Return one question, or many completed by the members they share."""
    if isinstance(wishes.decisions, msgspec.UnsetType):
        return [document]
    shared = {name: document[name] for name in batch.DEFAULTS if name in document}
    return [{**shared, **item} for item in wishes.decisions]


def _decide(items: list[Told], token: str) -> list[Decision | Fault]:
    sheet, answers = batch.decide_many(items, token)
    decided = list(answers)
    try:
        sheet.log()
    except SpoolFull:
        raise Refused(503, "log_unavailable", "An answer that cannot be logged is not given; ask again.") from None
    return decided


def told_alone(decision: Decision, document: Told) -> Told:
    """Render one answer in full, to a request that can be read or not."""
    try:
        wishes = msgspec.convert(document, _Wishes)
    except ValueError:
        wishes = _Wishes()
    return _told(decision, wishes, Budget(MAX_FLIPS))


def _fault(message: str) -> Told:
    """Render an item that is no question: nothing was decided, so it has no id and was not logged."""
    return {"decision": False, "error": {"status": 400, "message": str(message)}}


def _told(decision: Decision, wishes: _Wishes, budget: Budget) -> Told:
    verdict = decision.rendered.verdict
    told: Told = {
        "decision": verdict.decision,
        "decision_id": decision.id,
        "outcome": decision.rendered.outcome,
        "level": verdict.level,
        "reasons": [_reason(reason) for reason in verdict.reasons],
        "obligations": [
            {"id": f"o{number}", "type": duty.type, "properties": duty.properties}
            for number, duty in enumerate(verdict.obligations, start=1)
        ],
        "requestable": verdict.requestable,
        "legal_basis": verdict.legal_basis,
        "subject_revision": decision.subject_revision,
        "bundle_revision": decision.bundle_revision or None,
        "valid_until": None if decision.valid_until is None else _moment(decision.valid_until),
    }
    if wishes.would_change:
        told["would_change"] = would_change(decision.rendered, budget)
    if wishes.explain:
        told["rules"] = _rules(decision)
    return told


def _reason(reason: Reason) -> Told:
    sentences = {"officer": reasons.for_officer(reason.code), "person": reasons.for_person(reason.code)}
    detail = {} if reason.detail is None else {"detail": reason.detail}
    return {"code": reason.code, **detail, **sentences}


def _rules(decision: Decision) -> list[Told] | None:
    if not decision.bundle_revision:
        return None
    try:
        return explain_answer(decision.rendered, loading.loaded(decision.bundle_revision))
    except EngineFailure:
        return None


def _moment(epoch: float) -> str:
    return f"{datetime.fromtimestamp(int(epoch), tz=UTC).isoformat()[:19]}Z"
