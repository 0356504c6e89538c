"""Exchange with an address that another party named, guarded against server-side request forgery.

https only (http for a host of the operator's on this machine); no redirects, no proxies from the environment; an end in
time and size in every case. Addresses must be public ones, unless they are on the host the operator configured, and the
connection goes to the very address that was checked.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from common.http.public_address import is_public
from common.waiting import name_lookup

CONNECT_TIMEOUT_S = 3.0  # and as long for finding the address
DEADLINE_S = 6.0
MAX_ANSWER_BYTES = 128 * 1024
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class CannotReach(Exception):
    """Refusal of an address, or failure of its host to answer in time with anything that can be used."""


def exchange(
    url: str, *, trusted: str = "", body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """GET ``url``, or POST ``body`` to it; return the status and the answer. Raises CannotReach.

    ``trusted``: an address of the operator's own configuration, whose host may be in a private network.
    """
    parts = checked_url(url, trusted=trusted)
    sent = {"Host": parts.netloc, **(headers or {})}
    try:
        with _connection(parts, trusted) as connection:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("GET" if body is None else "POST", target, body=body, headers=sent)
            answer = connection.getresponse()
            content = answer.read(MAX_ANSWER_BYTES + 1)
            status = answer.status
    except (OSError, http.client.HTTPException, ValueError) as exc:
        raise CannotReach(f"no usable answer ({type(exc).__name__})") from None
    if len(content) > MAX_ANSWER_BYTES:
        raise CannotReach("the answer is too large")
    return status, content


def checked_url(url: str, *, trusted: str = "") -> SplitResult:
    """Return the parts of an address that may be fetched or sent people to. Raises CannotReach."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        raise CannotReach("an address cannot be read") from None
    here = trusted.startswith("http://") and host in _LOOPBACK
    if parts.scheme != "https" and not (parts.scheme == "http" and here):
        raise CannotReach("an address is not https")
    if not host or parts.username is not None or parts.fragment or not (url.isascii() and url.isprintable()):
        raise CannotReach("an address has parts it must not have")
    return parts


@contextmanager
def _connection(parts: SplitResult, trusted: str) -> Iterator[http.client.HTTPConnection]:
    """Open a connection that is cut when the time is over: a timeout alone would start anew with every byte."""
    host = str(parts.hostname)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    sock = socket.create_connection((_address(host, port, trusted), port), timeout=CONNECT_TIMEOUT_S)
    if parts.scheme == "https":
        sock = _tls_context().wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    clock = threading.Timer(DEADLINE_S, _cut, [sock])
    clock.daemon = True
    clock.start()
    try:
        if isinstance(sock, ssl.SSLSocket):
            sock.do_handshake()
        connection = http.client.HTTPConnection(host, port)
        connection.sock = sock
        yield connection
    finally:
        clock.cancel()
        sock.close()


def _cut(sock: socket.socket) -> None:
    try:
        # Below TLS: the other thread may be reading, and its state is its own.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        return


def _address(host: str, port: int, trusted: str) -> str:
    addresses = name_lookup.addresses(host, port, timeout_s=CONNECT_TIMEOUT_S)
    if host != urlsplit(trusted).hostname and not all(map(is_public, addresses)):
        raise CannotReach("an address leads into a private network")
    return addresses[0]


@lru_cache(maxsize=1)
def _tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()
