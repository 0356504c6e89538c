"""CSV files as they come: encodings, separators, headers and rows."""

import codecs
import csv
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from privacy.anonymisation.generalisation import AnonymisationError
from privacy.anonymisation.kanonymity import UnknownColumn, quoted

_SEPARATORS = ",;\t"
_BLOCK = 1 << 20
_UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_ONLY_WINDOWS = re.compile(rb"[\x80-\x9f]")
# Four such characters in a row are no word of Western Europe: Cyrillic, Greek and East Asian texts are full of them.
_NOT_WESTERN = re.compile(rb"[\x80-\x9f\xa1-\xff]{4}|[\x81\x8d\x8f\x90\x9d]")


class UnusableTable(AnonymisationError):
    """Refusal of a file that is not a readable table, or may not be written where asked."""


@dataclass(frozen=True)
class CsvTable:
    """A CSV file with a header: its digest, encoding and dialect, determined once.

    The separator is the one of comma, semicolon and tab that the header holds most of. If each is followed by a space
    there, spaces after separators belong to them.
    """

    path: Path
    sha256: str
    encoding: str
    header: tuple[str, ...]
    separator: str
    spaced: bool

    @classmethod
    def open(cls, path: Path) -> "CsvTable":
        """Inspect the file. Raises UnusableTable for an empty file or a column name used twice."""
        sha256, encoding = sha256_of(path), _encoding_of(path)
        with path.open(encoding=encoding, newline="") as lines:
            line = next(iter(lines), "")
        separator = max(_SEPARATORS, key=line.count)
        spaced = f"{separator} " in line and not re.search(f"{separator}(?! )", line)
        with path.open(encoding=encoding, newline="") as lines:
            header = _header(csv.reader(lines, delimiter=separator, skipinitialspace=spaced))
        if not header or len(set(header)) != len(header):
            raise UnusableTable(f"'{path.name}' needs a header line in which every column has its own name.")
        return cls(path, sha256, encoding, header, separator, spaced)

    def require(self, names: Iterable[str]) -> None:
        """Raise UnknownColumn, listing the columns that exist, unless all ``names`` do."""
        absent = [name for name in names if name not in self.header]
        if absent:
            raise UnknownColumn(f"No column {quoted(absent)}; '{self.path.name}' has {quoted(self.header)}.")

    def rows(self) -> Iterator[list[str]]:
        """Yield the cells of each row after the header; blank lines are skipped.

        Raises UnusableTable, with the line number only, for a row of another length or a broken cell.
        """
        with self.path.open(encoding=self.encoding, newline="") as lines:
            reader = csv.reader(lines, delimiter=self.separator, skipinitialspace=self.spaced, strict=True)
            try:
                next(reader)
                for row in filter(None, reader):
                    if len(row) != len(self.header):
                        raise UnusableTable(
                            f"Line {reader.line_num} has {len(row)} cells instead of {len(self.header)}."
                        )
                    yield row
            except csv.Error as exc:
                raise UnusableTable(f"Line {reader.line_num} is not CSV: {exc}.") from exc

    def columns(self, names: Sequence[str]) -> dict[str, list[str]]:
        """Read the named columns, stripped of surrounding spaces; equal cells share one text."""
        places = [self.header.index(name) for name in names]
        cells: list[list[str]] = [[] for _ in names]
        texts: dict[str, str] = {}
        for row in self.rows():
            for column, place in zip(cells, places, strict=True):
                text = row[place].strip()
                column.append(texts.setdefault(text, text))
        return dict(zip(names, cells, strict=True))


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _header(rows: Iterator[list[str]]) -> tuple[str, ...]:
    try:
        return tuple(cell.strip() for cell in next(rows, []))
    except csv.Error as exc:
        raise UnusableTable(f"The header is not CSV: {exc}.") from exc


def _encoding_of(path: Path) -> str:
    """Return the encoding: UTF-8, UTF-16 with its byte order mark, or Western European. Raises UnusableTable.

    Every byte means something in an 8-bit encoding, so what cannot be Western European has to be noticed by its text.
    """
    with path.open("rb") as content:
        start = content.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _proven(path, "utf-32" if start in _UTF_32 else "utf-16")
    with path.open("rb") as content:
        parts = list(iter(lambda: content.read(_BLOCK), b""))
    if any(b"\0" in part for part in parts):
        raise _unreadable(path)
    try:
        return _proven(path, "utf-8-sig")
    except UnusableTable:
        if any(_NOT_WESTERN.search(part) for part in parts):
            raise
    return _proven(path, "cp1252" if any(_ONLY_WINDOWS.search(part) for part in parts) else "latin-1")


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
