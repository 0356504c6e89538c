"""Shared parts of the endpoints outside Django: strict reading, authentication, problem+json, bytes.

A handful of hot endpoints are answered by bare WSGI callables (docs/decisions/0002): no middleware, routing, ORM,
serializers or signals. Everything a caller can observe is as on the ordinary API.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import psycopg
from django.db import DatabaseError, connections

from common import actors
from common.http import strict_json
from common.http.bearer import bearer_token
from common.http.problems import CONTENT_TYPE, Problem, problem_bytes
from common.postgres.prepared import PreparedStatement
from common.waiting import no_wait
from policies.decision_log.spool import SpoolFull
from policies.decisions.information import Information
from policies.endpoints.credentials import may_be_ours, token_hash

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Headers = list[tuple[str, str]]
Reply = tuple[int, bytes]
Application = Callable[[Environ, StartResponse], list[bytes]]
_Read = TypeVar("_Read")
Handler = Callable[[dict[str, Any], str, Environ], tuple[int, dict[str, Any]]]

STATUS = {
    200: "200 OK",
    201: "201 Created",
    400: "400 Bad Request",
    401: "401 Unauthorized",
    403: "403 Forbidden",
    404: "404 Not Found",
    405: "405 Method Not Allowed",
    409: "409 Conflict",
    413: "413 Content Too Large",
    421: "421 Misdirected Request",
    422: "422 Unprocessable Content",
    429: "429 Too Many Requests",
    500: "500 Internal Server Error",
    503: "503 Service Unavailable",
}
_TITLES = {
    "invalid_request": "The request is not valid",
    "page_token_invalid": "The page token does not continue this search",
    "body_too_large": "The body is too large",
    "unauthenticated": "A valid credential is needed",
    "forbidden": "Not allowed",
    "not_found": "Not found",
    "not_this_cell": "This person belongs to another cell",
    "method_not_allowed": "Method not allowed",
    "information_unavailable": "Nothing can be decided just now",
    "log_unavailable": "The decision log cannot be written",
    "unavailable": "Not available just now",
}
_CREDENTIAL = PreparedStatement(
    "assent_credential",
    "SELECT name, revoked_at IS NULL AND expires_at > now(), $2 = ANY (scopes), 'cells' = ANY (scopes) "
    "FROM policies_servicecredential WHERE token_hash = $1",
    [17, 25],  # bytea, text
    binary=True,
    timeout_ms=1_000,
)
# A larger body costs more to understand than its caller's credential costs to read: the credential comes first.
CREDENTIAL_FIRST_BYTES = 4 * 1024
_encode = msgspec.json.Encoder().encode


class Refused(Problem):
    """Refusal of a request, with its status and code."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.title = status, code, _TITLES[code]


def endpoint(
    handle: Callable[[Environ], Reply], *, allow: str = "POST", cache_control: str = "no-store"
) -> Application:
    """Return a WSGI callable that answers with ``handle``'s status and JSON bytes, or refuses as problem+json."""

    def answer(environ: Environ, start_response: StartResponse) -> list[bytes]:
        return answer_with(handle, environ, environ, start_response, allow=allow, cache_control=cache_control)

    return answer


def answer_with(
    handle: Callable[[_Read], Reply],
    given: _Read,
    environ: Environ,
    start_response: StartResponse,
    *,
    allow: str = "POST",
    cache_control: str = "no-store",
) -> list[bytes]:
    """Answer with what ``handle`` makes of ``given``, as ``endpoint`` does."""
    headers = common_headers(environ)
    try:
        status, body = handle(given)
    except Problem as problem:
        return refuse(problem, headers, start_response, allow=allow)
    except SpoolFull:
        return refuse(log_unavailable(), headers, start_response)
    headers[0] = ("Cache-Control", cache_control)
    answered = respond(status, body, headers, start_response)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else answered


def authenticated(handle: Handler, *, scope: str) -> Callable[[Environ], Reply]:
    """Return what ``endpoint`` takes, of ``handle(document, caller, environ) -> (status, document)``."""

    def answer(environ: Environ) -> Reply:
        caller = authenticate(environ, scope)
        status, document = handle(read_document(environ), caller, environ)
        return status, _encode(document)

    return answer


def log_unavailable(detail: str = "An answer that cannot be logged is not given; ask again.") -> Refused:
    return Refused(503, "log_unavailable", detail)


def common_headers(environ: Environ) -> Headers:
    headers = [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
    request_id = environ.get("HTTP_X_REQUEST_ID")
    if request_id and len(request_id) <= 1024 and request_id.isprintable():
        headers.append(("X-Request-ID", request_id))
    return headers


def respond(status: int, body: bytes, headers: Headers, start_response: StartResponse) -> list[bytes]:
    headers.append(("Content-Type", "application/json"))
    headers.append(("Content-Length", str(len(body))))
    start_response(STATUS[status], headers)
    return [body]


def refuse(problem: Problem, headers: Headers, start_response: StartResponse, *, allow: str = "POST") -> list[bytes]:
    parts = {"status": problem.status, "code": problem.code, "title": problem.title, "detail": problem.detail}
    body = problem_bytes(**parts, errors=problem.errors, **problem.extra)
    headers += [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body)))]
    if problem.status == 401:
        headers.append(("WWW-Authenticate", 'Bearer realm="assent"'))
    if problem.status == 405:
        headers.append(("Allow", allow))
    start_response(STATUS[int(problem.status)], headers)
    return [body]


