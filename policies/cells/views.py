"""Endpoint from which other cells pull the primary's release. Scope ``cells``."""

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.http.problems import NotFound, Unavailable
from common.http.rest import Body
from policies.bundles.loading import BundleMissing
from policies.cells.release import write_release
from policies.cells.table import Table


class ReleaseAnswer(Body):
    """The release as a JSON Web Signature."""

    release: str


class ReleaseView(APIView):
    """Policy and registers in force, signed. Only the primary has a release to give."""

    required_scope = "cells"

    @extend_schema(
        operation_id="cell_release",
        responses={
            200: ReleaseAnswer,
            **{status: OpenApiResponse(description="problem+json") for status in (401, 403, 404, 503)},
        },
    )
    def get(self, request: Request) -> Response:
        table: Table | None = settings.CELLS
        if table is None or not table.is_primary:
            raise NotFound("This is not the primary cell of a deployment.")
        try:
            return Response({"release": write_release(table.own.name, timezone.now())})
        except BundleMissing:
            raise Unavailable("No policy bundle is in force yet.") from None
