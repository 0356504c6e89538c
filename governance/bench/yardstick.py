"""Baseline of any answer: the same server reads a request and answers a constant, without parsing or database.

Absolute figures differ between machines by more than a factor of four; the ratio to this one says more.
"""

from collections.abc import Callable, Iterable
from typing import Any

_BODY = b'{"decision":false}'
_HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(_BODY)))]


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    environ["wsgi.input"].read()
    start_response("200 OK", list(_HEADERS))
    return [_BODY]


def begin(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer in the loop of ``governance.front``, where decisions are answered."""
    return application(environ, start_response)
