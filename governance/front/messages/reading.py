"""Requests out of the bytes of one connection, one at a time. The grammar is llhttp's; what it leaves open is refused.

A head is given to the parser once it is whole, a body of known length cut to its length, so that a request behind it
stays in the buffer until the one before is answered. A chunked body shows its end in the parser alone: what a client
sends behind one, before its answer, is not read, and the connection ends with that answer.
"""

import re
from dataclasses import dataclass, field

import httptools

from governance.front import limits
from governance.front.messages.bodies import Body, too_large
from governance.front.messages.refusals import Refusal, malformed
from governance.front.messages.targets import Target, read_host, read_target

_HEAD_END = b"\r\n\r\n"
# What may stand in a head: everything but control characters; line ends are looked at by themselves.
_PLAIN = bytes(byte for byte in range(256) if byte >= 0x20 and byte != 0x7F) + b"\t\r\n"
_UPGRADE = re.compile(rb"\r\nupgrade:", re.IGNORECASE)
_LONGEST_LENGTH = 15  # digits; more are no length of anything


@dataclass(slots=True)
class Head:
    """A request without its body. Names are in lower case."""

    method: str = ""
    target: Target = field(default_factory=lambda: Target("/", ""))
    http_1_0: bool = False
    keep_alive: bool = True
    headers: dict[bytes, bytes] = field(default_factory=dict)
    length: int = 0
    is_chunked: bool = False

    def awaits_continue(self) -> bool:
        """Say whether the client waits for leave to send its body."""
        return b"expect" in self.headers and not self.http_1_0


class RequestReader:
    """Reads requests; raises Refusal for what is none, and is of no use afterwards."""

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._buffer = b""
        self._looked_at = 0
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._head: Head | None = None
        self._body: Body | None = None
        self._raw_bytes = 0
        self._is_complete = False
        self._is_over = False

    def feed(self, data: bytes) -> None:
        """Take what has arrived."""
        self._buffer = self._buffer + data if self._buffer else data

    def has_more(self) -> bool:
        """Say whether bytes of a further request are here already."""
        return bool(self._buffer)

    def read_head(self) -> Head | None:
        """Return the next head, None if it has not arrived yet. Raises Refusal (400, 414, 417, 431, 501, 505)."""
        end = self._buffer.find(_HEAD_END, max(0, self._looked_at - 3))
        if end < 0:
            self._looked_at = len(self._buffer)
            self._check_beginning()
            return None
        text, self._buffer, self._looked_at = self._buffer[: end + 4], self._buffer[end + 4 :], 0
        _check_text(text)
        return self._parsed(text)

    def expect_body(self, body: Body) -> None:
        """Collect what follows the head in ``body``."""
        self._body = body

    def read_body(self) -> bool:
        """Say whether the request is whole. Raises Refusal (400, 413)."""
        head, body = self._head, self._body
        if not self._is_complete and self._buffer and head is not None and body is not None:
            if head.is_chunked:
                self._read_chunks(body)
            else:
                missing = head.length - body.size
                part, self._buffer = self._buffer[:missing], self._buffer[missing:]
                self._parse(part)
        return self._is_complete

    def finished(self) -> bool:
        """Say whether the request has been read to its end."""
        return self._is_complete

    def next_request(self) -> None:
        """Forget the request that was read; the next one begins."""
        self._head = self._body = None
        self._is_complete = False

    def is_over(self) -> bool:
        """Say whether nothing after this request can be read."""
        return self._is_over

    def close(self) -> None:
        """Let go of the parser, which holds this object."""
        del self._parser

    def _read_chunks(self, body: Body) -> None:
        part, self._buffer = self._buffer, b""
        self._raw_bytes += len(part)
        self._parse(part)
        if self._raw_bytes > limits.CHUNK_OVERHEAD_BYTES + limits.CHUNK_OVERHEAD_FACTOR * body.size:
            raise malformed("The chunks hold more framing than content.")

    def _check_beginning(self) -> None:
        """Refuse early what can become no head."""
        text = self._buffer
        if len(text) > limits.HEAD_BYTES:
            _check_uri(text)
            raise _head_too_large()
        # The last byte may be half of a line end.
        if text.count(b"\n") != text.count(b"\r\n"):
            raise malformed("A line ends in LF alone.")

    def _parsed(self, text: bytes) -> Head:
        self._headers, self._url = [], b""
        self._head, self._is_complete, self._raw_bytes = Head(), False, 0
        # Another protocol that is offered is not taken up; the parser would stop reading HTTP there.
        self._parse(_UPGRADE.sub(b"\r\nX-Offered:", text) if b"pgrade:" in text.lower() else text)
        return self._head

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as exc:
            cause = exc.__context__
            if self._is_complete and isinstance(cause, _Pipelined):
                self._is_over = True
                return
            if isinstance(cause, Refusal):
                raise cause from None
            raise malformed("The request is not HTTP/1.1.") from None

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._is_complete:
            raise _Pipelined

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        # Trailers come here too, after the head: they say nothing that is used.
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        head = self._head
        if head is None:
            raise malformed("The request is not HTTP/1.1.")
        _fill(head, self._url, self._headers, self._parser)

    def on_body(self, data: bytes) -> None:
        if self._body is not None:
            self._body.append(data)

    def on_message_complete(self) -> None:
        self._is_complete = True


