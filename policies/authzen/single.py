"""AuthZEN 1.0 evaluation as a bare WSGI callable beside Django (docs/decisions/0002).

No middleware, routing, ORM or signals: parse strictly, one SQL statement, decide, answer bytes. A denial is HTTP 200;
400, 401, 403 and 503 are for requests that cannot be decided at all, as problem+json.
"""

from typing import Annotated, Any

import msgspec
from django.conf import settings

from consent.pseudonyms import subject_ref
from policies import bare, information
from policies.bare import Environ, Refused, StartResponse
from policies.credentials import token_hash
from policies.decisions import decide
from policies.facts import Question
from policies.information import Information, InformationUnavailable
from policies.spool import SpoolFull

PREFIX = "/access/v1/"
_SCOPE = "decisions"


def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Answer everything below ``/access/v1/``."""
    headers = bare.common_headers(environ)
    try:
        body = _evaluation(environ)
    except Refused as refused:
        return bare.refuse(refused, headers, start_response)
    return bare.respond(200, body, headers, start_response)


def _evaluation(environ: Environ) -> bytes:
    if environ.get("PATH_INFO") != "/access/v1/evaluation":
        raise Refused(404, "not_found", "There is no such endpoint below /access/v1/.")
    token = bare.token_of(environ)
    document = bare.read_document(environ)
    try:
        question = question_of(document)
    except ValueError as exc:
        # Whoever may not ask is not told what is wrong with the question.
        _authorise(_information_for(_NOBODY, token))
        raise Refused(400, "invalid_request", str(exc)) from None
    known = _information_for(question, token)
    caller = _authorise(known)
    try:
        return decide(question, caller=caller, known=known).body
    except SpoolFull:
        raise Refused(503, "log_unavailable", "An answer that cannot be logged is not given; ask again.") from None


def _information_for(question: Question, token: str) -> Information:
    try:
        return information.read(question.subject_ref, token_hash(token), _SCOPE.encode())
    except InformationUnavailable:
        raise Refused(503, "information_unavailable", "The database does not answer; deny, and ask again.") from None


def _authorise(known: Information) -> str:
    return bare.check(known.caller, valid=known.credential_valid, has_scope=known.has_scope, scope=_SCOPE)


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
