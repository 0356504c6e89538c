"""POST /access/v1/evaluation: a single question, in two halves around its statement."""

from uuid import UUID

from policies.decisions import information
from policies.decisions.evaluate import BatchEvaluation
from policies.decisions.information import Information
from policies.decisions.questions import AnyQuestion
from policies.endpoints import wsgi
from policies.endpoints.authzen import access, templates
from policies.endpoints.authzen.faults import Fault, read_as
from policies.endpoints.authzen.requests import entity_question_of
from policies.endpoints.authzen.templates import Asked
from policies.endpoints.begun import Begun
from policies.endpoints.wsgi import Environ, Refused


def begin(environ: Environ) -> Begun[Information]:
    """Read ``POST /access/v1/evaluation``; its statement is executed by the caller. Raises Refused."""
    token, asked = wsgi.read_call_as(templates.read, environ, access.SCOPE)
    wanted = access.wanted(subject_of(asked), token)
    return Begun(environ, wanted, lambda known: conclude(asked, known))


def subject_of(asked: Asked) -> UUID:
    """Return whom the question is about."""
    return information.NO_SUBJECT if isinstance(asked.question, Fault) else asked.question.subject_ref


def conclude(asked: Asked, known: Information | None) -> bytes:
    """Return the decision as bytes, out of what is known. Raises Refused and SpoolFull."""
    if known is None:
        raise access.unavailable()
    # A caller without permission does not learn what is wrong with a question.
    batch = BatchEvaluation(caller=access.authorise(known))
    templates.remember(asked)
    packages = access.packages_in_force(known)
    question: AnyQuestion | Fault = asked.question
    if packages and asked.resource_type in packages:
        question = read_as(entity_question_of, asked.document())
    if isinstance(question, Fault):
        raise Refused(400, "invalid_request", str(question))
    decision = batch.decide(question, known)
    batch.log()
    return decision.repeatable_body if known.repeatable_answers else decision.body
