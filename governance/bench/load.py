"""Load client: a few keep-alive connections in one thread, each with one request under way (a closed loop)."""

import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_HEAD_END = b"\r\n\r\n"


@dataclass
class Measured:
    """Results of a run. Latencies in nanoseconds, as the client saw them."""

    seconds: float
    latencies: list[int]
    statuses: dict[int, int]
    last_body: bytes

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile_ms(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1e6


@dataclass
class _Connection:
    channel: socket.socket
    started: int = 0
    received: bytearray = field(default_factory=bytearray)


def run(
    address: tuple[str, int], requests: Sequence[bytes], *, clients: int, seconds: float, at_most: int = 1 << 62
) -> Measured:
    """Send ``requests`` in turn over ``clients`` connections for ``seconds``; raise if the server hangs up.

    Ends earlier where ``at_most`` answers have come.
    """
    selector = selectors.EpollSelector()
    source = _endless(requests)
    for _ in range(clients):
        channel = socket.create_connection(address)
        channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(channel)
        selector.register(channel, selectors.EVENT_READ, connection)
        _send(connection, next(source))
    measured = Measured(0.0, [], {}, b"")
    begin = time.perf_counter()
    end = begin + seconds
    while time.perf_counter() < end and len(measured.latencies) < at_most:
        for key, _mask in selector.select(timeout=1):
            if _receive(key.data, measured):
                _send(key.data, next(source))
    measured.seconds = time.perf_counter() - begin
    for key in list(selector.get_map().values()):
        key.data.channel.close()
    selector.close()
    return measured


def _endless(requests: Sequence[bytes]) -> Iterator[bytes]:
    while True:
        yield from requests


def _send(connection: _Connection, request: bytes) -> None:
    connection.started = time.perf_counter_ns()
    connection.channel.sendall(request)


def _receive(connection: _Connection, measured: Measured) -> bool:
    """Read what is there; return whether an answer is complete."""
    chunk = connection.channel.recv(65536)
    if not chunk:
        raise ConnectionError("The server closed the connection.")
    connection.received += chunk
    head = connection.received.find(_HEAD_END)
    if head < 0:
        return False
    body = len(connection.received) - head - len(_HEAD_END)
    if body < _content_length(bytes(connection.received[:head])):
        return False
    measured.latencies.append(time.perf_counter_ns() - connection.started)
    status = int(connection.received[9:12])
    measured.statuses[status] = measured.statuses.get(status, 0) + 1
    measured.last_body = bytes(connection.received[head + len(_HEAD_END) :])
    connection.received.clear()
    return True


def _content_length(head: bytes) -> int:
    lower = head.lower()
    start = lower.find(b"content-length:")
    end = lower.find(b"\r\n", start)
    return int(lower[start + 15 : end if end > 0 else None])


def post(path: str, body: bytes, token: str) -> bytes:
    """Return one HTTP/1.1 request as bytes."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
