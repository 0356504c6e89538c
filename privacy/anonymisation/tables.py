"""k-anonymous copies of CSV files, for the ``anonymise`` command.

The source is read row by row, once for the quasi-identifiers and once to write the copy. Memory grows with
the number of rows times the number of quasi-identifiers, not with the width of the file.
"""

import csv
import hashlib
import json
import logging
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from privacy.anonymisation.generalisation import MISSING, AnonymisationError, Column, Hierarchy
from privacy.anonymisation.kanonymity import AnonymisationReport, Anonymised, UnknownColumn, anonymise, quoted

logger = logging.getLogger(__name__)

# A leading zero ("01234") marks a code, not a quantity; "nan" and "inf" are numbers here, and refused later.
_NUMBER = re.compile(r"[+-]?((0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?|nan|inf|infinity)", re.IGNORECASE | re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_MISSING_CELLS = frozenset({"", MISSING})


class UnusableTable(AnonymisationError):
    """Refusal of a file that is not a readable table, or may not be written where asked."""


@dataclass(frozen=True)
class FileReport:
    """Report on an anonymised file, also written next to the target as ``<target>.report.json``.

    ``passed_through`` columns are copied unchanged: a name or a number that points to one person still does.
    """

    source_sha256: str
    target_sha256: str
    encoding: str
    quasi_identifiers: tuple[str, ...]
    sensitive: str | None
    passed_through: tuple[str, ...]
    dropped: tuple[str, ...]
    warnings: tuple[str, ...]
    result: AnonymisationReport


def anonymise_file(
    source: Path,
    target: Path,
    quasi_identifiers: Sequence[str],
    k: int,
    hierarchies: Path | None = None,
    *,
    sensitive: str | None = None,
    l: int = 1,  # noqa: E741 - the literature's name
    drop: Sequence[str] = (),
) -> FileReport:
    """Write a k-anonymous copy of the CSV file ``source`` to ``target`` and a report next to it.

    ``hierarchies`` is a folder of ``<column>.csv`` files (see ``Hierarchy.read``); columns without one become
    ranges or sets. Columns in ``drop`` are left out, all others are copied cell by cell. UTF-8 is tried
    first, then Latin-1; the copy is UTF-8. An existing target is replaced in one step, once all succeeded.

    Raises AnonymisationError (or a subclass of it) for what the caller can mend, OSError otherwise; a target that was
    there before then keeps its content.
    """
    report_file = target.with_name(f"{target.name}.report.json")
    if source.resolve() in (target.resolve(), report_file.resolve()):
        raise UnusableTable("The source must not be overwritten by its copy: choose another target.")
    table = CsvTable.open(source)
    table.require([*quasi_identifiers, *drop, *([] if sensitive is None else [sensitive])])
    if set(drop) & {*quasi_identifiers, sensitive}:
        raise UnusableTable("A dropped column cannot be a quasi-identifier or the sensitive column.")
    result = _anonymised(table, quasi_identifiers, k=k, hierarchies=hierarchies, sensitive=sensitive, least=l)
    with _replacing(report_file) as report, _replacing(target) as copy:
        _write_copy(table, copy, result.columns, drop)
        outcome = _file_report(table, copy, quasi_identifiers, sensitive, drop, result.report)
        report.write_text(json.dumps(asdict(outcome), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for warning in outcome.warnings:
        logger.warning("%s", warning)
    return outcome


@dataclass(frozen=True)
class CsvTable:
    """A CSV file with a header: its digest, encoding and dialect, determined once.

    If every comma of the header is followed by a space, spaces after commas belong to the separator.
    """

    path: Path
    sha256: str
    encoding: str
    header: tuple[str, ...]
    spaced: bool

    @classmethod
    def open(cls, path: Path) -> "CsvTable":
        """Inspect the file. Raises UnusableTable for an empty file or a column name used twice."""
        sha256, encoding = sha256_of(path), _encoding_of(path)
        with path.open(encoding=encoding, newline="") as lines:
            line = next(iter(lines), "")
        spaced = ", " in line and not re.search(r",(?! )", line)
        with path.open(encoding=encoding, newline="") as lines:
            header = _header(csv.reader(lines, skipinitialspace=spaced))
        if not header or len(set(header)) != len(header):
            raise UnusableTable(f"'{path.name}' needs a header line in which every column has its own name.")
        return cls(path, sha256, encoding, header, spaced)

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
            reader = csv.reader(lines, skipinitialspace=self.spaced, strict=True)
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
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for _ in lines:
                pass
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig"


def _anonymised(
    table: CsvTable,
    quasi_identifiers: Sequence[str],
    *,
    k: int,
    hierarchies: Path | None,
    sensitive: str | None,
    least: int,
) -> Anonymised:
    trees = _hierarchies(hierarchies, quasi_identifiers)
    texts = table.columns([*quasi_identifiers, *([] if sensitive is None else [sensitive])])
    columns = {
        name: np.array(cells, dtype=object) if name in trees or name == sensitive else _typed(cells)
        for name, cells in texts.items()
    }
    return anonymise(columns, quasi_identifiers, k, sensitive, least, hierarchies=trees)


def _hierarchies(folder: Path | None, names: Iterable[str]) -> dict[str, Hierarchy]:
    if folder is None:
        return {}
    if not folder.is_dir():
        raise UnusableTable(f"There is no folder '{folder.name}' of hierarchies.")
    # Matching listed files, not building paths, keeps a column named "../x" inside the folder.
    files = {file.stem: file for file in sorted(folder.glob("*.csv"))}
    return {name: Hierarchy.read(files[name]) for name in names if name in files}


def _typed(cells: list[str]) -> Column:
    """Turn texts into numbers, missing cells masked, if every other cell is one; else leave them texts."""
    distinct = set(cells) - _MISSING_CELLS
    if not distinct or not all(_NUMBER.fullmatch(cell) for cell in distinct):
        return np.array(cells, dtype=object)
    to_number = int if all(_WHOLE.fullmatch(cell) for cell in distinct) else float
    numbers = {cell: to_number(cell) for cell in distinct}
    missing = np.array([cell in _MISSING_CELLS for cell in cells])
    return np.ma.masked_array(np.array([numbers.get(cell, 0) for cell in cells]), mask=missing)


def _write_copy(table: CsvTable, copy: Path, columns: Mapping[str, Column], drop: Sequence[str]) -> None:
    """Write the table with ``columns`` in place of its own and without those in ``drop``."""
    kept = [place for place, name in enumerate(table.header) if name not in drop]
    replaced = [(table.header.index(name), column) for name, column in columns.items()]
    rows = len(next(iter(columns.values())))
    with copy.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow([table.header[place] for place in kept])
        for number, row in enumerate(table.rows()):
            if number == rows:
                break
            for place, column in replaced:
                row[place] = column[number]
            writer.writerow([row[place] for place in kept])
    if sha256_of(table.path) != table.sha256:
        raise UnusableTable(f"'{table.path.name}' changed while it was read; nothing was written.")


def _file_report(
    table: CsvTable,
    copy: Path,
    quasi_identifiers: Sequence[str],
    sensitive: str | None,
    drop: Sequence[str],
    result: AnonymisationReport,
) -> FileReport:
    passed_through = tuple(name for name in table.header if name not in {*quasi_identifiers, *drop})
    unprotected = [name for name in passed_through if name != sensitive]
    warning = f"Copied unchanged: {quoted(unprotected)}. Drop those that identify a person directly."
    return FileReport(
        source_sha256=table.sha256,
        target_sha256=sha256_of(copy),
        encoding="utf-8" if table.encoding == "utf-8-sig" else table.encoding,
        quasi_identifiers=tuple(quasi_identifiers),
        sensitive=sensitive,
        passed_through=passed_through,
        dropped=tuple(drop),
        warnings=(warning,) if unprotected else (),
        result=result,
    )


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """Lend a temporary file in the folder of ``target``; on success it takes the target's name, else it is removed."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        yield part
        with part.open("rb") as content:
            os.fsync(content.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
