"""Write a log as a file, line by line: CSV for a spreadsheet, or JSON lines signed as a whole. Memory is flat.

A file ends at ``MAX_BYTES``: the server holds an answer whole before any of it leaves. The last line says so, and where
the next file goes on; a command writes all of it at once.
"""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from audit import signing
from common.spreadsheet import safe_cell

MAX_BYTES = 128 * 2**20
_CHUNK = 64 * 1024
Line = tuple[str, Any]  # the place of an entry, from which a later file can go on, and its content


@dataclass
class Written:
    """What has been written: the lines, and after the last of them whether that was all, and the file's digest."""

    max_bytes: int | None = MAX_BYTES
    lines: int = 0
    is_complete: bool = True
    goes_on_after: str = ""
    size: int = 0
    _sha256: Any = field(default_factory=hashlib.sha256)

    @property
    def sha256(self) -> str:
        return str(self._sha256.hexdigest())

    @property
    def has_room(self) -> bool:
        return self.max_bytes is None or self.size < self.max_bytes

    def add(self, content: bytes) -> bytes:
        """Count what is part of the file, and return it."""
        self._sha256.update(content)
        self.size += len(content)
        return content


def _fitting(lines: Iterable[Line], written: Written) -> Iterator[Any]:
    """Yield the content of lines while there is room, and note where they end."""
    for place, content in lines:
        if not written.has_room:
            written.is_complete = False
            return
        yield content
        written.lines, written.goes_on_after = written.lines + 1, place


def as_csv(columns: Sequence[str], lines: Iterable[Line], written: Written) -> Iterator[bytes]:
    """Yield a CSV file; no cell of it is a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    for cells in _fitting(lines, written):
        writer.writerow([safe_cell(cell) if isinstance(cell, str) else cell for cell in cells])
        if text.tell() >= _CHUNK:
            yield _taken(text, written)
    if not written.is_complete:
        writer.writerow([f"NOT ALL: {written.lines} lines are here. {how_to_go_on(written)}"])
    yield _taken(text, written)


def _taken(text: io.StringIO, written: Written) -> bytes:
    content = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return written.add(content)


def how_to_go_on(written: Written) -> str:
    """Return how to have what a file left out."""
    return f"The next file is at the same address with &after={written.goes_on_after}; export_log writes all of it."


_in_head: list[Callable[[], dict[str, Any]]] = []


def add_to_head(*members: Callable[[], dict[str, Any]]) -> None:
    """Register functions that return what the packages above say in the head of JSON lines."""
    _in_head.extend(each for each in members if each not in _in_head)


def as_signed_lines(
    head: dict[str, Any], lines: Iterable[Line], written: Written, *, typ: str, heads: dict[str, Any]
) -> Iterator[bytes]:
    """Yield JSON lines: what the file is, each entry, and a signature over all of that with the newest ``heads``."""
    begun = {**head, "exported_at": timezone.now().isoformat(timespec="seconds")}
    for members in _in_head:
        begun |= members()
    waiting = [written.add(line(begun))]
    size = len(waiting[0])
    for entry in _fitting(lines, written):
        waiting.append(written.add(line(entry)))
        size += len(waiting[-1])
        if size >= _CHUNK:
            yield b"".join(waiting)
            waiting, size = [], 0
    manifest = {
        "format": head["format"],
        "sha256": written.sha256,
        "lines": written.lines,
        "is_complete": written.is_complete,
        "goes_on_after": "" if written.is_complete else written.goes_on_after,
        **heads,
    }
    token = signing.sign(json.dumps(manifest, sort_keys=True).encode(), typ=typ)
    yield b"".join([*waiting, written.add(line({"jws": token}))])


def line(entry: Any) -> bytes:
    """Return a line of JSON."""
    return json.dumps(entry, ensure_ascii=False).encode() + b"\n"
