"""Banner script at an address that never changes: /assent.js."""

import gzip
import re
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from common.canonical import sha256

_HEADERS = {
    "Cache-Control": "public, max-age=3600, stale-while-revalidate=604800, stale-if-error=604800",
    "Vary": "Accept-Encoding",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_NOTE = "/* Assent's consent banner. Its source, with comments, is static/assent/assent.js. */\n"
# Comments that fill whole lines, and indentation: what a browser does not need, and a text cannot be mistaken for.
_COMMENTS = re.compile(r"^[ \t]*(?:/\*(?:(?!\*/).)*\*/|//[^\n]*)[ \t]*\n", re.MULTILINE | re.DOTALL)
_INDENTATION = re.compile(r"^[ \t]+|^\n", re.MULTILINE)


def bare(source: str) -> str:
    """Return ``source`` without the comments that fill whole lines, its indentation and its empty lines."""
    return _NOTE + _INDENTATION.sub("", _COMMENTS.sub("", source))


@lru_cache(maxsize=1)
def _script() -> tuple[bytes, bytes, str]:
    """Return the script bare, compressed, and its digest; read once, it changes only with a release."""
    source = bare((settings.BASE_DIR / "static" / "assent" / "assent.js").read_text()).encode()
    return source, gzip.compress(source, 9, mtime=0), sha256(source).hex()


@require_safe
def banner_script(request: HttpRequest) -> HttpResponseBase:
    """Serve the script to any page: it is public, equal for all, and may be pinned with ``integrity``."""
    source, compressed, digest = _script()
    packed = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(compressed if packed else source, content_type="text/javascript; charset=utf-8")
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["ETag"] = f'"{digest[:32]}{"-gz" if packed else ""}"'
    for name, value in _HEADERS.items():
        response.headers[name] = value
    return get_conditional_response(request, etag=response.headers["ETag"], response=response) or response
