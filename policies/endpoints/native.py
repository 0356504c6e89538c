"""POST /api/v1/decisions: the AuthZEN endpoints' answers with full detail, one question or up to 1,000.

``decisions`` holds many questions, and the other members are what they share, as in an AuthZEN batch. An answer adds to
the decision: sentences for officers and people, whether it may be asked for, what would change it, and on demand the
rules that led to it. One statement, one revision and one write to the log, as for an AuthZEN batch.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec

from policies.bundles import loading, reasons
from policies.decisions.rendering import Decision
from policies.endpoints import wsgi
from policies.endpoints.authzen import access
from policies.endpoints.authzen.batch import DEFAULTS, MAX_EVALUATIONS, Defaults, decide_many
from policies.endpoints.authzen.faults import Fault, converted
from policies.endpoints.wsgi import Environ, Refused
from policies.engines import EngineFailure
from policies.engines.base import Reason
from policies.explaining.counterfactuals import Budget, would_change
from policies.explaining.explanations import explain_answer

PATH = "/api/v1/decisions"
MAX_EXPLAINED = 10
MAX_FLIPS = 500  # evaluations spent on what would change the answers of one request
_encode = msgspec.json.Encoder().encode
Document = dict[str, Any]


class _Options(Defaults):
    """Options of a request, and what its questions share. Members that are not named are ignored, as in AuthZEN."""

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


def _answer(environ: Environ) -> wsgi.Reply:
    token, document = wsgi.read_call(environ, access.SCOPE)
    try:
        options = converted(document, _Options)
    except ValueError as exc:
        access.refuse(str(exc), token)
    batch, decisions, _ = decide_many(_questions(document, options), token)
    answers = list(decisions)
    batch.log()
    return 200, _encode(_rendered(answers, options))


def _rendered(answers: list[Decision | Fault], options: _Options) -> Document:
    """Return one answer, or many where many questions were sent. Raises Refused for one that is no question."""
    budget, alone = Budget(MAX_FLIPS), options.decisions is msgspec.UNSET
    if alone and isinstance(answers[0], Fault):
        raise Refused(400, "invalid_request", str(answers[0]))
    rendered = [_render_fault(each) if isinstance(each, Fault) else _render(each, options, budget) for each in answers]
    return rendered[0] if alone else {"decisions": rendered}


def _questions(document: Document, options: _Options) -> list[Document]:
    """Return one question, or many with what they share next to them."""
    if isinstance(options.decisions, msgspec.UnsetType):
        return [document]
    shared = {name: document[name] for name in DEFAULTS if name in document}
    return [{**shared, **item} for item in options.decisions]


def render_alone(decision: Decision, document: Document) -> Document:
    """Return one answer in full, to a request that can be read or not."""
    try:
        options = converted(document, _Options)
    except ValueError:
        options = _Options()
    return _render(decision, options, Budget(MAX_FLIPS))


def _render_fault(message: str) -> Document:
    """Render an item that is no question: nothing was decided, so it has no id and was not logged."""
    return {"decision": False, "error": {"status": 400, "message": str(message)}}


def _render(decision: Decision, options: _Options, budget: Budget) -> Document:
    verdict = decision.rendered.verdict
    document: Document = {
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
    if decision.rendered.warnings:
        document["warnings"] = list(decision.rendered.warnings)
    if options.would_change:
        document["would_change"] = would_change(decision.rendered, budget, candidate=decision.candidate)
    if options.explain:
        document["rules"] = _rules(decision)
    return document


def _reason(reason: Reason) -> Document:
    sentences = {"officer": reasons.for_officer(reason.code), "person": reasons.for_person(reason.code)}
    detail = {} if reason.detail is None else {"detail": reason.detail}
    return {"code": reason.code, **detail, **sentences}


def _rules(decision: Decision) -> list[Document] | None:
    if not decision.bundle_revision:
        return None
    try:
        return explain_answer(decision.rendered, loading.loaded(decision.bundle_revision))
    except EngineFailure:
        return None


def _moment(epoch: float) -> str:
    return f"{datetime.fromtimestamp(int(epoch), tz=UTC).isoformat()[:19]}Z"


application = wsgi.endpoint(_answer)
