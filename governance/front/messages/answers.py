"""Answers: what an application returned, held whole, and the bytes of its head."""

import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import IO, Any

from governance.front import limits

Headers = list[tuple[str, str]]
Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
_REASONS = {int(status): status.phrase for status in HTTPStatus}
_NO_BODY = frozenset({204, 304})
_UNSAFE = frozenset("\r\n\0")
# A connection is the front's business, not the application's.
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "date", "content-length"})


@dataclass(slots=True)
class Answer:
    """A whole answer; a long body is in a temporary file, of ``length`` bytes."""

    status: int
    headers: Headers
    body: bytes = b""
    file: IO[bytes] | None = None
    length: int | None = None
    """What Content-Length says; None: as long as the body."""
    own_code: str | None = None
    """Problem code of an answer of the front itself, empty where it is no problem; None: the application's answer."""

    def close(self) -> None:
        """Drop what is held on disk."""
        if self.file is not None:
            self.file.close()

    def size(self) -> int:
        """Return how many bytes the body has."""
        return len(self.body) if self.length is None else self.length

    def head(self, *, keep_alive: bool, http_1_0: bool) -> bytes:
        """Return status line and headers."""
        lines = [f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Unknown')}\r\n{_date_line()}"]
        lines += [f"{name}: {value}\r\n" for name, value in self.headers]
        if self.status not in _NO_BODY:
            lines.append(f"Content-Length: {self.size()}\r\n")
        if not keep_alive:
            lines.append("Connection: close\r\n\r\n")
        else:
            lines.append("Connection: keep-alive\r\n\r\n" if http_1_0 else "\r\n")
        return "".join(lines).encode("latin-1")


class Started:
    """``start_response``, and the answer once its body is there."""

    __slots__ = ("headers", "status")

    def __init__(self) -> None:
        self.status = 0
        self.headers: Headers = []

    def __call__(self, status: str, headers: Headers, _failure: object = None) -> None:
        self.status, self.headers = int(status[:3]), headers

    def whole(self, result: Iterable[bytes], environ: Environ) -> Answer:
        """Return the whole answer; nothing of it has left yet."""
        if type(result) is list:
            answer = Answer(self.status, self.headers, b"".join(result))
        else:
            answer = _collected(result, self)
        answer.headers = _own_headers(answer, environ)
        return answer


def call(application: Application, environ: Environ) -> Answer:
    """Return the application's whole answer, or raise what it raised; nothing of it has left by then."""
    started = Started()
    result = application(environ, started)
    try:
        return started.whole(result, environ)
    finally:
        close = getattr(result, "close", None)
        if close is not None:
            close()


def _own_headers(answer: Answer, environ: Environ) -> Headers:
    kept: Headers = []
    for name, value in answer.headers:
        lower = name.lower()
        if lower == "content-length" and environ["REQUEST_METHOD"] == "HEAD" and value.isdecimal():
            answer.length = int(value)
        if lower in _HOP_BY_HOP:
            continue
        if not _UNSAFE.isdisjoint(name) or not _UNSAFE.isdisjoint(value):
            raise ValueError("A header of the answer holds a line break.")
        kept.append((name, value))
    return kept


def _collected(chunks: Iterable[bytes], started: Started) -> Answer:
    """Take a streamed answer whole: in memory, and above a limit in a file, so that no thread waits for its reader."""
    parts: list[bytes] = []
    size, file = 0, None
    try:
        for chunk in chunks:
            size += len(chunk)
            if file is None and size > limits.ANSWER_MEMORY_BYTES:
                file = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the answer)
                file.writelines(parts)
                parts.clear()
            if file is None:
                parts.append(chunk)
            else:
                file.write(chunk)
        if file is not None:
            file.seek(0)
    except BaseException:
        if file is not None:
            file.close()
        raise
    return Answer(started.status, started.headers, b"".join(parts), file, size)


_second, _line = 0, ""


def _date_line() -> str:
    global _second, _line
    now = int(time.time())
    if now != _second:
        _line = f"Date: {formatdate(now, usegmt=True)}\r\n"
        _second = now
    return _line
