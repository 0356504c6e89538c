"""Requests as attackers form them: valid ones out of parts, one or two after another, and bytes changed in them."""

import random
from collections.abc import Iterator

_METHODS = (b"GET", b"POST", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"get", b"PO ST", b"P\tOST", b"QUERY", b"A" * 70)
_TARGETS = (
    b"/",
    b"/a?b=c",
    b"/%41%zz",
    b"http://h/a",
    b"//h/a",
    b"*",
    b"/a b",
    b"/\x00",
    b"/\xc3\xa9",
    b"/#f",
    b"h:1",
    b"",
)
_VERSIONS = (b"HTTP/1.1",) * 8 + (b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/1.1 ", b"http/1.1", b"HTTP/11", b"")
_ENDS = (b"\r\n",) * 12 + (b"\n", b"\r", b"\r\r\n", b"\r\n ", b"\r\n\t", b" \r\n", b"\0\r\n")
_LENGTHS = (
    b"3",
    b"3",
    b"3",
    b"0",
    b"5",
    b"03",
    b"+3",
    b"-3",
    b"3 ",
    b" 3",
    b"3,3",
    b"3, 4",
    b"0x3",
    b"3\x0b",
    b"",
    b"3;a",
    b"1e1",
    b"99999999999999999999",
    b"18446744073709551619",
    b"\xb2",
    b"3\t",
)
_CODINGS = (
    b"chunked",
    b"chunked",
    b"Chunked",
    b"chunked ",
    b" chunked",
    b"chunked,",
    b",chunked",
    b"chunked, chunked",
    b"identity",
    b"gzip, chunked",
    b"chunked, gzip",
    b"xchunked",
    b"chunked;q=1",
    b"\x0bchunked",
    b'"chunked"',
    b"",
)
_NAMES = (
    (b"Content-Length", _LENGTHS),
    (b"Content-Length", _LENGTHS),
    (b"Transfer-Encoding", _CODINGS),
    (b"Content_Length", _LENGTHS),
    (b"Content-Length ", _LENGTHS),
    (b" Content-Length", _LENGTHS),
    (b"Transfer-Encoding ", _CODINGS),
    (b"Transfer_Encoding", _CODINGS),
    (b"X-A", (b"b", b"b\0c", b"b\x7f", b"\xff", b"")),
    (b"Connection", (b"close", b"keep-alive", b"upgrade", b"x")),
    (b"Upgrade", (b"h2c", b"websocket")),
    (b"X-\xe9", (b"b",)),
    (b"", (b"b",)),
    (b"X A", (b"b",)),
    (b"Host", (b"h", b"a@b", b"a, b")),
    (b"Expect", (b"100-continue", b"x")),
)
_BODIES = (b"", b"abc", b"abcde", b"GET /in HTTP/1.1\r\nHost: h\r\n\r\n")
_SIZES = (
    b"3",
    b"3",
    b"3",
    b"03",
    b"+3",
    b"3 ",
    b" 3",
    b"3;x=y",
    b"3;x=\ny",
    b"3 ;x",
    b"0x3",
    b"g",
    b"",
    b"3\x00",
    b"ffffffffffffffff3",
)
_CHUNK_ENDS = (b"\r\n",) * 8 + (b"\n", b"\r", b"", b"\r\n\r\n")
_LAST = (b"0\r\n\r\n",) * 6 + (
    b"0\r\nX: y\r\n\r\n",
    b"0\n\n",
    b"0\r\n",
    b"00\r\n\r\n",
    b"0;a\r\n\r\n",
    b"0\r\nContent-Length: 9\r\n\r\n",
)
_BYTES = b"\0\t\n\r :;,+-0139aZ_\x0b\x7f\x80\xff"


def forms(seed: int, count: int) -> Iterator[bytes]:
    """Yield ``count`` inputs; the same for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        data = b"".join(_message(chance) for _ in range(chance.choice((1, 1, 2))))
        for _ in range(chance.choice((0, 0, 0, 1, 2))):
            data = _changed(chance, data)
        yield data


def _message(chance: random.Random) -> bytes:
    plain = chance.random() < 0.6  # or nearly everything would be refused for its first line
    line = b" ".join(
        (
            chance.choice(_METHODS[:6] if plain else _METHODS),
            chance.choice(_TARGETS[:2] if plain else _TARGETS),
            b"HTTP/1.1" if plain else chance.choice(_VERSIONS),
        )
    )
    headers = [] if chance.random() < 0.03 else [b"Host: h"]
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        name, values = chance.choice(_NAMES[:3] if chance.random() < 0.7 else _NAMES)
        headers.append(name + chance.choice((b": ", b": ", b": ", b":", b":\t")) + chance.choice(values))
    chance.shuffle(headers)
    end = b"\r\n"
    head = b"".join(part + (end if plain else chance.choice(_ENDS)) for part in (line, *headers))
    return head + (end if plain else chance.choice(_ENDS)) + _content(chance, head)


def _content(chance: random.Random, head: bytes) -> bytes:
    if b"chunked" not in head.lower():
        return chance.choice(_BODIES)
    chunks = (
        chance.choice(_SIZES) + chance.choice(_CHUNK_ENDS) + b"abc" + chance.choice(_CHUNK_ENDS)
        for _ in range(chance.choice((0, 1, 1, 2)))
    )
    return b"".join(chunks) + chance.choice(_LAST)


def _changed(chance: random.Random, data: bytes) -> bytes:
    place = chance.randrange(len(data) + 1)
    byte = bytes([chance.choice(_BYTES)])
    return data[:place] + chance.choice((byte, b"")) + data[place + chance.choice((0, 1)) :]
