"""Endpoints for receivers: what was released to a party, its file and manifest. Scope ``releases``; no person in it.

A credential of that scope is a party's: its name is the party's reference in the register.
"""

from typing import Any
from uuid import UUID

from django.db.models import CharField
from django.db.models.functions import Cast
from django.http import FileResponse, HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.http import listing
from common.http.rest import Body, actor_of
from privacy.models import TableRelease
from privacy.releases import publishing
from privacy.releases.problems import NoSuchRelease

_READ = {status: OpenApiResponse(description="problem+json") for status in (400, 401, 403, 404, 503)}
_SERVICE = "service:"


class ReleaseAnswer(Body):
    """A release in force. ``sha256``: of its file; ``expires_at``: it is handed out until then.

    ``k`` is that of a table in classes, ``epsilon`` that of noisy tables; the other one is null.
    """

    release: str
    file: str
    sha256: str
    rows: int
    k: int | None
    epsilon: str | None
    purpose: str
    published_at: str
    expires_at: str


class PageAnswer(Body):
    next_token: str
    count: int


class ReleasesAnswer(Body):
    """Releases of the calling party, a page of them."""

    page: PageAnswer
    releases: list[ReleaseAnswer]


class ReleasesView(APIView):
    """Releases that the calling party may have now, and no others."""

    required_scope = "releases"

    @extend_schema(
        operation_id="list_releases", parameters=listing.PARAMETERS, responses={200: ReleasesAnswer, **_READ}
    )
    def get(self, request: Request) -> Response:
        page = listing.page_request(request)
        rows = _in_force().filter(asked__receivers__contains=[_party(request)])
        rows = rows.annotate(release=Cast("pk", CharField()))
        return Response(listing.page_of(rows, page, name="releases", key="release", render=_release))


class ReleaseFileView(APIView):
    """The file of a release, for a party that receives it. Each time stands in the audit trail."""

    required_scope = "releases"

    @extend_schema(
        operation_id="fetch_release", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, **_READ}
    )
    def get(self, request: Request, release: UUID) -> FileResponse:
        row = _found(request, release)
        file = publishing.hand_out(row, actor=actor_of(request), party=_party(request))
        return FileResponse(file, as_attachment=True, filename=row.file_name)


class ReleaseManifestView(APIView):
    """The signed manifest of a release: a JWS that ``./assent release verify`` and any JOSE library read."""

    required_scope = "releases"

    @extend_schema(operation_id="fetch_manifest", responses={(200, "application/jose"): OpenApiTypes.STR, **_READ})
    def get(self, request: Request, release: UUID) -> HttpResponse:
        row = _found(request, release)
        headers = {"Content-Disposition": f'attachment; filename="{row.manifest_name}"'}
        return HttpResponse(row.manifest, content_type="application/jose", headers=headers)


def _party(request: Request) -> str:
    return actor_of(request).removeprefix(_SERVICE)


def _in_force() -> Any:
    rows = TableRelease.objects.filter(stage=TableRelease.Stage.PUBLISHED, expires_at__gt=timezone.now())
    return rows.select_related("table")


def _found(request: Request, pk: UUID) -> TableRelease:
    """Return a release in force that the party receives; what it does not receive is not there for it."""
    row: TableRelease | None = _in_force().filter(pk=pk).first()
    if row is None or _party(request) not in row.receivers:
        raise NoSuchRelease("No release in force of this id is for your party.")
    return row


def _release(row: TableRelease) -> dict[str, Any]:
    return ReleaseAnswer(
        release=str(row.pk),
        file=row.file_name,
        sha256=row.target_sha256,
        rows=(row.report or {})["result"]["rows"],
        k=row.asked.get("k"),
        epsilon=row.asked["noise"]["epsilon"] if row.is_noisy else None,
        purpose=row.asked["purpose"],
        published_at=row.published_at.isoformat() if row.published_at else "",
        expires_at=row.expires_at.isoformat() if row.expires_at else "",
    ).model_dump()
