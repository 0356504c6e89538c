"""AuthZEN 1.0 evaluation as a bare WSGI callable beside Django (docs/decisions/0002).

No middleware, routing, ORM or signals: parse strictly, one SQL statement, decide, answer bytes. A denial is HTTP 200;
400, 401, 403 and 503 are for requests that cannot be decided at all, as problem+json.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings

from common import strict_json
from common.problems import CONTENT_TYPE, problem_bytes
from consent.pseudonyms import subject_ref
from policies import information
from policies.authentication import bearer_token
from policies.credentials import token_hash
from policies.decisions import decide
from policies.facts import Question
from policies.information import InformationUnavailable
from policies.spool import SpoolFull

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]
PREFIX = "/access/v1/"
_SCOPE = "decisions"
_STATUS = {
    400: "400 Bad Request",
    401: "401 Unauthorized",
    403: "403 Forbidden",
    404: "404 Not Found",
    405: "405 Method Not Allowed",
    413: "413 Content Too Large",
    503: "503 Service Unavailable",
}
_TITLES = {
    "invalid_request": "The request is not valid",
    "body_too_large": "The body is too large",
    "unauthenticated": "A valid credential is needed",
    "forbidden": "Not allowed",
    "not_found": "Not found",
    "method_not_allowed": "Method not allowed",
    "information_unavailable": "Nothing can be decided just now",
    "log_unavailable": "The decision log cannot be written",
}
_MAX_ID = 512


class _Refused(Exception):
    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer everything below ``/access/v1/``."""
    headers = _headers(environ)
    try:
        body = _evaluation(environ)
    except _Refused as refused:
        return [_refusal(refused, headers, start_response)]
    headers.append(("Content-Type", "application/json"))
    headers.append(("Content-Length", str(len(body))))
    start_response("200 OK", headers)
    return [body]


def _headers(environ: Environ) -> list[tuple[str, str]]:
    headers = [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
    request_id = environ.get("HTTP_X_REQUEST_ID")
    if request_id and len(request_id) <= 1024 and request_id.isprintable():
        headers.append(("X-Request-ID", request_id))
    return headers


def _refusal(refused: _Refused, headers: list[tuple[str, str]], start_response: StartResponse) -> bytes:
    body = problem_bytes(
        status=refused.status, code=refused.code, title=_TITLES[refused.code], detail=refused.detail
    )
    headers += [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body)))]
    if refused.status == 401:
        headers.append(("WWW-Authenticate", 'Bearer realm="assent"'))
    if refused.status == 405:
        headers.append(("Allow", "POST"))
    start_response(_STATUS[refused.status], headers)
    return body


def _evaluation(environ: Environ) -> bytes:
    if environ.get("PATH_INFO") != "/access/v1/evaluation":
        raise _Refused(404, "not_found", "There is no such endpoint below /access/v1/.")
    if environ["REQUEST_METHOD"] != "POST":
        raise _Refused(405, "method_not_allowed", "Use POST.")
    token = bearer_token(environ.get("HTTP_AUTHORIZATION", ""))
    if token is None:
        raise _Refused(401, "unauthenticated", "Send 'Authorization: Bearer TOKEN'.")
    request = _read(environ)
    try:
        question = question_of(request)
    except ValueError as exc:
        # Whoever may not ask is not told what is wrong with the question.
        _authorise(information_for(_NOBODY, token))
        raise _Refused(400, "invalid_request", str(exc)) from None
    known = information_for(question, token)
    caller = _authorise(known)
    try:
        return decide(question, caller=caller, known=known).body
    except SpoolFull:
        raise _Refused(503, "log_unavailable", "An answer that cannot be logged is not given; ask again.") from None


def information_for(question: Question, token: str) -> information.Information:
    try:
        return information.read(question.subject_ref, token_hash(token))
    except InformationUnavailable:
        raise _Refused(503, "information_unavailable", "The database does not answer; deny, and ask again.") from None


def _authorise(known: information.Information) -> str:
    if known.caller is None or not known.credential_valid:
        raise _Refused(401, "unauthenticated", "The credential is not valid. Create one or ask for a new one.")
    if _SCOPE not in known.scopes:
        raise _Refused(403, "forbidden", f"This credential does not carry the scope '{_SCOPE}'.")
    return f"service:{known.caller}"