def token_of(environ: Environ) -> str:
    token = bearer_token(environ.get("HTTP_AUTHORIZATION", ""))
    if token is None:
        raise Refused(401, "unauthenticated", "Send 'Authorization: Bearer TOKEN'.")
    if not may_be_ours(token):
        raise _not_valid()
    return token


def _not_valid() -> Refused:
    return Refused(401, "unauthenticated", "The credential is not valid. Create one or ask for a new one.")


def authenticate(environ: Environ, scope: str) -> str:
    """Return the caller as the audit trail names it; one SQL statement. Raises Refused (401, 403, 503)."""
    parameters = (token_hash(token_of(environ)), scope.encode())
    no_wait.refuse()
    try:
        result = _CREDENTIAL.execute(parameters)
    except (psycopg.OperationalError, DatabaseError):
        connections["default"].close()
        raise Refused(503, "unavailable", "The database does not answer; send the request again.") from None
    if result.ntuples == 0:
        return check(None, valid=False, has_scope=False, is_cell=False, scope=scope)
    name = result.get_value(0, 0) or b""
    valid, has_scope, is_cell = (result.get_value(0, column) == b"\x01" for column in (1, 2, 3))
    return check(name.decode(), valid=valid, has_scope=has_scope, is_cell=is_cell, scope=scope)


def check_known(known: Information, scope: str) -> str:
    """Return the caller that was read together with a person, or refuse."""
    return check(
        known.caller,
        valid=known.credential_valid,
        has_scope=known.has_scope,
        is_cell=known.is_cell,
        scope=scope,
    )


def check(name: str | None, *, valid: bool, has_scope: bool, is_cell: bool, scope: str) -> str:
    """Return the caller for the audit trail, or refuse; unknown, expired and revoked credentials get the same words."""
    if name is None or not valid:
        raise _not_valid()
    if not has_scope:
        raise Refused(403, "forbidden", f"This credential does not carry the scope '{scope}'.")
    if is_cell and not actors.may_use_cell_credential(scope):
        raise Refused(403, "forbidden", actors.CELL_CREDENTIAL_ALONE)
    return actors.caller(name)


def read_call(environ: Environ, scope: str) -> tuple[str, dict[str, Any]]:
    """Return the token and the body as a strict JSON object, as ``read_call_as`` does."""
    return read_call_as(understood, environ, scope)


def read_call_as(understand: Callable[[bytes], _Read], environ: Environ, scope: str) -> tuple[str, _Read]:
    """Return the token and the body as understood; the caller is checked as part of the endpoint's own statement.

    A statement of its own precedes a large body, so that a stranger's costs nothing, and follows one that cannot be
    read: callers without permission do not learn what is wrong with it. Raises Refused.
    """
    token = token_of(environ)
    if is_large(environ):
        authenticate(environ, scope)
        return token, understand(_body(environ))
    try:
        return token, understand(_body(environ))
    except Refused:
        authenticate(environ, scope)
        raise


def is_large(environ: Environ) -> bool:
    """Say whether the body may be larger than what is understood before the credential is read."""
    length = environ.get("CONTENT_LENGTH") or ""
    return not (length.isdecimal() and len(length) <= 10 and int(length) <= CREDENTIAL_FIRST_BYTES)


def read_document(environ: Environ) -> dict[str, Any]:
    """Read the body as a strict JSON object. Raises Refused (400, 405, 413)."""
    return understood(_body(environ))


def _body(environ: Environ) -> bytes:
    """Return the body, or more of it than is taken. Raises Refused (400, 405, 413)."""
    if environ["REQUEST_METHOD"] != "POST":
        raise Refused(405, "method_not_allowed", "Use POST.")
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(400, "invalid_request", "Send the body as application/json.")
    length = environ.get("CONTENT_LENGTH") or ""
    # Python refuses to read numbers of thousands of digits; ten are more than any body that is taken.
    if length.isdecimal() and (len(length) > 10 or int(length) > strict_json.MAX_BODY_BYTES):
        raise Refused(413, "body_too_large", f"The body is larger than {strict_json.MAX_BODY_BYTES // 1024} KiB.")
    body: bytes = environ["wsgi.input"].read(strict_json.MAX_BODY_BYTES + 1)
    return body


def understood(body: bytes) -> dict[str, Any]:
    """Read a body as a strict JSON object. Raises Refused (400, 413)."""
    try:
        return strict_json.loads_object(body)
    except strict_json.BodyTooLarge as exc:
        raise Refused(413, "body_too_large", str(exc)) from None
    except strict_json.InvalidJson as exc:
        raise Refused(400, "invalid_request", str(exc)) from None
