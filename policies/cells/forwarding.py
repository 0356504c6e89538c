"""Forward a request to the person's own cell and check its answer; or pass it to this cell's application."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import quote

import msgspec
from django.conf import settings

from policies.cells import client
from policies.cells.client import CellUnavailable, Reply
from policies.cells.requests import SubjectRequest
from policies.cells.routes import Document, SubjectRoute
from policies.cells.table import Cell
from policies.endpoints.wsgi import STATUS, Environ, Headers, StartResponse

logger = logging.getLogger(__name__)
Application = Callable[[Environ, StartResponse], Iterable[bytes]]
_JSON = frozenset({"application/json", "application/problem+json"})
# Headers that say something about the request itself, and those of an answer that its caller needs.
_PASSED_ON = {
    "HTTP_X_REQUEST_ID": "X-Request-ID",
    "HTTP_IDEMPOTENCY_KEY": "Idempotency-Key",
    "HTTP_SEC_GPC": "Sec-GPC",
    "HTTP_ACCEPT_LANGUAGE": "Accept-Language",
}
_PASSED_BACK = ("Content-Type", "Content-Language", "Retry-After")
# What is wrong with the request itself is the caller's to know; everything else is the cells' own trouble.
_REFUSED_DECISIONS = frozenset({400, 413})
_REFUSED_CALLS = frozenset({400, 404, 409, 413, 415, 422, 429})
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class CellAnswer:
    """An answer as it will be sent. ``cell`` names the other cell that gave it."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    cell: str | None = None

    def send(self, headers: Headers, start_response: StartResponse) -> list[bytes]:
        given_by = [("X-Assent-Cell", self.cell)] if self.cell else []
        length = [("Content-Length", str(len(self.body)))]
        start_response(STATUS[self.status], [*headers, *self.headers, *given_by, *length])
        return [self.body]


def ask(
    own: Cell, cell: Cell, request: SubjectRequest, document: Document, *, caller: str, count: int
) -> CellAnswer | None:
    """Let another cell answer ``count`` questions; None where it gave no answer that can be used."""
    headers = {ours: request.environ[name] for name, ours in _PASSED_ON.items() if name in request.environ}
    headers["Content-Type"] = "application/json"
    headers["X-Assent-Cell"] = own.name
    headers["X-Assent-Caller"] = quote(caller.removeprefix("service:"), safe="")
    sent = _located(document, request.route, own.processing_region)
    try:
        reply = client.call(
            cell, "POST", request.path, body=_encode(sent), headers=headers, seconds=settings.CELL_TIMEOUT_MS / 1000
        )
    except CellUnavailable as unavailable:
        logger.warning("Nothing was answered by another cell: %s", unavailable)
        return None
    if not _is_usable(reply, request, count):
        logger.warning("Cell '%s' answered %s with nothing that can be used", cell.name, reply.status)
        return None
    passed = tuple((name, reply.headers[name]) for name in _PASSED_BACK if name in reply.headers)
    return CellAnswer(reply.status, reply.body, passed, cell.name)


def _located(document: Document, route: SubjectRoute, region: str) -> Document:
    """Add this cell's location to a question whether something may be done, unless the question states one."""
    if not route.asks_about_processing:
        return document
    located = {**document, "context": _with_region(document.get("context"), region)}
    if route.items and isinstance(document.get(route.items), list):
        located[route.items] = [
            {**item, "context": _with_region(item["context"], region)} if "context" in item else item
            for item in document[route.items]
        ]
    return located


def _with_region(context: Any, region: str) -> Any:
    if context is None:
        return {"processing_region": region}
    if isinstance(context, dict) and context.get("processing_region") is None:
        return {**context, "processing_region": region}
    return context


def _is_usable(reply: Reply, request: SubjectRequest, count: int) -> bool:
    try:
        document = msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    if reply.content_type not in _JSON or not isinstance(document, dict):
        return False
    if reply.status not in (200, 201):
        return reply.status in (_REFUSED_DECISIONS if request.route.render_denial else _REFUSED_CALLS)
    if not request.is_batch:
        return _is_answer(document, request.route)
    answers = document.get(str(request.route.items))
    # Only a batch that is forwarded as a whole may end early; a part has no end of its own.
    fewest = 1 if request.stop is not None and count == len(request.questions) else count
    if not isinstance(answers, list) or not fewest <= len(answers) <= count:
        return False
    return all(isinstance(answer, dict) and _is_answer(answer, request.route) for answer in answers)


def _is_answer(document: Document, route: SubjectRoute) -> bool:
    """Return whether it holds what such an answer must hold; no permit must be read into anything else."""
    if route.answer_member is None:
        return True
    expected = bool if route.answer_member == "decision" else list
    return isinstance(document.get(route.answer_member), expected)


def captured(local: Application, environ: Environ, document: Document) -> CellAnswer:
    """Return this cell's answer to ``document``."""
    body = _encode(document)
    started: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started.update(status=int(status[:3]), headers=headers)

    chunks = local({**environ, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}, start_response)
    try:
        whole = b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    passed = tuple((name, value) for name, value in started["headers"] if name in _PASSED_BACK)
    return CellAnswer(started["status"], whole, passed)
