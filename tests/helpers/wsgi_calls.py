"""Calls as the web server makes them: through the whole WSGI entry, whichever part of it answers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.http import HttpResponse
from django.test import Client

EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"


@dataclass(frozen=True)
class WsgiResponse:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def content_type(self) -> str:
        return self.headers["Content-Type"]


def question(person: str = "customer-1", **changes: Any) -> dict[str, Any]:
    """A question that a person with consent is answered yes to; ``changes`` replace top-level members."""
    return {
        "subject": {"type": "data_subject", "id": person},
        "action": {
            "name": "personalize",
            "properties": {"purpose": "recommendations", "requested_level": "individual"},
        },
        "resource": {
            "type": "personalization",
            "id": "home-feed",
            "properties": {"data_categories": ["purchases", "views"]},
        },
        "context": {"processing_region": "eu-central"},
        **changes,
    }


def changed(place: str, value: Any) -> dict[str, Any]:
    """The same question with the member at ``place`` (dotted) set to ``value``."""
    document = question()
    *parents, last = place.split(".")
    part = document
    for parent in parents:
        part = part[parent]
    part[last] = value
    return document


def call(
    document: Any, token: str | None, *, path: str = EVALUATION, method: str = "POST", **environ: str | None
) -> WsgiResponse:
    """Send ``document``: bytes as they are, else as JSON. ``environ`` adds to the environ, None takes away."""
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    request: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(data)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(data),
        "wsgi.errors": None,
        **({"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}),
        **environ,
    }
    return _answered({name: value for name, value in request.items() if value is not None})


class WsgiClient(Client):
    """Django's client for tests, at the entry the web server calls: hot endpoints answer as in production."""

    def __init__(self, **defaults: Any) -> None:
        super().__init__(**defaults)
        self.handler = _entry


def _entry(environ: dict[str, Any]) -> HttpResponse:
    # Django's own stand-in for a socket refuses to be asked for more than it holds; a server's does not.
    answer = _answered({**environ, "wsgi.input": BytesIO(environ["wsgi.input"].read())})
    response = HttpResponse(answer.body, status=answer.status, headers=answer.headers)
    response.wsgi_request = WSGIRequest(environ)
    return response


def _answered(environ: dict[str, Any]) -> WsgiResponse:
    from governance.wsgi import application

    started: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        assert not started
        started.update(status=int(status[:3]), headers=dict(headers))

    with connection_kept():
        chunks = application(environ, start_response)
        body = b"".join(chunks)
        if hasattr(chunks, "close"):
            chunks.close()
    return WsgiResponse(started["status"], started["headers"], body)


@contextmanager
def connection_kept() -> Iterator[None]:
    """Django would close a connection in the middle of the test's transaction, as its own test client knows."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


def assert_problem(answer: WsgiResponse, status: int, code: str) -> None:
    """It is problem+json with this status and code, and nothing in it could be read as a permit."""
    assert (answer.status, answer.content_type) == (status, "application/problem+json"), answer.body
    document = answer.json()
    assert (document["status"], document["code"]) == (status, code)
    assert document["title"]
    assert document["detail"]
    assert "decision" not in document
