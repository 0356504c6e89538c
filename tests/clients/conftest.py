"""The real application behind a socket on this machine, and services that know its address."""

import threading
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.db import connections

from assent_client import Assent, Retries

NO_WAITS = Retries(attempts=3, first_s=0, longest_s=0)


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_message: Any) -> None:
        pass


def _whole_body(environ: dict[str, Any], start_response: Any) -> Any:
    """Hand on a body that ends, as every real server does; this one's would wait for more."""
    from governance.wsgi import application

    environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
    return application(environ, start_response)


@pytest.fixture
def base_url(transactional_db: None, token: str) -> Iterator[str]:
    with make_server("127.0.0.1", 0, _whole_body, handler_class=_Quiet) as server:

        def serve() -> None:
            try:
                server.serve_forever(poll_interval=0.02)
            finally:
                connections.close_all()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def assent(base_url: str, token: str) -> Iterator[Assent]:
    with Assent(base_url, token, timeout_s=30, retries=NO_WAITS) as client:
        yield client
