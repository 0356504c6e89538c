"""What the bytes of a CSV file say: digest, encoding, and whether its quotes and line ends are plain."""

import codecs
import hashlib
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from privacy.anonymisation.errors import UnusableTable

_BLOCK = 1 << 22
_UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_ONLY_WINDOWS = re.compile(rb"[\x80-\x9f]")
# Four such characters in a row are no word of Western Europe: Cyrillic, Greek and East Asian texts are full of them.
_NOT_WESTERN = re.compile(rb"[\x80-\x9f\xa1-\xff]{4}|[\x81\x8d\x8f\x90\x9d]")
_LONE_RETURN = re.compile(rb"\r[^\n]")


@dataclass(frozen=True)
class Inspection:
    """Digest and encoding of a file, and whether every carriage return belongs to a line feed."""

    path: Path
    sha256: str
    encoding: str
    has_quotes: bool
    has_lone_returns: bool

    def is_plain(self, separator: str) -> bool:
        """Return whether all readers agree on its cells.

        Each opening quote follows a separator or a line end and each closing one comes before such; ASCII signs are
        single bytes.
        """
        if self.has_lone_returns or self.encoding.startswith("utf-16") or self.encoding.startswith("utf-32"):
            return False
        return not self.has_quotes or _quotes_match(self.path, separator)


def inspect(path: Path) -> Inspection:
    """Read the file once. Raises UnusableTable for an encoding that cannot be known.

    It is UTF-8, UTF-16 with its byte order mark, or Western European. Every byte means something in an 8-bit encoding,
    so what cannot be Western European has to be noticed by its text.
    """
    with path.open("rb") as content:
        start = content.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        wide = "utf-32" if start in _UTF_32 else "utf-16"
        return Inspection(path, sha256_of(path), _proven(path, wide), has_quotes=True, has_lone_returns=True)
    digest, seen, utf_8 = hashlib.sha256(), _Seen(), codecs.getincrementaldecoder("utf-8")()
    is_utf_8 = True
    for part in _parts(path):
        digest.update(part)
        seen.take(part)
        if (is_utf_8 and not part.isascii()) or utf_8.getstate()[0]:
            is_utf_8 = is_utf_8 and _decodes(utf_8, part)
    is_utf_8 = is_utf_8 and _decodes(utf_8, b"", final=True)
    if seen.nul or (seen.not_western and not is_utf_8):
        raise _unreadable(path)
    western = "cp1252" if seen.only_windows else "latin-1"
    encoding = "utf-8-sig" if is_utf_8 else western
    return Inspection(path, digest.hexdigest(), encoding, seen.quotes, seen.lone_returns or seen.ends_in_return)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


class _Seen:
    """What occurs anywhere in a file."""

    def __init__(self) -> None:
        self.nul = self.not_western = self.only_windows = self.quotes = self.lone_returns = False
        self._end = b""

    def take(self, part: bytes) -> None:
        self.nul = self.nul or b"\0" in part
        self.quotes = self.quotes or b'"' in part
        whole = self._end + part
        if b"\r" in whole:
            self.lone_returns = self.lone_returns or bool(_LONE_RETURN.search(whole))
        if not whole.isascii():
            self.not_western = self.not_western or bool(_NOT_WESTERN.search(whole))
            self.only_windows = self.only_windows or bool(_ONLY_WINDOWS.search(whole))
        self._end = whole[-3:]

    @property
    def ends_in_return(self) -> bool:
        return self._end.endswith(b"\r")


def _parts(path: Path) -> Iterator[bytes]:
    with path.open("rb") as content:
        yield from iter(lambda: content.read(_BLOCK), b"")


def _decodes(decoder: codecs.IncrementalDecoder, part: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(part, final)
    except UnicodeDecodeError:
        return False
    return True


def _quotes_match(path: Path, separator: str) -> bool:
    """Return whether the quotes of a file open and close whole cells; two in a row within a cell stand for one."""
    import numpy as np

    borders = np.zeros(256, dtype=bool)
    borders[[ord(separator), ord("\r"), ord("\n"), ord('"')]] = True
    is_open, before = False, b"\n"
    for part in itertools.chain(_parts(path), [b"\n"]):
        # A quote needs the byte before it and the one after it: the last byte is judged with the next part.
        data = np.frombuffer(before + part, dtype=np.uint8)
        quotes = np.flatnonzero(data[1:-1] == ord('"')) + 1
        opens = (np.arange(len(quotes)) % 2 == 0) ^ is_open
        if not borders[data[quotes[opens] - 1]].all() or not borders[data[quotes[~opens] + 1]].all():
            return False
        is_open ^= bool(len(quotes) % 2)
        before = bytes(data[-2:])
    return not is_open


def _proven(path: Path, encoding: str) -> str:
    try:
        with path.open(encoding=encoding) as lines:
            for _ in lines:
                pass
    except UnicodeError:
        raise _unreadable(path) from None
    return encoding


def _unreadable(path: Path) -> UnusableTable:
    return UnusableTable(
        f"'{path.name}' is neither UTF-8, UTF-16 nor Western European (Windows-1252, Latin-1): save it as UTF-8."
    )
