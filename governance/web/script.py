"""Banner script at an address that never changes: /assent.js."""

import gzip
import re
from functools import lru_cache
from pathlib import Path

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
_NOTE = "/* Assent's consent banner. Its source, with comments, is static/assent/banner. */\n"
_FOLDER = Path("static") / "assent" / "banner"
# Parts of one function, in the order in which it runs: a page loads one file, and nothing of it but window.assent.
PARTS = ("kept", "state", "delivery", "choosing", "new", "style", "panel", "asking", "start")
# Comments that fill whole lines, and indentation: what a browser does not need, and a text cannot be mistaken for.
_COMMENTS = re.compile(r"^[ \t]*(?:/\*(?:(?!\*/).)*\*/|//[^\n]*)[ \t]*\n", re.MULTILINE | re.DOTALL)
_INDENTATION = re.compile(r"^[ \t]+|^\n", re.MULTILINE)
# Texts and patterns, in which every space counts; the first of the alternatives that begins is the one.
_TEXTS = re.compile(
    r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`"""
    r"""|(?<=[(,=])[ ]?/(?![/*])(?:\\.|[^/\\\n])+/[a-z]*|//[^\n]*|/\*.*?\*/)""",
    re.DOTALL,
)
# Around these, spaces mean nothing in a program, and after the last of them neither does a new line.
_SPACED = re.compile(r" *(=>|[{}()\[\]:;,=<>?&|*]) *")
_BROKEN = re.compile(r"([{(,;])\n")
# A text of several lines is a style sheet.
_SHEET = re.compile(r" ?([{};,])\s*|(?<=:) ")


def whole() -> str:
    """Return the script as it is written, with its comments."""
    folder = settings.BASE_DIR / _FOLDER
    return "(() => {\n" + "".join((folder / f"{part}.js").read_text() for part in PARTS) + "})();\n"


def bare(source: str) -> str:
    """Return ``source`` without comments that fill whole lines, and without what spaces the program."""
    lines = _INDENTATION.sub("", _COMMENTS.sub("", source))
    pieces = _TEXTS.split(lines)
    return _NOTE + "".join(_text(piece) if number % 2 else _tight(piece) for number, piece in enumerate(pieces))


def _text(piece: str) -> str:
    return _SHEET.sub(r"\1", piece) if piece.startswith("`\n") else piece


def _tight(program: str) -> str:
    return _BROKEN.sub(r"\1", _SPACED.sub(r"\1", program))


@lru_cache(maxsize=1)
def _script() -> tuple[bytes, bytes, str]:
    """Return the script bare, compressed, and its digest; read once, it changes only with a release."""
    source = bare(whole()).encode()
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
