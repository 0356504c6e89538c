"""The front compared with two other readers of HTTP/1.1: what it takes, they read as the same requests or refuse.

A proxy in front may be any of them. What it takes for the body must never be the front's next request.
"""

import contextlib
import os
import socket
import subprocess
import sys

import h11
import pytest

from governance.front import limits
from governance.front.messages.bodies import Body
from governance.front.messages.reading import RequestReader
from governance.front.messages.refusals import Refusal
from tests.helpers.front_server import PATIENCE_S
from tests.helpers.http_forms import forms
from tests.helpers.polling import until
from tests.helpers.ports import claimed_port
from tests.helpers.processes import start_leashed

Read = list[tuple[str, bytes]]  # method and body of every whole request


def read_by_front(data: bytes) -> tuple[Read, str]:
    """Return the requests, and how the connection goes on."""
    reader, read = RequestReader(), []
    reader.feed(data)
    try:
        while reader.has_more():
            head = reader.read_head()
            if head is None:
                return read, "incomplete"
            body = Body(limits.BODY_BYTES)
            reader.expect_body(body)
            if not reader.read_body():
                return read, "incomplete"
            read.append((head.method, body.stream().read()))
            if reader.is_over() or not head.keep_alive:
                return read, "over"
            reader.next_request()
    except Refusal:
        return read, "refused"
    finally:
        reader.close()
    return read, "open"


def read_by_h11(data: bytes) -> Read:
    """Return the requests until the first that is refused."""
    connection, read = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.BODY_BYTES), []
    connection.receive_data(data)
    method, body = "", b""
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                method, body = event.method.decode(), b""
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                read.append((method, body))
                connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is not h11.DONE:
                    return read
                connection.start_next_cycle()
            else:
                return read
    except h11.RemoteProtocolError:
        return read


def _compared_with_h11(seed, count):
    """How many inputs the front took whole; differences fail."""
    taken = 0
    for data in forms(seed, count):
        mine, state = read_by_front(data)
        theirs = read_by_h11(data)
        taken += bool(mine)
        assert mine[: len(theirs)] == theirs[: len(mine)], (data, mine, theirs)
        # The front may refuse more, and end the connection earlier. h11 stops where another protocol is offered, and
        # keeps no connection of HTTP/1.0.
        assert len(mine) <= len(theirs) or b"pgrade" in data or b"HTTP/1.0" in data, (data, mine, theirs)
        assert len(theirs) <= len(mine) or state in ("refused", "over"), (data, mine, theirs)
    return taken


def test_front_reads_no_form_otherwise_than_h11():
    assert _compared_with_h11(seed=1, count=5_000) > 500


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 22))
def test_front_reads_no_form_otherwise_than_h11_at_length(seed):
    assert _compared_with_h11(seed=seed, count=50_000) > 5_000


ECHO = """
def application(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("X-Method", environ["REQUEST_METHOD"]), ("X-Body", body.hex() or "none")])
    return [b""]
"""


@pytest.fixture(scope="module")
def granian(tmp_path_factory):
    folder = tmp_path_factory.mktemp("granian")
    (folder / "echo_bodies.py").write_text(ECHO)
    with claimed_port() as port:
        yield from _serving(folder, port)


def _serving(folder, port):
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--workers", "1"]
    process = start_leashed(
        [*command, "--no-access-log", "--log-level", "critical", "echo_bodies:application"],
        cwd=folder,
        env={**os.environ, "RUST_BACKTRACE": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def listens():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return True

    try:
        until(listens, "granian listens")
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def read_by_granian(port: int, data: bytes) -> Read:
    """Return what it answered; it is given the end of the input, so that it does not wait."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while part := client.recv(65536):
                received += part
    read = []
    for answer in received.split(b"HTTP/1.")[1:]:
        headers = dict(line.split(b": ", 1) for line in answer.lower().split(b"\r\n") if b": " in line)
        if b"x-body" in headers:
            body = headers[b"x-body"]
            read.append(
                (headers[b"x-method"].decode().upper(), b"" if body == b"none" else bytes.fromhex(body.decode()))
            )
    return read


def _compared_with_granian(port, seed, count):
    taken = 0
    for data in forms(seed, count):
        mine, state = read_by_front(data)
        if not mine:
            continue
        theirs = read_by_granian(port, data)
        taken += 1
        assert mine[: len(theirs)] == theirs[: len(mine)], (data, mine, theirs, state)
    return taken


def test_front_reads_no_form_otherwise_than_granian(granian):
    assert _compared_with_granian(granian, seed=101, count=600) > 60


@pytest.mark.long
@pytest.mark.parametrize("seed", range(102, 110))
def test_front_reads_no_form_otherwise_than_granian_at_length(granian, seed):
    assert _compared_with_granian(granian, seed=seed, count=5_000) > 500