class _Pipelined(Exception):
    """A further request stands behind a chunked one."""


def _check_text(text: bytes) -> None:
    """Refuse heads that are too large, and line ends and control characters that parsers read differently."""
    if len(text) > limits.HEAD_BYTES:
        _check_uri(text)
        raise _head_too_large()
    lines = text.count(b"\r\n")
    if text.count(b"\n") != lines or text.count(b"\r") != lines or text.translate(None, _PLAIN):
        raise malformed("The head holds a control character, or a line that does not end in CR LF.")
    if b"\r\n " in text or b"\r\n\t" in text:
        raise malformed("A header is continued on a further line.")
    if text[: text.index(b"\r\n")].count(b" ") != 2:
        raise malformed("The first line is not method, target and version with one space between them.")
    if lines - 2 > limits.HEADERS:
        raise Refusal(431, "headers_too_large", f"There are more than {limits.HEADERS} headers.")


def _check_uri(text: bytes) -> None:
    if len(text.partition(b"\r\n")[0]) > limits.URI_BYTES + 64:
        raise Refusal(414, "uri_too_long", f"The address is longer than {limits.URI_BYTES // limits.KIB} KiB.")


def _head_too_large() -> Refusal:
    return Refusal(431, "headers_too_large", f"The headers are larger than {limits.HEAD_BYTES // limits.KIB} KiB.")


def _fill(head: Head, url: bytes, headers: list[tuple[bytes, bytes]], parser: "httptools.HttpRequestParser") -> None:
    """Make a head of what the parser found. Raises Refusal."""
    version = parser.get_http_version()
    if version not in ("1.1", "1.0"):
        raise Refusal(505, "version_not_supported", "Send HTTP/1.1.")
    head.method = parser.get_method().decode()
    if head.method == "CONNECT":
        raise Refusal(501, "not_implemented", "This server is no proxy.")
    head.http_1_0 = version == "1.0"
    head.keep_alive = parser.should_keep_alive()
    head.target = read_target(url)
    _read_headers(head, headers)
    _check_host(head)
    _read_framing(head)
    if head.headers.get(b"expect", b"100-continue").lower() != b"100-continue":
        raise Refusal(417, "expectation_failed", "Only 100-continue can be expected.")


# Twice, they contradict each other or are read as one of the two.
_SINGLE = frozenset({b"host", b"content-length", b"transfer-encoding", b"content-type", b"authorization", b"expect"})


def _read_headers(head: Head, headers: list[tuple[bytes, bytes]]) -> None:
    kept = head.headers
    for name, value in headers:
        name = name.lower()
        if name in kept:
            if name in _SINGLE:
                raise malformed(f"The header {name.decode()} stands there twice.")
            kept[name] += (b"; " if name == b"cookie" else b",") + value
        # With "_" a name would be read as the one with "-", which a proxy in front may have set or removed.
        elif b"_" not in name:
            kept[name] = value


def _check_host(head: Head) -> None:
    host = head.headers.get(b"host")
    if host is None:
        if not head.http_1_0:
            raise malformed("The header Host is missing.")
    else:
        read_host(host)
    if head.target.host is not None:
        head.headers[b"host"] = head.target.host


def _read_framing(head: Head) -> None:
    """Where the body ends. Raises Refusal for every form that two servers could read differently."""
    encoding, length = head.headers.get(b"transfer-encoding"), head.headers.get(b"content-length")
    if encoding is not None:
        if length is not None or head.http_1_0:
            raise malformed(
                "Transfer-Encoding and Content-Length exclude each other, and HTTP/1.0 has no Transfer-Encoding."
            )
        if encoding.lower() != b"chunked":
            raise Refusal(501, "not_implemented", "The only transfer coding taken is chunked.")
        head.is_chunked = True
    elif length is not None:
        if not length.isdigit():
            raise malformed("Content-Length is no number.")
        if len(length) > _LONGEST_LENGTH:
            raise too_large(limits.BODY_BYTES)
        head.length = int(length)
