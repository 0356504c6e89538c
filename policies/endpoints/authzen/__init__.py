"""AuthZEN 1.0 as bare WSGI callables outside Django (docs/decisions/0002, 0010).

No middleware, routing, ORM or signals: parse strictly, one SQL statement, decide, answer bytes. A denial is HTTP 200;
400, 401, 403 and 503 are for requests that cannot be decided at all, as problem+json.
"""

from policies.decision_log.spool import SpoolFull
from policies.endpoints import wsgi
from policies.endpoints.authzen import access, batch, search, single
from policies.endpoints.authzen.requests import question_of
from policies.endpoints.wsgi import Environ, Refused, StartResponse

__all__ = ["ENDPOINTS", "PREFIX", "application", "question_of"]
PREFIX = "/access/v1/"
ENDPOINTS = {
    "/access/v1/evaluation": single.answer,
    "/access/v1/evaluations": batch.answer,
    "/access/v1/search/subject": search.subjects,
    "/access/v1/search/resource": search.resources,
    "/access/v1/search/action": search.actions,
}


def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Answer everything below ``/access/v1/``."""
    headers = wsgi.common_headers(environ)
    try:
        body = _body(environ)
    except Refused as refused:
        return wsgi.refuse(refused, headers, start_response)
    return wsgi.respond(200, body, headers, start_response)


def _body(environ: Environ) -> bytes:
    answer = ENDPOINTS.get(environ.get("PATH_INFO", ""))
    if answer is None:
        wsgi.authenticate(environ, access.SCOPE)
        raise Refused(404, "not_found", "There is no such endpoint below /access/v1/.")
    token = wsgi.token_of(environ)
    document = wsgi.read_document(environ)
    try:
        return answer(document, token)
    except SpoolFull:
        raise Refused(503, "log_unavailable", "An answer that cannot be logged is not given; ask again.") from None
