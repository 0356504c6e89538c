"""The OpenAPI document as it is served: generated once a process, because that takes a third of a second of its lock.

The routes and views it describes do not change while a process runs.
"""

import hashlib
import threading
from functools import lru_cache
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

_CACHE = "public, no-cache"  # asked for again each time, and answered with 304
_ONE_AT_A_TIME = threading.RLock()


class DocumentView(SpectacularAPIView):
    """The document, as JSON or YAML."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *_args: Any, **_options: Any) -> HttpResponseBase:
        """Answer with the document, or with 304 to a caller that has it."""
        renderer = request.accepted_renderer
        with _ONE_AT_A_TIME:
            body, etag = _rendered(type(renderer))  # type: ignore[arg-type]  # a class is hashable
        whole = HttpResponse(body, content_type=renderer.media_type)
        whole.headers["ETag"] = etag
        whole.headers["Cache-Control"] = _CACHE
        whole.headers["Content-Disposition"] = f'inline; filename="Assent.{renderer.format}"'
        return get_conditional_response(request._request, etag=etag, response=whole) or whole  # noqa: SLF001


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    # Texts of models and forms are translated; the document is the same in every browser.
    with translation.override("en"):
        generator = SpectacularAPIView.generator_class()
        document: dict[str, Any] = generator.get_schema(public=True)  # type: ignore[no-untyped-call]
        return document


@lru_cache(maxsize=4)
def _rendered(renderer: type[BaseRenderer]) -> tuple[bytes, str]:
    text = renderer().render(_document(), renderer_context={})
    body = text.encode() if isinstance(text, str) else text
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'
