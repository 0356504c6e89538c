"""The two engines as tests ask them: our own ``EmbeddedEngine``, and our ``OpaEngine`` before a real OPA server."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import msgspec
import pytest

from policies import bundles
from policies.bundles import LoadedBundle
from policies.engines import Engine

CASES = Path(__file__).resolve().parents[1] / "cases"
REGISTER = json.loads((CASES / "data.json").read_text())

Facts = dict[str, Any]
Ask = Callable[[Facts], dict[str, Any]]


def bundle_of(data: dict[str, Any], policies: dict[str, str] | None = None) -> LoadedBundle:
    """Return the policies of this release over ``data``, as a process would have loaded them."""
    return LoadedBundle(
        revision=data["revision"],
        policies=policies or bundles.read_policies(),
        data=data,
        data_json=json.dumps(data),
        purposes={},
        categories=frozenset(),
        sensitive=frozenset(),
        recipients=frozenset(),
        instrument_ends=(),
    )


def asking(engine: Engine, bundle: LoadedBundle) -> Ask:
    def ask(facts: Facts) -> dict[str, Any]:
        answer: dict[str, Any] = msgspec.to_builtins(engine.evaluate(bundle, json.dumps(facts).encode()))
        return answer

    return ask


def opa_binary() -> str:
    """Return the path of OPA, or skip the test."""
    binary = os.environ.get("ASSENT_TEST_OPA") or shutil.which("opa")
    if binary is None:
        pytest.skip("NO OPA: the engines were NOT compared. Put opa on the PATH or its path in ASSENT_TEST_OPA.")
    return binary


@contextmanager
def opa_server(*arguments: str) -> Iterator[str]:
    """Run an OPA server that holds nothing, or what ``arguments`` say; yield its URL."""
    port = free_port()
    command = [opa_binary(), "run", "--server", "--addr", f"127.0.0.1:{port}", "--log-level", "error"]
    command += ["--disable-telemetry", *arguments]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_until_healthy(server, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(server: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(400):
        assert server.poll() is None, "OPA ended instead of serving"
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            time.sleep(0.05)
        finally:
            connection.close()
    pytest.fail("OPA did not become healthy")
