"""Whatever goes wrong between us and an OPA server is a failure with a code of its own, never a permit."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import pytest

from policies import engines
from policies.bundles import loading
from policies.engines import EngineFailure, EngineTimeout, EngineUnavailable, EngineUndefined
from policies.engines.embedded import EmbeddedEngine
from policies.engines.opa import OpaEngine
from tests.helpers.fact_sheets import FACTS, GENEROUS, STRICT, level_of
from tests.helpers.policy_engines import REGISTER, bundle_of
from tests.helpers.ports import claimed_port
from tests.helpers.unusable_policies import UNUSABLE, asked_of
from tests.helpers.wsgi_calls import call, question


@pytest.mark.parametrize(("policies", "failure"), UNUSABLE.values(), ids=UNUSABLE)
def test_an_answer_that_is_no_decision_is_a_failure(
    opa_engine: OpaEngine, policies: dict[str, str], failure: type[EngineFailure]
) -> None:
    # OPA answers a conflict of rules with an error of the server, which is told apart from no answer.
    conflict = len(policies["decision.rego"].split("answer := {")) > 2

    with pytest.raises(EngineUnavailable if conflict else failure):
        opa_engine.evaluate(asked_of(policies), FACTS)
    assert level_of(opa_engine, GENEROUS) == "individual"


@pytest.fixture
def absent() -> Iterator[OpaEngine]:
    """An engine before a port where nobody listens."""
    with claimed_port() as port:
        yield OpaEngine(f"http://127.0.0.1:{port}", timeout_ms=1_000)


def test_where_no_server_is_the_engine_is_unavailable(
    absent: OpaEngine, shop_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EngineUnavailable):
        absent.evaluate(GENEROUS, FACTS)
    monkeypatch.setattr(engines, "configured", lambda: absent)
    monkeypatch.setattr(loading, "_loaded", {})

    answer = call(question(), shop_token).json()

    assert answer["decision"] is False
    assert answer["context"]["reasons"] == [{"code": "engine_unavailable"}]


@pytest.fixture
def silent_server() -> Iterator[str]:
    """A server that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_a_server_that_does_not_answer_in_time_is_a_timeout(
    shop_token: str, silent_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = OpaEngine(silent_server, timeout_ms=50)
    with pytest.raises(EngineTimeout):
        slow.evaluate(GENEROUS, FACTS)
    monkeypatch.setattr(engines, "configured", lambda: slow)
    monkeypatch.setattr(loading, "_loaded", {})

    answer = call(question(), shop_token).json()

    assert answer["decision"] is False
    assert answer["context"]["reasons"] == [{"code": "engine_timeout"}]


@pytest.fixture
def dripping_server() -> Iterator[str]:
    """A server that begins an answer at once and never ends it: a byte now and then."""
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{")
            while not over.wait(0.02):
                connection.sendall(b" ")

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=drip, args=[listening.accept()[0]]).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = threading.Thread(target=serve)
        serving.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        over.set()
        listening.shutdown(socket.SHUT_RDWR)
        serving.join()


def test_a_server_that_never_ends_its_answer_is_a_timeout_of_the_whole(dripping_server: str) -> None:
    engine = OpaEngine(dripping_server, timeout_ms=300)

    with pytest.raises(EngineTimeout):
        engine.evaluate(GENEROUS, FACTS)

    assert engine.held_revision() is None


def test_a_silent_server_is_not_waited_for_to_take_a_bundle(silent_server: str) -> None:
    assert not OpaEngine(silent_server, timeout_ms=100).hold(GENEROUS)


class Impostor(BaseHTTPRequestHandler):
    """Answers every request with ``status`` and ``body``."""

    status, body = 200, b""

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    do_POST = do_PUT = do_GET = _answer  # noqa: N815 (names that http.server prescribes)

    def log_message(self, *_args: Any) -> None:
        pass


def _written(**members: Any) -> bytes:
    verdict = msgspec.to_builtins(EmbeddedEngine().evaluate(GENEROUS, FACTS))
    return json.dumps({"result": verdict | members}).encode()


IMPOSTORS: dict[str, tuple[int, bytes, type[EngineFailure]]] = {
    "an error": (500, b'{"code": "internal_error", "message": "x"}', EngineFailure),
    "an error in HTML": (502, b"<html>", EngineUnavailable),
    "another server": (404, b"not found", EngineUnavailable),
    "no login": (401, b'{"code": "unauthorized", "message": "x"}', EngineFailure),
    "no JSON": (200, b"<html>", EngineUnavailable),
    "nothing": (200, b"", EngineUnavailable),
    "no result": (200, b"{}", EngineFailure),
    "a list": (200, b"[]", EngineFailure),
    "a result that is no decision": (200, b'{"result": true}', EngineFailure),
    "another revision, whatever it is given": (200, _written(revision="sha256:other"), EngineFailure),
    "too much": (200, b" " * 2_000_000, EngineUnavailable),
    "NaN": (200, b'{"result": NaN}', EngineFailure),
}


@pytest.mark.parametrize(("status", "body", "failure"), IMPOSTORS.values(), ids=IMPOSTORS)
def test_a_server_that_is_no_opa_is_a_failure(status: int, body: bytes, failure: type[EngineFailure]) -> None:
    handler = type("ThisImpostor", (Impostor,), {"status": status, "body": body})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            with pytest.raises(failure):
                OpaEngine(f"http://127.0.0.1:{server.server_port}", timeout_ms=60_000).evaluate(GENEROUS, FACTS)
        finally:
            server.shutdown()
            serving.join()


def test_a_bundle_that_opa_cannot_compile_leaves_no_mixture(opa_engine: OpaEngine) -> None:
    assert level_of(opa_engine, STRICT) == "segment"
    broken = bundle_of(
        REGISTER | {"revision": "sha256:broken"}, {"decision.rego": "package governance.decision\n\nx {"}
    )

    with pytest.raises(EngineUndefined):
        opa_engine.evaluate(broken, FACTS)

    assert level_of(opa_engine, STRICT) == "segment"
