"""The erasure ledger: a file of chained lines in the home, and the same lines in one configured place.

It lives in no dump of the database. A line names its person by a keyed hash, so without the key among the home's
secrets it says nothing about anyone. Lines are flushed to disk before ``append`` returns.
"""

import fcntl
import hmac
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from common.canonical import digest_of

Line = dict[str, Any]
NAME = "ledger.jsonl"
_FIRST = "0" * 64
_TAIL = 16 * 1024
_LINES_OF_TAIL = 2  # the end of the last line, and of the one before


class LedgerBroken(Exception):
    """Refusal of a ledger whose lines do not follow from each other; the text says which."""


class LedgerMissing(Exception):
    """Refusal to go on without a ledger that was there."""


def path() -> Path:
    """Return the ledger in the home."""
    return Path(settings.ASSENT_HOME) / "erasures" / NAME


def copy_path() -> Path | None:
    """Return the configured second place, or None."""
    return settings.ERASURE_LEDGER_COPY


def marker() -> Callable[[UUID], str]:
    """Return the function that makes of a pseudonym the keyed hash that stands for its person."""
    key = _key()
    return lambda ref: hmac.digest(key, ref.bytes, "sha256").hex()


def _key() -> bytes:
    file = Path(settings.ASSENT_HOME) / "secrets" / "erasure_key"
    if not file.exists():
        if path().exists():
            raise LedgerMissing(f"The key of the erasure ledger, {file}, is missing: put it back from your safe.")
        _make_key(file)
    return bytes.fromhex(file.read_text(encoding="ascii"))


def _make_key(file: Path) -> None:
    """Make the key whole or not at all: of two processes that need the first one, both use the same."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as target:
        target.write(secrets.token_hex(32))
        target.flush()
        os.fsync(target.fileno())
    with suppress(FileExistsError):
        os.link(partial, file)
    partial.unlink()


def lines() -> Iterator[Line]:
    """Yield the lines of the longer of the two files, checked, one in memory at a time. Raises LedgerBroken."""
    if files := _files():
        yield from checked(max(files, key=_length))


def read() -> list[Line]:
    """Return all lines, checked. Raises LedgerBroken."""
    return list(lines())


def last() -> Line | None:
    """Return the last line, by the ends of the files alone. Raises LedgerBroken."""
    return max((end for file in _files() if (end := _last(file))), key=lambda line: int(line["seq"]), default=None)


def _length(file: Path) -> int:
    end = _last(file)
    return int(end["seq"]) if end else 0


def _files() -> list[Path]:
    return [file for file in (path(), copy_path()) if file is not None and file.exists()]


def exists() -> bool:
    """Return whether the ledger is in one of its places."""
    return bool(_files())


def checked(file: Path) -> Iterator[Line]:
    """Yield the lines of a file, each following from the one before it; an unfinished last line was never promised.

    Raises LedgerBroken.
    """
    previous, seq = _FIRST, 0
    for text in _finished(file):
        line = _parsed(text, seq + 1)
        said = {name: value for name, value in line.items() if name != "digest"}
        if (line.get("seq"), line.get("previous")) != (seq + 1, previous) or digest_of(said).hex() != line["digest"]:
            raise LedgerBroken(f"Line {seq + 1} of {file} does not follow from the line before it.")
        previous, seq = line["digest"], seq + 1
        yield line


def _finished(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8", newline="\n") as source:
        for text in source:
            if text.endswith("\n"):
                yield text[:-1]


def _parsed(text: str, number: int) -> Line:
    try:
        line = json.loads(text)
    except ValueError:
        line = None
    if not isinstance(line, dict) or "digest" not in line:
        raise LedgerBroken(f"Line {number} of the erasure ledger cannot be read.")
    return line


def append(entries: Sequence[Mapping[str, Any]]) -> list[Line]:
    """Add lines to both files, flush them to disk and return them as they stand there. Raises LedgerBroken."""
    if not entries:
        return []
    with _locked():
        last = _catch_up()
        previous, seq = (last["digest"], last["seq"]) if last else (_FIRST, 0)
        new = []
        for entry in entries:
            seq += 1
            line = {"seq": seq, "at": timezone.now().isoformat(), **entry, "previous": previous}
            previous = digest_of(line).hex()
            new.append({**line, "digest": previous})
        for file in _places():
            _write(file, new)
        return new


def _places() -> list[Path]:
    return [file for file in (path(), copy_path()) if file is not None]


def _catch_up() -> Line | None:
    """Return the last line, after both files hold the same; only where they do not, they are read as a whole.

    Raises LedgerBroken.
    """
    ends = [_last(file) for file in _places()]
    if all(end == ends[0] for end in ends):
        return ends[0]
    lines = read()
    for file in _places():
        present = len(list(checked(file))) if file.exists() else 0
        _write(file, lines[present:])
    return lines[-1]


def _last(file: Path) -> Line | None:
    """Return the last finished line of a file, by its end alone: what an append costs does not grow with the ledger."""
    if not file.exists():
        return None
    with file.open("rb") as source:
        size = source.seek(0, os.SEEK_END)
        taken, tail = 0, b""
        while taken < size and tail.count(b"\n") < _LINES_OF_TAIL:
            taken = min(size, taken + _TAIL)
            source.seek(size - taken)
            tail = source.read(taken)
    finished = tail.split(b"\n")[:-1]
    if not finished:
        return None
    try:
        line: Line = json.loads(finished[-1])
        is_whole = digest_of({name: value for name, value in line.items() if name != "digest"}).hex() == line["digest"]
    except (ValueError, KeyError, TypeError, AttributeError):
        is_whole = False
    return line if is_whole else list(checked(file))[-1]  # which says what is wrong


def _write(file: Path, new: Iterable[Line]) -> None:
    """Add lines behind the last finished one and flush them to disk."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with file.open("a+b") as target:
        _cut_unfinished(target)
        for line in new:
            target.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        target.flush()
        os.fsync(target.fileno())


def _cut_unfinished(target: Any) -> None:
    """Cut what follows the last end of a line: it was never promised."""
    end = target.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - _TAIL)
        target.seek(start)
        found = target.read(end - start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    target.truncate(end)


@contextmanager
def _locked() -> Iterator[None]:
    path().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (path().parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
