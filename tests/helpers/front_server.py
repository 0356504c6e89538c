"""The front in a thread of the test, on a port of its own, and clients that speak to it byte by byte."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from governance.front.classes import Routing
from governance.front.loop import Front
from governance.front.supervision import bound
from governance.front.worker import PlainThreads

PATIENCE_S = 300
Address = tuple[str, int]

# One path of every class of work that has a pool.
PATHS = {
    "decisions": "/access/v1/evaluation",
    "batches": "/access/v1/evaluations",
    "searches": "/access/v1/search/subject",
    "services": "/api/v1/consents",
    "people": "/privacy/open",
    "banner": "/api/v1/banner/shop/choices",
    "officers": "/admin/login/",
    "opa servers": "/api/v1/opa/logs",
    "monitoring": "/metrics",
}


@dataclass
class Echo:
    """An application that answers with what it was given, and remembers the paths."""

    paths: list[str] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        self.paths.append(environ["PATH_INFO"])
        document = {key: value for key, value in environ.items() if isinstance(value, str)}
        document["body"] = environ["wsgi.input"].read().decode("latin-1")
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(document).encode()]


@contextmanager
def serving(application: Any, *, threads: Any = None, **offered: Any) -> Iterator[Address]:
    """Serve ``application`` and what its module may offer until the block ends; all accepted is answered by then."""
    listener = bound("127.0.0.1", 0)
    address: Address = listener.getsockname()
    front = Front(application, listener, routing=Routing(opa_waiters=1), threads=threads or PlainThreads(), **offered)
    thread = threading.Thread(target=front.run)
    thread.start()
    _until_it_listens(address)
    try:
        yield address
    finally:
        front.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def _until_it_listens(address: Address) -> None:
    while True:
        try:
            socket.create_connection(address, timeout=PATIENCE_S).close()
        except ConnectionRefusedError:
            continue
        return


@dataclass
class Response:
    """An answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    def document(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.body)
        return read


class Client:
    """A connection on which bytes are sent as they are."""

    def __init__(self, address: Address, data: bytes = b"", *, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE_S)
        self._received = b""
        try:
            self.socket.connect(address)
            self.send(data)
        except OSError:
            self.close()
            raise

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def response(self, *, to_head: bool = False) -> Response | None:
        """Read one answer; None where the connection ends in place of one."""
        while b"\r\n\r\n" not in self._received:
            if not self._more():
                return None
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = 0 if to_head else int(headers.get("content-length", 0))
        while len(self._received) < length:
            assert self._more(), "The answer was cut off."
        body, self._received = self._received[:length], self._received[length:]
        return Response(int(status_line.split()[1]), headers, body)

    def is_ended(self) -> bool:
        """Wait for the end of the connection; False where something else comes."""
        return not self._received and not self._more()

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_failure: object) -> None:
        self.close()

    def _more(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self._received += data
        return bool(data)


def request(path: str = "/", *headers: str, method: str = "GET", body: bytes | None = None) -> bytes:
    """Return a request as bytes; with ``body`` its length is among the headers."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def ask(address: Address, data: bytes) -> Response:
    """Send a request on a connection of its own; return its answer."""
    with Client(address, data) as client:
        answer = client.response()
        assert answer is not None
        return answer
