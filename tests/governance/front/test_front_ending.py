"""The end of the front, and its processes: what was accepted is answered, and what ends early starts again."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from governance.launcher.processes.processes import started_at
from tests.helpers.front_server import PATIENCE_S, Client, ask, request, serving
from tests.helpers.paths import CHECKOUT
from tests.helpers.polling import until
from tests.helpers.ports import claimed_port
from tests.helpers.processes import start_leashed

APPLICATION = """
import os, pathlib, time

def application(environ, start_response):
    environ["wsgi.input"].read()
    if environ["PATH_INFO"] == "/admin/slow":
        pathlib.Path(environ["QUERY_STRING"]).touch()
        while not pathlib.Path(environ["QUERY_STRING"]).with_name("go").exists():
            time.sleep(0.01)
    start_response("200 OK", [])
    return [str(os.getpid()).encode()]
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "plain_application.py").write_text(APPLICATION)
    return tmp_path


class Running:
    """The front in processes of its own."""

    def __init__(self, folder, port, *, workers=1):
        self.address = ("127.0.0.1", port)
        self.process = start_leashed(
            [
                *(sys.executable, "-m", "governance.front", "--port", str(self.address[1])),
                *("--workers", str(workers), "plain_application:application"),
            ],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(CHECKOUT), str(folder)])},
            stderr=subprocess.PIPE,
        )

    def is_there(self):
        with contextlib.suppress(ConnectionRefusedError):
            return ask(self.address, request("/")).status == 200
        return False

    def worker(self):
        return int(ask(self.address, request("/")).body)

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate(timeout=PATIENCE_S)


@pytest.fixture
def port():
    with claimed_port() as port:
        yield port


@pytest.fixture
def running(folder, port):
    running = Running(folder, port)
    try:
        until(running.is_there, "the front answers")
        yield running
    finally:
        running.end()


def test_requests_under_way_are_answered_after_sigterm(running, folder):
    slow = [Client(running.address, request(f"/admin/slow?{folder}/{number}")) for number in range(4)]
    with contextlib.ExitStack() as stack:
        for client in slow:
            stack.enter_context(client)
        idle = stack.enter_context(Client(running.address, request("/health/live")))
        assert idle.response().status == 200
        unfinished = stack.enter_context(Client(running.address, request("/", "Content-Length: 3", method="POST")))
        until(lambda: (folder / "1").exists(), "two requests are under way, two wait")

        running.process.terminate()
        assert idle.is_ended()
        unfinished.send(b"abc")
        (folder / "go").touch()

        answers = [client.response() for client in [*slow, unfinished]]
        assert [answer.status for answer in answers] == [200] * 5
        assert {answer.headers["connection"] for answer in answers} == {"close"}
    assert running.process.wait(PATIENCE_S) == 0


def test_worker_that_is_killed_is_replaced(running):
    first = running.worker()

    os.kill(first, signal.SIGKILL)

    def is_another():
        with contextlib.suppress(ConnectionError):
            return running.worker() != first
        return False

    until(is_another, "another worker answers")


def test_workers_end_with_their_supervisor(running):
    worker = running.worker()

    running.process.kill()
    running.process.wait(PATIENCE_S)

    until(lambda: started_at(worker) is None, "the worker has ended")


def test_port_in_use_is_refused(folder, running):
    second = Running(folder, running.address[1])
    _, said = second.process.communicate(timeout=PATIENCE_S)

    assert second.process.returncode == 1
    assert b"cannot be listened on" in said
    assert running.is_there()


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_supervisor_writes_lines_as_the_setting_says(folder, running, monkeypatch, log_format):
    monkeypatch.setenv("LOG_FORMAT", log_format)
    second = Running(folder, running.address[1])
    _, said = second.process.communicate(timeout=PATIENCE_S)

    (line,) = said.decode().splitlines()
    assert line.startswith("{") == (log_format == "json")
    if log_format == "json":
        found = json.loads(line)
        assert (found["level"], found["logger"]) == ("ERROR", "governance.front.supervision")
        assert "cannot be listened on" in found["message"]
    else:
        assert " ERROR governance.front.supervision " in line


def test_two_workers_share_the_connections(folder, port):
    running = Running(folder, port, workers=2)
    try:
        until(running.is_there, "the front answers")
        workers = set()
        until(lambda: workers.add(running.worker()) or len(workers) == 2, "both have answered")
    finally:
        running.end()


def test_what_waits_for_a_thread_is_answered_in_the_end():
    entered, go = threading.Event(), threading.Event()

    def application(_environ, start_response):
        entered.set()
        assert go.wait(PATIENCE_S)
        start_response("200 OK", [])
        return [b""]

    clients = []
    ending = threading.Thread(target=go.set)
    with serving(application) as address:
        clients = [Client(address, request("/metrics")) for _ in range(5)]
        assert entered.wait(PATIENCE_S)
        ending.start()
    ending.join()

    try:
        assert [client.response().status for client in clients] == [200] * 5
    finally:
        for client in clients:
            client.close()
