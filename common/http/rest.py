"""REST endpoints: reading, answering, refusing and authorising in one way."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404
from pydantic import BaseModel, ConfigDict, ValidationError
from rest_framework import exceptions, status
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from common import actors, patterns
from common.http import strict_json
from common.http.problems import CONTENT_TYPE, InvalidRequest, Problem, Unavailable, problem_document

logger = logging.getLogger(__name__)


class Body(BaseModel):
    """Base of request bodies: strict types, unknown members refused (a typo must not pass as consent)."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


BodyT = TypeVar("BodyT", bound=BaseModel)


class BodyTooLarge(Problem):
    status = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    code = "body_too_large"
    title = "The body is too large"


def read_body(model: type[BodyT], request: Request) -> BodyT:
    """Return the request's body as ``model``; raises like ``read_document``."""
    return read_document(model, request.data)


def read_document(model: type[BodyT], document: Any) -> BodyT:
    """Return ``document`` as ``model``. Raises InvalidRequest naming the members, never their values."""
    try:
        return model.model_validate(document)
    except ValidationError as exc:
        raise InvalidRequest("Some members of the body are not as they should be.", errors=_errors(exc)) from None


_FORMS = {f"String should match pattern '^{pattern}$'": f"must be {form}" for pattern, form in patterns.FORMS.items()}


def _errors(exc: ValidationError) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for error in exc.errors(include_input=False, include_url=False, include_context=False):
        where = error["loc"]
        # The name of an unknown member is the caller's text; its place is enough to find it.
        if error["type"] == "extra_forbidden":
            where = (*where[:-1], "?")
        message = _FORMS.get(error["msg"], error["msg"])
        errors.setdefault(".".join(str(part) for part in where) or "body", []).append(message)
    return errors


class StrictJsonParser(BaseParser):
    """Parser of strict JSON (see ``common.http.strict_json``)."""

    media_type = "application/json"
    max_bytes = strict_json.MAX_BODY_BYTES

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        body = stream.read(self.max_bytes + 1)
        if len(body) > self.max_bytes:
            raise BodyTooLarge(f"The body is larger than {self.max_bytes // 1024} KiB.")
        try:
            return strict_json.loads_object(body)
        except strict_json.BodyTooLarge as exc:
            raise BodyTooLarge(str(exc)) from exc
        except strict_json.InvalidJson as exc:
            raise InvalidRequest(str(exc)) from exc


class JsonRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else msgspec.json.encode(data)


class AnyAnswer(BaseContentNegotiation):
    """Content negotiation that ignores Accept: every endpoint has one format, whichever the client lists."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class HasScope(BasePermission):
    """Permission that requires the scope in the view's ``required_scope``."""

    message = "This credential does not carry the scope that this call needs."

    def has_permission(self, request: Request, view: Any) -> bool:
        scope, credential = getattr(view, "required_scope", None), _credential(request)
        if credential is None or scope is None or scope not in credential.scopes:
            return False
        if actors.CELLS in credential.scopes and not actors.may_use_cell_credential(scope):
            self.message = actors.CELL_CREDENTIAL_ALONE
            return False
        return True


def actor_of(request: Request) -> str:
    """Return the caller as the audit trail names it."""
    return actors.caller(_credential(request).name)


def _credential(request: Request) -> Any:
    """Return the caller's credential; its class lives in a package above this one."""
    return request.auth


_TITLES = {
    400: ("invalid_request", "The request is not valid"),
    401: ("unauthenticated", "A valid credential is needed"),
    403: ("forbidden", "Not allowed"),
    404: ("not_found", "Not found"),
    405: ("method_not_allowed", "Method not allowed"),
    406: ("not_acceptable", "Only application/json can be answered"),
    415: ("unsupported_media_type", "Only application/json can be read"),
    429: ("too_many_requests", "Too many requests"),
}


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """Turn a view's exception into problem+json; None (a logged 500) for an unexpected one."""
    if isinstance(exc, (OperationalError, InterfaceError)):
        logger.error("The database did not answer", exc_info=exc)
        exc = Unavailable("The database did not answer. Send the request again.")
    if isinstance(exc, Problem):
        return _response(exc.document(), exc.headers)
    if isinstance(exc, Http404):
        exc = exceptions.NotFound()
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    if not isinstance(exc, exceptions.APIException):
        return None
    code, title = _TITLES.get(exc.status_code, ("error", "Error"))
    headers = {}
    if exc.status_code == status.HTTP_401_UNAUTHORIZED:
        headers["WWW-Authenticate"] = getattr(exc, "auth_header", "Bearer")
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    detail = str(exc.detail) if isinstance(exc.detail, str) else title
    return _response(problem_document(status=exc.status_code, code=code, title=title, detail=detail), headers)


def _response(document: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(document, status=document["status"], headers=headers, content_type=CONTENT_TYPE)
