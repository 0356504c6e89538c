"""The two engines as tests ask them: our own ``EmbeddedEngine``, and our ``OpaEngine`` before a real OPA server."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any

import msgspec
import pytest

from policies.bundles import publishing
from policies.bundles.loading import LoadedBundle
from policies.engines import Engine
from tests.helpers.paths import CASES
from tests.helpers.ports import claimed_port
from tests.helpers.processes import start_leashed, stop_all_threads

REGISTER = json.loads((CASES / "data.json").read_text())

Facts = dict[str, Any]
Ask = Callable[[Facts], dict[str, Any]]


def bundle_of(data: dict[str, Any], policies: dict[str, str] | None = None) -> LoadedBundle:
    """Return the policies of this release over ``data``, as a process would have loaded them."""
    return LoadedBundle(
        revision=data["revision"],
        policies=policies or publishing.read_policies(),
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


@dataclass
class OpaProcess:
    """An OPA server as a process of its own, which tests may kill, stop and start again on the same port."""

    binary: str
    port: int
    arguments: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [self.binary, "run", "--server", "--addr", f"127.0.0.1:{self.port}", "--log-level", "error"]
        self.process = start_leashed(
            [*command, "--disable-telemetry", *self.arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _wait_until_healthy(self.process, self.port)

    def send(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self) -> None:
        assert self.process is not None
        stop_all_threads(self.process)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def opa_process(*arguments: str) -> Iterator[OpaProcess]:
    """Run an OPA server that holds nothing yet."""
    with claimed_port() as port:
        server = OpaProcess(opa_binary(), port, arguments)
        try:
            server.start()
            yield server
        finally:
            server.kill()


@contextmanager
def opa_server(*arguments: str) -> Iterator[str]:
    """Run an OPA server that holds nothing, or what ``arguments`` say; yield its URL."""
    with opa_process(*arguments) as server:
        yield server.url


def _wait_until_healthy(server: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(2_400):
        assert server.poll() is None, "OPA ended instead of serving"
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            time.sleep(0.05)
        finally:
            connection.close()
    pytest.fail("OPA did not become healthy")