def _read(environ: Environ) -> dict[str, Any]:
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != "application/json":
        raise _Refused(400, "invalid_request", "Send the body as application/json.")
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdigit() and int(length) > strict_json.MAX_BODY_BYTES:
        raise _Refused(413, "body_too_large", f"The body is larger than {strict_json.MAX_BODY_BYTES // 1024} KiB.")
    body = environ["wsgi.input"].read(strict_json.MAX_BODY_BYTES + 1)
    try:
        return strict_json.loads_object(body)
    except strict_json.BodyTooLarge as exc:
        raise _Refused(413, "body_too_large", str(exc)) from None
    except strict_json.InvalidJson as exc:
        raise _Refused(400, "invalid_request", str(exc)) from None


def question_of(request: dict[str, Any]) -> Question:
    """Read an AuthZEN request. Raises ValueError naming the member that is missing or of a wrong type.

    Unknown members are ignored, as the specification demands.
    """
    subject = _entity(request, "subject")
    resource = _entity(request, "resource")
    action = _object(request, "action", required=True)
    subject_properties = _object(subject, "properties", path="subject.")
    asked = _object(action, "properties", path="action.")
    resource_properties = _object(resource, "properties", path="resource.")
    context = _object(request, "context")
    signals = _object(context, "signals", path="context.")
    return Question(
        subject_ref=subject_ref(subject["id"], subject_type=subject["type"]),
        action=_string(action, "name", path="action."),
        purpose=_optional(asked, "purpose", "action.properties.") or "",
        requested_level=_optional(asked, "requested_level", "action.properties.") or "individual",
        data_categories=_strings(resource_properties, "data_categories", "resource.properties."),
        model=_optional(resource_properties, "model", "resource.properties."),
        region=_optional(subject_properties, "region", "subject.properties."),
        age_band=_optional(subject_properties, "age_band", "subject.properties."),
        processing_region=_optional(context, "processing_region", "context.") or settings.PROCESSING_REGION,
        recipient=_optional(asked, "recipient", "action.properties."),
        channel=_optional(context, "channel", "context."),
        gpc=_flag(signals, "gpc"),
        gpp_opt_out=_flag(signals, "gpp_opt_out"),
        tcf_purposes=_integers(signals, "tcf_purposes"),
        min_revision=_integer(context, "min_revision"),
    )


_NOBODY = Question(subject_ref=information.NOBODY, action="", purpose="")


def _entity(request: dict[str, Any], name: str) -> dict[str, Any]:
    entity = _object(request, name, required=True)
    _string(entity, "type", path=f"{name}.")
    _string(entity, "id", path=f"{name}.")
    return entity


def _object(parent: dict[str, Any], name: str, *, required: bool = False, path: str = "") -> dict[str, Any]:
    value = parent.get(name)
    if value is None and not required:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"'{path}{name}' must be an object.")  # noqa: TRY004 (one kind of error for the caller)
    return value


def _string(parent: dict[str, Any], name: str, *, path: str) -> str:
    value = parent.get(name)
    if not isinstance(value, str):
        raise ValueError(f"'{path}{name}' must be a string.")  # noqa: TRY004
    if len(value) > _MAX_ID:
        raise ValueError(f"'{path}{name}' is longer than {_MAX_ID} characters.")
    return value


def _optional(parent: dict[str, Any], name: str, path: str) -> str | None:
    return None if parent.get(name) is None else _string(parent, name, path=path)


def _strings(parent: dict[str, Any], name: str, path: str) -> tuple[str, ...]:
    value = parent.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"'{path}{name}' must be a list of strings.")
    return tuple(value)


def _integers(parent: dict[str, Any], name: str) -> tuple[int, ...]:
    value = parent.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(type(item) is int and 0 < item <= 24 for item in value):
        raise ValueError(f"'context.signals.{name}' must be a list of integers from 1 to 24.")
    return tuple(value)


def _flag(parent: dict[str, Any], name: str) -> bool:
    value = parent.get(name, False)
    if not isinstance(value, bool):
        raise ValueError(f"'context.signals.{name}' must be true or false.")  # noqa: TRY004
    return value


def _integer(parent: dict[str, Any], name: str) -> int:
    value = parent.get(name, 0)
    if type(value) is not int or value < 0:
        raise ValueError(f"'context.{name}' must be a whole number, 0 or more.")
    return value
