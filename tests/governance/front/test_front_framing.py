"""Requests that two parsers could read differently: refused, the connection ended, and no application asked."""

import pytest

from governance.front import limits
from tests.helpers.front_server import Client, Echo, request, serving

_POST = "POST / HTTP/1.1\r\nHost: a\r\n"
MALFORMED = {
    "length and chunked": _POST + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and length": _POST + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "transfer encoding twice": _POST + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked is not last": _POST + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "lengths that differ": _POST + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "lengths that agree": _POST + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "list of lengths": _POST + "Content-Length: 3, 3\r\n\r\nabc",
    "signed length": _POST + "Content-Length: +3\r\n\r\nabc",
    "hexadecimal length": _POST + "Content-Length: 0x3\r\n\r\nabc",
    "empty length": _POST + "Content-Length: \r\n\r\n",
    "length of twenty digits": _POST + "Content-Length: 99999999999999999999\r\n\r\n",
    "continued header": _POST + "X-A: b\r\n c\r\n\r\n",
    "space before the colon": _POST + "Content-Length : 3\r\n\r\nabc",
    "header without a name": _POST + ": b\r\n\r\n",
    "header without a colon": _POST + "abc\r\n\r\n",
    "NUL in a value": _POST + "X-A: b\0c\r\n\r\n",
    "control character in a value": _POST + "X-A: b\x01c\r\n\r\n",
    "bare LF": "GET / HTTP/1.1\nHost: a\n\n",
    "bare LF between headers": "GET / HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n",
    "bare CR": _POST + "X-A: b\rX-B: c\r\n\r\n",
    "chunk size that is none": _POST + "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    "signed chunk size": _POST + "Transfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n",
    "chunk that ends late": _POST + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
    "chunk line with bare LF": _POST + "Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n",
    "no host": "GET / HTTP/1.1\r\n\r\n",
    "two hosts": "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "host with user info": "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
    "absolute URI with user info": "GET http://a@b/ HTTP/1.1\r\nHost: b\r\n\r\n",
    "absolute URI of another scheme": "GET ftp://b/ HTTP/1.1\r\nHost: b\r\n\r\n",
    "fragment": "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    "asterisk": "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "space in the target": "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "bytes above ASCII in the target": "GET /\u00e9 HTTP/1.1\r\nHost: a\r\n\r\n",
    "line end before the first line": "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "no version": "GET /\r\nHost: a\r\n\r\n",
    "two spaces in the first line": "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "unknown method": "BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
    "two credentials": "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n",
}
OTHERS = {
    "another version": (505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
    "unknown transfer coding": (501, _POST + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "tunnel": (501, "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
    "expectation that is none": (417, _POST + "Expect: magic\r\nContent-Length: 3\r\n\r\n"),
    "too many headers": (431, "GET / HTTP/1.1\r\nHost: a\r\n" + "X: y\r\n" * limits.HEADERS + "\r\n"),
    "too large headers": (431, f"GET / HTTP/1.1\r\nHost: a\r\nX: {'y' * limits.HEAD_BYTES}\r\n\r\n"),
    "headers without an end": (431, f"GET / HTTP/1.1\r\nHost: a\r\nX: {'y' * 2 * limits.HEAD_BYTES}"),
    "too long address": (414, f"GET /{'a' * limits.URI_BYTES} HTTP/1.1\r\nHost: a\r\n\r\n"),
    "address without an end": (414, f"GET /{'a' * 2 * limits.HEAD_BYTES}"),
}


@pytest.fixture
def application():
    return Echo()


@pytest.fixture
def address(application):
    with serving(application) as address:
        yield address


@pytest.mark.parametrize("name", MALFORMED)
def test_ambiguous_request_is_refused(address, application, name):
    answered_second = _refused(address, 400, MALFORMED[name])

    assert not answered_second
    assert application.paths == []


@pytest.mark.parametrize("name", OTHERS)
def test_request_beyond_a_limit_is_refused(address, application, name):
    status, text = OTHERS[name]

    assert not _refused(address, status, text)
    assert application.paths == []


def _refused(address, status: int, text: str) -> bool:
    """Whether anything was answered after the refusal."""
    with Client(address, text.encode("latin-1") + request("/second")) as client:
        answer = client.response()
        assert answer.status == status, answer
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["connection"] == "close"
        return not client.is_ended()


def test_hundred_headers_and_long_addresses_are_taken(address, application):
    path = f"/{'a' * (limits.URI_BYTES - 1)}"
    with Client(address, request(path, *["X: y"] * (limits.HEADERS - 1))) as client:
        assert client.response().status == 200

    assert application.paths == [path]


def test_chunks_of_nothing_but_framing_are_refused(address):
    with Client(address, request("/", "Transfer-Encoding: chunked", method="POST")) as client:
        client.send((b"1;" + b"x" * 4_000 + b"\r\na\r\n") * 8)

        assert client.response().status == 400
