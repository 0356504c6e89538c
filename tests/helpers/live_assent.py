"""Assent behind a real port, inside the test's own transaction, for OPA servers that pull from it."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from django.db import connections

from policies.bundles import bundle_keys
from policies.opa import bundle_files
from tests.helpers.wsgi_calls import connection_kept

# One user of the connection at a time: the server's threads, or the test where it changes something.
turn = threading.RLock()


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_args: Any) -> None:
        pass


@contextmanager
def live_assent() -> Iterator[tuple[str, list[tuple[str, str, int]]]]:
    """Yield the URL, and what was asked so far: (method, path, status). One request is answered at a time."""
    from governance.wsgi import application

    asked: list[tuple[str, str, int]] = []
    shared = connections["default"]

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        connections["default"] = shared

        def started(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            asked.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], int(status[:3])))
            return start_response(status, headers)

        if environ["REQUEST_METHOD"] == "GET":  # reads only, and may wait long
            return application(environ, started)
        with turn:
            return application(environ, started)

    shared.inc_thread_sharing()
    server = make_server("127.0.0.1", 0, answer, handler_class=_Quiet)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    serving.start()
    with connection_kept():
        try:
            yield f"http://127.0.0.1:{server.server_port}/api/v1/opa", asked
        finally:
            server.shutdown()
            serving.join()
            server.server_close()
            shared.dec_thread_sharing()


def configuration(folder: Path, url: str, token: str, **members: Any) -> tuple[str, ...]:
    """Write what OPA is started with; return its arguments. Unsaid, it pulls the bundle and reports nothing."""
    with turn:
        key = bundle_keys.current()
    bundle = {
        "service": "assent",
        "resource": f"bundles/{key.kid}/active.tar.gz",
        "signing": {"keyid": "assent", "scope": bundle_files.IN_FORCE},
        "polling": {"min_delay_seconds": 1, "max_delay_seconds": 1, "long_polling_timeout_seconds": 2},
    }
    document = {
        "services": {"assent": {"url": url, "credentials": {"bearer": {"token": token}}}},
        "labels": {"instance": "opa-1"},
        **(members or {"bundles": {"assent": bundle}, "keys": {"assent": key.for_opa()}}),
    }
    path = folder / "opa.json"
    path.write_text(json.dumps(document))
    return ("--config-file", str(path))


_BUNDLE = re.compile(r"/api/v1/opa/bundles/[\w-]+/active\.tar\.gz")


def pulls(asked: list[tuple[str, str, int]], status: int) -> int:
    """How often a bundle was asked for and this was the answer."""
    return sum(1 for method, path, said in asked if method == "GET" and said == status and _BUNDLE.fullmatch(path))


def eventually(claim: Callable[[], Any], seconds: float = 120.0) -> Any:
    """Wait until the claim holds; return what it says."""
    ends = time.monotonic() + seconds
    while True:
        said = claim()
        if said or time.monotonic() > ends:
            return said
        time.sleep(0.05)
