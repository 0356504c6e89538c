"""AuthZEN 1.0 evaluation as a bare WSGI callable beside Django (docs/decisions/0002).

No middleware, routing, ORM or signals: parse strictly, one SQL statement, decide, answer bytes. A denial is HTTP 200;
400, 401, 403 and 503 are for requests that cannot be decided at all, as problem+json.
"""

from collections.abc import Callable, Iterable
from typing import Annotated, Any

import msgspec
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
_SCOPE_BYTES = _SCOPE.encode()
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
    body = problem_bytes(status=refused.status, code=refused.code, title=_TITLES[refused.code], detail=refused.detail)
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
        return information.read(question.subject_ref, token_hash(token), _SCOPE_BYTES)
    except InformationUnavailable:
        raise _Refused(503, "information_unavailable", "The database does not answer; deny, and ask again.") from None


def _authorise(known: information.Information) -> str:
    if known.caller is None or not known.credential_valid:
        raise _Refused(401, "unauthenticated", "The credential is not valid. Create one or ask for a new one.")
    if not known.has_scope:
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


Text = Annotated[str, msgspec.Meta(max_length=512)]
_Slug = Annotated[str, msgspec.Meta(max_length=512)] | None


class _SubjectProperties(msgspec.Struct):
    region: _Slug = None
    age_band: _Slug = None


class _Subject(msgspec.Struct):
    type: Text
    id: Text
    properties: _SubjectProperties | None = None


class _ActionProperties(msgspec.Struct):
    purpose: _Slug = None
    requested_level: _Slug = None
    recipient: _Slug = None


class _Action(msgspec.Struct):
    name: Text
    properties: _ActionProperties | None = None


class _ResourceProperties(msgspec.Struct):
    data_categories: list[Text] | None = None
    model: _Slug = None


class _Resource(msgspec.Struct):
    type: Text
    id: Text
    properties: _ResourceProperties | None = None


class _Signals(msgspec.Struct):
    gpc: bool = False
    gpp_opt_out: bool = False
    tcf_purposes: list[Annotated[int, msgspec.Meta(ge=1, le=24)]] | None = None


class _Context(msgspec.Struct):
    processing_region: _Slug = None
    channel: _Slug = None
    signals: _Signals | None = None
    min_revision: Annotated[int, msgspec.Meta(ge=0, lt=2**53)] = 0


class _Request(msgspec.Struct):
    """An evaluation request; members it does not name are ignored, as the specification demands."""

    subject: _Subject
    action: _Action
    resource: _Resource
    context: _Context | None = None


_SUBJECT, _ACTION, _RESOURCE = _SubjectProperties(), _ActionProperties(), _ResourceProperties()
_CONTEXT, _SIGNALS = _Context(), _Signals()


def question_of(document: dict[str, Any]) -> Question:
    """Read an AuthZEN request. Raises ValueError naming the member that is missing or of a wrong type."""
    request = msgspec.convert(document, _Request)
    subject = request.subject.properties or _SUBJECT
    asked = request.action.properties or _ACTION
    resource = request.resource.properties or _RESOURCE
    context = request.context or _CONTEXT
    signals = context.signals or _SIGNALS
    return Question(
        subject_ref=subject_ref(request.subject.id, subject_type=request.subject.type),
        action=request.action.name,
        purpose=asked.purpose or "",
        requested_level=asked.requested_level or "individual",
        data_categories=tuple(resource.data_categories or ()),
        model=resource.model,
        region=subject.region,
        age_band=subject.age_band,
        processing_region=context.processing_region or settings.PROCESSING_REGION,
        recipient=asked.recipient,
        channel=context.channel,
        gpc=signals.gpc,
        gpp_opt_out=signals.gpp_opt_out,
        tcf_purposes=tuple(signals.tcf_purposes or ()),
        min_revision=context.min_revision,
    )


_NOBODY = Question(subject_ref=information.NOBODY, action="", purpose="")
