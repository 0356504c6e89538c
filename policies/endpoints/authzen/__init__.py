"""AuthZEN 1.0 as bare WSGI callables outside Django (docs/decisions/0002, 0010).

No middleware, routing, ORM or signals: parse strictly, one SQL statement, decide, answer bytes. A denial is HTTP 200;
400, 401, 403 and 503 are for requests that cannot be decided at all, as problem+json.
"""

from common.http import path_hints
from policies.endpoints import wsgi
from policies.endpoints.authzen import access, batch, search
from policies.endpoints.authzen.requests import question_of
from policies.endpoints.begun import Begun
from policies.endpoints.wsgi import Environ, Refused

__all__ = ["ENDPOINTS", "PREFIX", "application", "begin", "question_of"]
PREFIX = "/access/v1/"
ENDPOINTS = {
    "/access/v1/evaluation": batch.answer_one,
    "/access/v1/evaluations": batch.answer,
    "/access/v1/search/subject": search.subjects,
    "/access/v1/search/resource": search.resources,
    "/access/v1/search/action": search.actions,
}


def _answer(environ: Environ) -> wsgi.Reply:
    answer = ENDPOINTS.get(environ.get("PATH_INFO", ""))
    if answer is None:
        wsgi.authenticate(environ, access.SCOPE)
        raise Refused(404, "not_found", path_hints.sentence(environ.get("PATH_INFO", ""), ENDPOINTS))
    token, document = wsgi.read_call(environ, access.SCOPE)
    return 200, answer(document, token)


def begin(environ: Environ) -> Begun:
    """Read ``POST /access/v1/evaluation``; its statement is executed by the caller. Raises Refused."""
    token, document = wsgi.read_call(environ, access.SCOPE)
    read = batch.read_one(document)
    return Begun(
        environ,
        access.wanted(batch.subject_of(read), token),
        lambda known: batch.conclude_one(document, read, known),
        unavailable=access.unavailable(),
    )


application = wsgi.endpoint(_answer)  # everything below ``/access/v1/``
