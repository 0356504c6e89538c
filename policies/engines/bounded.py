"""HTTP exchanges bounded by a deadline, however the other side spreads its bytes.

The timeouts of ``requests`` are those of single reads: a server that sends a byte now and then is waited for without
end. Here the time left is set anew before every read and write of an exchange, and the bytes are counted.
"""

import io
import socket
import time
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from common.waiting import name_lookup


class Budget:
    """Remaining time and bytes of an exchange. Belongs to one client, and so to one thread at a time."""

    def __init__(self) -> None:
        self._ends = 0.0
        self._bytes = 0

    def start(self, *, seconds: float, max_bytes: int) -> None:
        self._ends, self._bytes = time.monotonic() + seconds, max_bytes

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._ends

    def seconds_left(self) -> float:
        """Return the time left. Raises TimeoutError where nothing is (a socket's timeout of 0 means something else)."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("The exchange took too long.")
        return left

    def take(self, count: int) -> None:
        self._bytes -= count
        if self._bytes < 0:
            raise OSError("The answer is too large.")


class BoundedAdapter(HTTPAdapter):
    """Transport adapter that keeps every exchange of a session within ``budget``."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _pools(self._budget)

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        try:
            options["timeout"] = self._budget.seconds_left()
        except TimeoutError as exc:
            raise requests.Timeout(str(exc)) from None
        return super().send(request, *args, **options)


def _pools(budget: Budget) -> dict[str, Any]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _connected(self, budget)

        def connect(self) -> None:
            super().connect()
            self.sock = _Socket(self.sock, budget)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _connected(self, budget)

        def connect(self) -> None:
            super().connect()
            self.sock = _Socket(self.sock, budget)

    return {
        "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": Plain}),
        "https": type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": Secure}),
    }


def _connected(connection: HTTPConnection, budget: Budget) -> socket.socket:
    """Connect within the budget: urllib3 looks names up without an end, and begins the time anew with each address."""
    try:
        found = name_lookup.connected(connection.host, connection.port or 0, timeout_s=budget.seconds_left())
    except TimeoutError as exc:
        raise ConnectTimeoutError(connection, str(exc)) from exc
    except OSError as exc:
        raise NewConnectionError(connection, str(exc)) from exc
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found


class _Socket:
    """A connected socket as ``http.client`` uses it."""

    def __init__(self, connected: socket.socket, budget: Budget) -> None:
        self._connected, self._budget = connected, budget

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connected, name)

    def sendall(self, data: Any) -> None:
        self._connected.settimeout(self._budget.seconds_left())
        self._connected.sendall(data)

    def makefile(self, *_args: Any, **_options: Any) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._connected, self._budget))


class _Reader(io.RawIOBase):
    def __init__(self, connected: socket.socket, budget: Budget) -> None:
        self._connected, self._budget = connected, budget
        # The socket's own file keeps it open until the answer is read, also where http.client has closed it.
        self._file = connected.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._connected.settimeout(self._budget.seconds_left())
        count = self._file.readinto(buffer)
        self._budget.take(count or 0)
        return count

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()
