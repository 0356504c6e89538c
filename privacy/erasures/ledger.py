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
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from common.canonical import digest_of

Line = dict[str, Any]
NAME = "ledger.jsonl"
_FIRST = "0" * 64


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
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.touch(mode=0o600, exist_ok=False)
        file.write_text(secrets.token_hex(32), encoding="ascii")
    return bytes.fromhex(file.read_text(encoding="ascii"))


def read() -> list[Line]:
    """Return the lines of the longer of the two files, checked. Raises LedgerBroken."""
    return max((list(checked(file)) for file in _files()), key=len, default=[])


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
    for text in file.read_text(encoding="utf-8").split("\n")[:-1]:
        line = _parsed(text, seq + 1)
        said = {name: value for name, value in line.items() if name != "digest"}
        if (line.get("seq"), line.get("previous")) != (seq + 1, previous) or digest_of(said).hex() != line["digest"]:
            raise LedgerBroken(f"Line {seq + 1} of {file} does not follow from the line before it.")
        previous, seq = line["digest"], seq + 1
        yield line


def _parsed(text: str, number: int) -> Line:
    try:
        line = json.loads(text)
    except ValueError:
        line = None
    if not isinstance(line, dict) or "digest" not in line:
        raise LedgerBroken(f"Line {number} of the erasure ledger cannot be read.")
    return line


def append(entries: Sequence[Mapping[str, Any]]) -> None:
    """Add lines to both files and flush them to disk. Raises LedgerBroken."""
    if not entries:
        return
    with _locked():
        lines = read()
        previous, seq = (lines[-1]["digest"], len(lines)) if lines else (_FIRST, 0)
        new = []
        for entry in entries:
            seq += 1
            line = {"seq": seq, "at": timezone.now().isoformat(), **entry, "previous": previous}
            previous = digest_of(line).hex()
            new.append({**line, "digest": previous})
        for file in filter(None, (path(), copy_path())):
            _write(file, lines, new)


def _write(file: Path, lines: Sequence[Line], new: Iterable[Line]) -> None:
    """Bring a file up to ``lines``, where it lost some, and add the new ones."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    present = len(list(checked(file))) if file.exists() else 0
    with file.open("a+b") as target:
        _cut_unfinished(target)
        for line in (*lines[present:], *new):
            target.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        target.flush()
        os.fsync(target.fileno())


def _cut_unfinished(target: Any) -> None:
    target.seek(0)
    content = target.read()
    end = content.rfind(b"\n") + 1
    if end < len(content):
        target.truncate(end)


@contextmanager
def _locked() -> Iterator[None]:
    path().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (path().parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
