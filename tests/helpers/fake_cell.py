"""Another cell on this machine that answers what a test wants, and remembers what it was asked."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class FakeCell:
    """``answer`` is a document, bytes, or a function of the request that gives (status, document or bytes)."""

    url: str = ""
    status: int = 200
    answer: Any = None
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    released: threading.Event = field(default_factory=threading.Event)
    is_silent: bool = False
    hangs_up: bool = False  # without a word, after each answer
    hung_up: int = 0
    asked: list[Asked] = field(default_factory=list)

    def reply(self, asked: Asked) -> tuple[int, bytes]:
        status, answer = self.status, self.answer
        if callable(answer):
            status, answer = answer(asked)
        return status, answer if isinstance(answer, bytes) else json.dumps(answer).encode()


@contextmanager
def fake_cell() -> Iterator[FakeCell]:
    cell = FakeCell()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_args: Any) -> None:
            pass

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def finish(self) -> None:
            super().finish()
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            cell.hung_up += 1

        def _answer(self, body: bytes) -> None:
            asked = Asked(self.path, dict(self.headers), json.loads(body) if body else None)
            cell.asked.append(asked)
            if cell.is_silent:
                cell.released.wait(120)
                self.close_connection = True
                return
            status, answer = cell.reply(asked)
            self.send_response(status)
            for name, value in {"Content-Type": cell.content_type, **cell.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            try:
                self.wfile.write(answer)
            except OSError:
                self.close_connection = True
            self.close_connection = self.close_connection or cell.hangs_up

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    serving.start()
    cell.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield cell
    finally:
        cell.released.set()
        server.shutdown()
        serving.join()
        server.server_close()


Answering = Callable[[Asked], tuple[int, Any]]
