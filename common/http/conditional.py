"""Answers that a caller may keep: an entity tag over the document, and 304 while it is unchanged (RFC 9110)."""

from typing import Any

from django.utils.cache import get_conditional_response
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from common.canonical import digest_of

CONDITIONAL = [
    OpenApiParameter(
        "If-None-Match", str, OpenApiParameter.HEADER, description="`ETag` of the answer the caller holds."
    ),
    OpenApiParameter("ETag", str, OpenApiParameter.HEADER, response=[200, 304], required=True),
]
NOT_MODIFIED = {304: OpenApiResponse(description="The answer with this `ETag` is unchanged")}


def conditional_response(request: Request, document: dict[str, Any], *, cache_control: str) -> Any:
    """Return the document with its entity tag, or 304 where the caller holds it already."""
    etag = f'"{digest_of(document).hex()[:32]}"'
    response = Response(document, headers={"ETag": etag, "Cache-Control": cache_control})
    return get_conditional_response(request._request, etag=etag, response=response)  # noqa: SLF001
