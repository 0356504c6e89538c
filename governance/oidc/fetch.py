"""Fetch a JSON document of the provider, guarded against server-side request forgery.

https only (http for a provider on this machine); no redirects, no proxies from the environment; an end in time and size
in every case. The provider's own document names further addresses: those must be public ones, unless they are on the
host the operator configured, and the connection goes to the very address that was checked.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

from common.http import strict_json
from common.http.public_address import is_public
from common.waiting import name_lookup
from governance.oidc.client import ProviderUnavailable

CONNECT_TIMEOUT_S = 3.0  # and as long for finding the address
DEADLINE_S = 6.0
MAX_ANSWER_BYTES = 128 * 1024
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def fetch_json(
    url: str, *, issuer: str, form: bytes | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """GET ``url``, or POST ``form`` to it; return the status and the document. Raises ProviderUnavailable."""
    parts = checked_url(url, issuer=issuer)
    sent = {"Host": parts.netloc, "Accept": "application/json", **(headers or {})}
    if form is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        status, body = _exchange(parts, issuer, form, sent)
        return status, strict_json.loads_object(body)
    except strict_json.InvalidJson:
        raise ProviderUnavailable("the answer is not a JSON object") from None
    except (OSError, http.client.HTTPException, ValueError) as exc:
        raise ProviderUnavailable(f"no usable answer ({type(exc).__name__})") from None


def checked_url(url: str, *, issuer: str) -> SplitResult:
    """Return the parts of an address that may be fetched or sent people to. Raises ProviderUnavailable."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        raise ProviderUnavailable("an address cannot be read") from None
    here = issuer.startswith("http://") and host in _LOOPBACK
    if parts.scheme != "https" and not (parts.scheme == "http" and here):
        raise ProviderUnavailable("an address is not https")
    if not host or parts.username is not None or parts.fragment or not (url.isascii() and url.isprintable()):
        raise ProviderUnavailable("an address has parts it must not have")
    return parts


def _exchange(parts: SplitResult, issuer: str, form: bytes | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
    with _connection(parts, issuer) as connection:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET" if form is None else "POST", target, body=form, headers=dict(headers))
        answer = connection.getresponse()
        body = answer.read(MAX_ANSWER_BYTES + 1)
        if len(body) > MAX_ANSWER_BYTES:
            raise ProviderUnavailable("the answer is too large")
        return answer.status, body


@contextmanager
def _connection(parts: SplitResult, issuer: str) -> Iterator[http.client.HTTPConnection]:
    """Open a connection that is cut when the time is over: a timeout alone would start anew with every byte."""
    host = str(parts.hostname)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    sock = socket.create_connection((_address(host, port, issuer), port), timeout=CONNECT_TIMEOUT_S)
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


def _address(host: str, port: int, issuer: str) -> str:
    addresses = name_lookup.addresses(host, port, timeout_s=CONNECT_TIMEOUT_S)
    if host != urlsplit(issuer).hostname and not all(map(is_public, addresses)):
        raise ProviderUnavailable("an address leads into a private network")
    return addresses[0]


@lru_cache(maxsize=1)
def _tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()
