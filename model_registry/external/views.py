"""Endpoints of models whose engine runs elsewhere. Scope ``models``; nothing about people.

A service sees the models that it registers: what gates found names officers, and what others register is theirs.
"""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.http import listing
from common.http.rest import actor_of, read_body
from model_registry.documents import keeping
from model_registry.documents.kinds import KINDS
from model_registry.external import bodies, registration
from model_registry.gates import outcome
from model_registry.models import Model, ModelVersion

_READ = {status: OpenApiResponse(description="problem+json") for status in (400, 401, 403, 404, 503)}
_WRITE = {**_READ, **{status: OpenApiResponse(description="problem+json") for status in (409, 413)}}
_UNREADABLE = {422: OpenApiResponse(description="problem+json")}
_SLUG = OpenApiParameter("slug", {"type": "string", "pattern": r"^[a-z0-9][a-z0-9_-]{0,63}$"}, OpenApiParameter.PATH)
_NUMBER = OpenApiParameter("number", {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}, OpenApiParameter.PATH)
_LATEST = 2**31 - 1


class ModelsView(APIView):
    """Models that the service registers, with their versions."""

    required_scope = "models"

    @extend_schema(
        operation_id="list_models", parameters=listing.PARAMETERS, responses={200: bodies.ModelsAnswer, **_READ}
    )
    def get(self, request: Request) -> Response:
        page = listing.page_request(request)
        rows = Model.objects.filter(registrant=actor_of(request)).prefetch_related("versions")
        return Response(listing.page_of(rows, page, name="models", key="slug", render=_model))


class VersionsView(APIView):
    """Register a version of a model whose engine runs elsewhere, as a draft. The same registration again is 200."""

    required_scope = "models"

    @extend_schema(
        operation_id="register_model",
        request=bodies.RegisterBody,
        parameters=[_SLUG],
        responses={201: bodies.VersionAnswer, 200: bodies.VersionAnswer, **_WRITE},
    )
    def post(self, request: Request, slug: str) -> Response:
        body = read_body(bodies.RegisterBody, request)
        done = registration.register(slug, body, actor=actor_of(request))
        return Response(_version(done.version), status=201 if done.is_new else 200)


class VersionView(APIView):
    """One version: its status, what it may do, and what its release gates found."""

    required_scope = "models"

    @extend_schema(
        operation_id="get_model_version",
        parameters=[_SLUG, _NUMBER],
        responses={200: bodies.VersionAnswer, **_READ},
    )
    def get(self, request: Request, slug: str, number: int) -> Response:
        return Response(_version(registration.registered_by(actor_of(request), slug, _checked(number))))

    @extend_schema(
        operation_id="change_model_version",
        request=bodies.ChangeBody,
        parameters=[_SLUG, _NUMBER],
        responses={200: bodies.VersionAnswer, **_WRITE},
    )
    def patch(self, request: Request, slug: str, number: int) -> Response:
        body = read_body(bodies.ChangeBody, request)
        actor = actor_of(request)
        version = registration.of(slug, _checked(number), registrant=actor)
        return Response(_version(registration.change(version, body, actor=actor)))


class EvidenceView(APIView):
    """State what the operator of the engine knows of a version: the newest statement counts."""

    required_scope = "models"

    @extend_schema(
        operation_id="state_of_model_version",
        request=bodies.Stated,
        parameters=[_SLUG, _NUMBER],
        responses={201: bodies.VersionAnswer, **_WRITE},
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        body = read_body(bodies.Stated, request)
        actor = actor_of(request)
        version = registration.of(slug, _checked(number), registrant=actor)
        registration.state(version, body, actor=actor)
        return Response(_version(version), status=201)


class DocumentsView(APIView):
    """Keep a document of a version: a new revision, unless the newest one says the same."""

    required_scope = "models"

    @extend_schema(
        operation_id="keep_model_document",
        request=bodies.DocumentBody,
        parameters=[_SLUG, _NUMBER],
        responses={201: bodies.DocumentAnswer, **_WRITE, **_UNREADABLE},
    )
    def post(self, request: Request, slug: str, number: int) -> Response:
        body = read_body(bodies.DocumentBody, request)
        actor = actor_of(request)
        version = registration.of(slug, _checked(number), registrant=actor)
        source = body.content.encode()
        kind, document = keeping.read(source, body.form, body.kind)
        row = keeping.keep(version, kind, document, actor=actor, form=body.form, source=source)
        answer = {"kind": kind, "revision": row.revision, "score": row.score, "missing": KINDS[kind].missing(document)}
        return Response(answer, status=201)


def _checked(number: int) -> int:
    if number > _LATEST:
        raise Http404
    return number


def _version(version: ModelVersion) -> dict[str, Any]:
    return bodies.document(version, outcome.of(version))


def _model(model: Model) -> dict[str, Any]:
    return {
        "slug": model.slug,
        "name": model.name,
        "description": model.description,
        "is_trained_here": not model.registrant,
        "versions": [f"{model.slug}@{each.version}" for each in model.versions.all()],
    }
