"""AuthZEN 1.0 as bare WSGI callables outside Django (docs/decisions/0002, 0010).

No middleware, routing, ORM or signals: parse strictly, one SQL statement, decide, answer bytes. A denial is HTTP 200;
400, 401, 403 and 503 are for requests that cannot be decided at all, as problem+json.
"""

from common.http import path_hints
from policies.endpoints import wsgi
from policies.endpoints.authzen import access, batch, search, single
from policies.endpoints.authzen.requests import question_of
from policies.endpoints.authzen.single import begin
from policies.endpoints.begun import waiting
from policies.endpoints.wsgi import Environ, Refused

__all__ = ["ENDPOINTS", "PREFIX", "application", "begin", "question_of"]
PREFIX = "/access/v1/"
EVALUATION = "/access/v1/evaluation"
_OTHERS = {
    "/access/v1/evaluations": batch.answer,
    "/access/v1/search/subject": search.subjects,
    "/access/v1/search/resource": search.resources,
    "/access/v1/search/action": search.actions,
}
ENDPOINTS = (EVALUATION, *_OTHERS)
_answer_single = waiting(single.begin)


def _answer(environ: Environ) -> wsgi.Reply:
    path = environ.get("PATH_INFO", "")
    if path == EVALUATION:
        return _answer_single(environ)
    answer = _OTHERS.get(path)
    if answer is None:
        wsgi.authenticate(environ, access.SCOPE)
        raise Refused(404, "not_found", path_hints.sentence(path, ENDPOINTS))
    token, document = wsgi.read_call(environ, access.SCOPE)
    return 200, answer(document, token)


application = wsgi.endpoint(_answer)  # everything below ``/access/v1/``
