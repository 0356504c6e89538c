"""POST /access/v1/evaluation: one question, one decision."""

from typing import Any

from policies.bundles.loading import LoadedBundle
from policies.bundles.packages import Package
from policies.decisions.evaluate import BatchEvaluation, decide
from policies.endpoints.authzen import access
from policies.endpoints.authzen.requests import NOBODY, entity_question_of, question_of
from policies.endpoints.wsgi import Refused


def answer(document: dict[str, Any], token: str) -> bytes:
    """Return the decision as bytes. Raises Refused and SpoolFull."""
    question, fault = NOBODY, ""
    try:
        question = question_of(document)
    except ValueError as exc:
        fault = str(exc)
    known = access.read(question.subject_ref, token)
    # A caller without permission does not learn what is wrong with the question.
    caller = access.authorise(known)
    bundle = access.bundle_in_force(known)
    package = access.package_for(document, bundle)
    if bundle is not None and package is not None:
        return _decide_entities(document, package, bundle, caller)
    if fault:
        raise Refused(400, "invalid_request", fault)
    return decide(question, caller=caller, known=known).body


def _decide_entities(document: dict[str, Any], package: Package, bundle: LoadedBundle, caller: str) -> bytes:
    try:
        question = entity_question_of(document)
    except ValueError as exc:
        raise Refused(400, "invalid_request", str(exc)) from None
    sheet = BatchEvaluation(caller=caller)
    body = sheet.decide_entities(question, package, bundle).body
    sheet.log()
    return body
