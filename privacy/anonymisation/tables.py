"""k-anonymous copies of CSV files, for the ``anonymise`` command.

The source is read row by row, once for the quasi-identifiers and once to write the copy. Memory grows with
the number of rows times the number of quasi-identifiers, not with the width of the file.
"""

import csv
import json
import logging
import os
import secrets
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from privacy.anonymisation.columns import Repeats, inert, is_missing, typed
from privacy.anonymisation.generalisation import Column, Hierarchy
from privacy.anonymisation.kanonymity import AnonymisationReport, Anonymised, Wish, anonymise, quoted
from privacy.anonymisation.reading import CsvTable, UnusableTable, sha256_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FileReport:
    """Report on an anonymised file, also written next to the target as ``<target>.report.json``.

    ``passed_through`` columns are copied: a name or a number that points to one person still does. Where nearly every
    value is one row's own they had to be named in ``kept``. ``neutralised`` cells looked like a formula.
    """

    source_sha256: str
    target_sha256: str
    encoding: str
    quasi_identifiers: tuple[str, ...]
    sensitive: str | None
    passed_through: tuple[str, ...]
    dropped: tuple[str, ...]
    kept: tuple[str, ...]
    neutralised: int
    warnings: tuple[str, ...]
    result: AnonymisationReport


def anonymise_file(
    source: Path,
    target: Path,
    quasi_identifiers: Sequence[str],
    wish: Wish,
    *,
    hierarchies: Path | None = None,
    drop: Sequence[str] = (),
    keep: Sequence[str] = (),
) -> FileReport:
    """Write a k-anonymous copy of the CSV file ``source`` to ``target`` and a report next to it.

    ``hierarchies`` is a folder of ``<column>.csv`` files (see ``Hierarchy.read``); columns without one become
    ranges or sets, and a file for no column is refused. Columns in ``drop`` are left out, all others are copied cell
    by cell, formulas neutralised; one whose values identify is refused unless it is in ``keep``. See ``CsvTable`` for
    what is read; the copy is UTF-8 with commas. An existing target is replaced in one step, once all succeeded.

    Raises AnonymisationError (or a subclass of it) for what the caller can mend, OSError otherwise; a target that was
    there before then keeps its content.
    """
    report_file = target.with_name(f"{target.name}.report.json")
    if source.resolve() in (target.resolve(), report_file.resolve()):
        raise UnusableTable("The source must not be overwritten by its copy: choose another target.")
    table = CsvTable.open(source)
    roles = [name for name in (wish.sensitive, wish.person) if name is not None]
    table.require([*quasi_identifiers, *drop, *keep, *roles, *wish.weights])
    if set(drop) & {*quasi_identifiers, *roles}:
        raise UnusableTable("A dropped column cannot be a quasi-identifier or the sensitive column.")
    result = _anonymised(table, quasi_identifiers, wish, hierarchies)
    with _replacing(report_file) as report, _replacing(target) as copy:
        neutralised = _write_copy(table, copy, result.columns, drop, named={*keep, wish.sensitive, wish.person})
        outcome = FileReport(
            source_sha256=table.sha256,
            target_sha256=sha256_of(copy),
            encoding="utf-8" if table.encoding == "utf-8-sig" else table.encoding,
            quasi_identifiers=tuple(quasi_identifiers),
            sensitive=wish.sensitive,
            passed_through=tuple(name for name in table.header if name not in {*quasi_identifiers, *drop}),
            dropped=tuple(drop),
            kept=tuple(keep),
            neutralised=neutralised,
            warnings=_warnings(table.header, {*quasi_identifiers, *drop, wish.sensitive}),
            result=result.report,
        )
        report.write_text(json.dumps(asdict(outcome), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for warning in outcome.warnings:
        logger.warning("%s", warning)
    return outcome


def _anonymised(
    table: CsvTable, quasi_identifiers: Sequence[str], wish: Wish, hierarchies: Path | None
) -> Anonymised:
    trees = _hierarchies(hierarchies, quasi_identifiers, table.header)
    roles = [name for name in (wish.sensitive, wish.person) if name is not None]
    texts = table.columns([*quasi_identifiers, *roles])
    values = {name: tree.paths for name, tree in trees.items()}
    columns = {
        name: _texts(cells, values.get(name, ())) if name in trees or name in roles else typed(name, cells)
        for name, cells in texts.items()
    }
    return anonymise(columns, quasi_identifiers, wish, hierarchies=trees)


def _texts(cells: Sequence[str], values: Container[str] = ()) -> Column:
    """Return the cells as texts; a word for a missing value is one only if ``values`` has it."""
    return np.array([None if is_missing(cell) and cell not in values else cell for cell in cells], dtype=object)


def _hierarchies(folder: Path | None, names: Sequence[str], header: Sequence[str]) -> dict[str, Hierarchy]:
    """Read the hierarchies of the columns ``names``. Raises UnusableTable for a file that fits no column."""
    if folder is None:
        return {}
    if not folder.is_dir():
        raise UnusableTable(f"There is no folder '{folder.name}' of hierarchies.")
    # Matching listed files, not building paths, keeps a column named "../x" inside the folder.
    files = [file for file in sorted(folder.iterdir()) if not file.name.startswith(".")]
    strays = [file.name for file in files if file.suffix != ".csv" or file.stem not in header]
    if strays or not files:
        found = f"{quoted(strays)} fits no column" if strays else "it is empty"
        raise UnusableTable(f"Hierarchies in '{folder.name}': {found}. Name each COLUMN.csv, of {quoted(header)}.")
    found_for = {file.stem: file for file in files}
    return {name: Hierarchy.read(found_for[name]) for name in names if name in found_for}


def _write_copy(
    table: CsvTable, copy: Path, columns: Mapping[str, Column], drop: Sequence[str], *, named: set[str | None]
) -> int:
    """Write the table with ``columns`` in place of its own and without those in ``drop``.

    Return how many cells looked like a formula. Raises UnusableTable for a column that identifies and is not ``named``.
    """
    kept = [place for place, name in enumerate(table.header) if name not in drop]
    replaced = [(table.header.index(name), column) for name, column in columns.items()]
    rows = len(next(iter(columns.values())))
    others = [name for name in table.header if name not in {*columns, *drop, *named}]
    repeats, places = Repeats(others, rows), [table.header.index(name) for name in others]
    neutralised = 0
    with copy.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow([inert(table.header[place]) for place in kept])
        for number, row in zip(range(rows), table.rows(), strict=False):
            for name, place in zip(others, places, strict=True):
                repeats.add(name, row[place])
            for place, column in replaced:
                row[place] = column[number]
            cells = [row[place] for place in kept]
            shown = list(map(inert, cells))
            neutralised += sum(len(one) < len(other) for one, other in zip(cells, shown, strict=True))
            writer.writerow(shown)
    if sha256_of(table.path) != table.sha256:
        raise UnusableTable(f"'{table.path.name}' changed while it was read; nothing was written.")
    _refuse_identifying(repeats.identifying())
    return neutralised


def _refuse_identifying(names: Sequence[str]) -> None:
    if names:
        raise UnusableTable(
            f"Nearly every row has a value of its own in {quoted(names)}: drop what identifies a person (--drop), "
            "generalise it (--qi), or name it as harmless (--keep)."
        )


def _warnings(header: Sequence[str], protected: set[str | None]) -> tuple[str, ...]:
    unprotected = [name for name in header if name not in protected]
    if not unprotected:
        return ()
    return (f"Copied unchanged: {quoted(unprotected)}. Drop those that identify a person directly.",)


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
