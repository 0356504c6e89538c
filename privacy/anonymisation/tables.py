"""Anonymised copies of CSV and Parquet files, for the ``anonymise`` command.

The source is read part by part, twice: for the combinations of its quasi-identifiers, and to write the copy. Memory
grows with the combinations, not with the rows or the width of the file. Where they are too many, or an engine is asked
for, they are grouped and joined by SQL (``rounds``).
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TypedDict, Unpack

import numpy as np
import pyarrow as pa

from common.analytics.workshop import Workshop
from privacy.anonymisation.actions import wanted
from privacy.anonymisation.actions.acting import Means
from privacy.anonymisation.actions.table import ActedTable, acted_on
from privacy.anonymisation.actions.wanted import Action
from privacy.anonymisation.coding import Tally, TooManyCombinations, counted
from privacy.anonymisation.columns import inert
from privacy.anonymisation.errors import UnusableTable, quoted
from privacy.anonymisation.files.copying import Repeats, open_copy
from privacy.anonymisation.files.csv_table import CsvTable
from privacy.anonymisation.files.inspection import sha256_of
from privacy.anonymisation.files.opening import is_parquet, open_table
from privacy.anonymisation.files.parquet_table import ParquetTable
from privacy.anonymisation.files.replacing import replacing
from privacy.anonymisation.generalisation import Hierarchy, IntArray
from privacy.anonymisation.kanonymity import SUPPRESSED_LABEL, form_classes, label_codes
from privacy.anonymisation.measuring.linking import Linked, linked
from privacy.anonymisation.measuring.presence import Population, Presence, presence
from privacy.anonymisation.measuring.queries import QueryError
from privacy.anonymisation.measuring.report import AnonymisationReport, report_on
from privacy.anonymisation.measuring.result import Result
from privacy.anonymisation.partition.items import group_rows
from privacy.anonymisation.rounds import Rounds
from privacy.anonymisation.wish import Wish

logger = logging.getLogger(__name__)

Table = CsvTable | ParquetTable
NO_MEANS = Means()
MOST_IN_MEMORY = 2_000_000  # combinations; about a kilobyte each while classes are formed
COMBINATIONS_IN_A_PART = 500_000


@dataclass(frozen=True)
class FileReport:
    """Report on an anonymised file, also written next to the target as ``<target>.report.json``.

    ``passed_through`` columns are copied: a name or a number that points to one person still does. Where nearly every
    value is one row's own they had to be named in ``kept``. ``neutralised`` cells looked like a formula.
    ``queries`` says how far counts asked of the copy are off, ``presence`` how sure an attacker can be who has the
    public table (None without one).
    ``actions`` are what became of the cells of columns, and ``linked`` what a column of pseudonyms gives away (None
    without one), which ``pseudonymous`` says in words.
    """

    source_sha256: str
    target_sha256: str
    encoding: str
    quasi_identifiers: tuple[str, ...]
    sensitive: tuple[str, ...]
    passed_through: tuple[str, ...]
    dropped: tuple[str, ...]
    kept: tuple[str, ...]
    neutralised: int
    warnings: tuple[str, ...]
    result: AnonymisationReport
    queries: QueryError
    presence: Presence | None = None
    actions: tuple[Mapping[str, Any], ...] = ()
    linked: Linked | None = None
    pseudonymous: str | None = None


class Options(TypedDict, total=False):
    """What may be said beside columns and wish; ``anonymise_file`` describes it."""

    hierarchies: Path | Mapping[str, Path] | None
    drop: Sequence[str]
    keep: Sequence[str]
    actions: Sequence[Action]
    means: Means
    workshop: Workshop | None
    population: Population | None


def anonymise_file(
    source: Path, target: Path, quasi_identifiers: Sequence[str], wish: Wish, **options: Unpack[Options]
) -> FileReport:
    """Write an anonymised copy of ``source`` to ``target`` and a report next to it; names say what is Parquet.

    ``hierarchies`` is a folder of ``<column>.csv`` files (see ``Hierarchy.read``), or the file of each column; columns
    without one become ranges or sets, and a file for no column is refused. Columns in ``drop`` are left out, all others
    are copied, formulas neutralised in CSV; one whose values identify is refused unless it is in ``keep``. See
    ``CsvTable`` for what is read; a CSV copy is UTF-8 with commas. ``workshop`` has the engine for what does not fit
    into memory; Spark does all of the grouping. ``population`` is a public table that the copy is measured against. An
    existing target is replaced in one step, once all succeeded. ``actions`` are carried out, with ``means``, before
    anything is grouped.

    Raises AnonymisationError (or a subclass of it) for what the caller can mend, OSError otherwise; a target that was
    there before then keeps its content.
    """
    return anonymise_table(open_table(source), target, quasi_identifiers, wish, **options)


def anonymise_table(
    table: Table, target: Path, quasi_identifiers: Sequence[str], wish: Wish, **options: Unpack[Options]
) -> FileReport:
    """Do the same with a table that is open."""
    report_file = target.with_name(f"{target.name}.report.json")
    if table.path.resolve() in (target.resolve(), report_file.resolve()):
        raise UnusableTable("The source must not be overwritten by its copy: choose another target.")
    with replacing(report_file) as report, replacing(target) as copy:
        outcome = write_copy(table, copy, target, quasi_identifiers, wish, **options)
        report.write_text(json.dumps(asdict(outcome), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for warning in outcome.warnings:
        logger.warning("%s", warning)
    return outcome


def write_copy(
    table: Table,
    copy: Path,
    target: Path,
    quasi_identifiers: Sequence[str],
    wish: Wish,
    *,
    hierarchies: Path | Mapping[str, Path] | None = None,
    drop: Sequence[str] = (),
    keep: Sequence[str] = (),
    actions: Sequence[Action] = (),
    means: Means = NO_MEANS,
    workshop: Workshop | None = None,
    population: Population | None = None,
) -> FileReport:
    """Write the copy alone, into a file that is open; ``target`` has the name that says its kind."""
    wish.check(quasi_identifiers)
    wanted.check(actions, wish, quasi_identifiers, drop)
    if population is not None:
        population.check()
        population.table.require(quasi_identifiers)
    _check_columns(table, quasi_identifiers, wish, drop, keep)
    acted = acted_on(table, actions, wish, means)
    trees = _hierarchies(hierarchies, quasi_identifiers, wish, table.header)
    with _formed(acted, quasi_identifiers, wish, trees, workshop) as job:
        columns = wanted.columns_of(actions)
        unique = wanted.columns_of(actions, wanted.EXPECTED_UNIQUE)
        present = None if population is None else presence(job.result, population, trees)
        neutralised = _write_rows(acted, job, copy, target, drop, named={*keep, *wish.roles, *unique})
        _prove(job.result, copy, target, quasi_identifiers)
        return FileReport(
            source_sha256=table.sha256,
            target_sha256=sha256_of(copy),
            encoding="utf-8" if table.encoding == "utf-8-sig" else table.encoding,
            quasi_identifiers=tuple(quasi_identifiers),
            sensitive=wish.sensitive_columns,
            passed_through=tuple(name for name in table.header if name not in {*quasi_identifiers, *drop, *columns}),
            dropped=tuple(drop),
            kept=tuple(keep),
            neutralised=neutralised,
            warnings=_warnings(table.header, {*quasi_identifiers, *drop, *columns, *wish.sensitive_columns}),
            result=report_on(job.result, None if present is None else present.fewest_covered),
            queries=job.result.query_error,
            presence=present,
            actions=acted.said(),
            linked=linked(
                open_table(copy, named=target), quasi_identifiers, wanted.columns_of(actions, wanted.PSEUDONYMS)
            ),
            pseudonymous=wanted.warning(actions),
        )


def _check_columns(
    table: Table, quasi_identifiers: Sequence[str], wish: Wish, drop: Sequence[str], keep: Sequence[str]
) -> None:
    table.require([*quasi_identifiers, *drop, *keep, *wish.roles, *wish.weights])
    if set(drop) & {*quasi_identifiers, *wish.sensitive_columns}:
        raise UnusableTable("A dropped column cannot be a quasi-identifier or a sensitive column.")
    nested = [name for name in table.nested if name not in drop or name in wish.roles]
    if nested:
        raise UnusableTable(f"A cell of {quoted(nested)} holds several values: drop such columns, or flatten them.")


class _Job(Protocol):
    """A table whose classes are formed: what was measured, and the class of each row."""

    @property
    def result(self) -> Result: ...

    def classes(self) -> Iterator[IntArray]:
        """Yield the class of each row, in the parts of the table."""


class _InMemory:
    """A table whose combinations fit into memory."""

    def __init__(self, tally: Tally, wish: Wish, trees: Mapping[str, Hierarchy]) -> None:
        self._tally = tally
        found, item_of = counted(tally, wish, trees)
        self.result, classes = form_classes(found, wish)
        self._class_of = classes[item_of]

    def classes(self) -> Iterator[IntArray]:
        for of_rows in self._tally.of_rows():
            yield self._class_of[of_rows]


@contextmanager
def _formed(
    table: ActedTable,
    quasi_identifiers: Sequence[str],
    wish: Wish,
    trees: Mapping[str, Hierarchy],
    workshop: Workshop | None,
) -> Iterator[_Job]:
    """Form the classes: in memory, or by an engine where the combinations do not fit or Spark is asked for."""
    names = [*quasi_identifiers, *wish.roles]
    if workshop is None or workshop.kind != "spark":
        with Tally(names, most=None if workshop is None else MOST_IN_MEMORY) as tally:
            try:
                for columns in table.batches(names):
                    tally.add(columns)
                job = _InMemory(tally, wish, trees)
            except TooManyCombinations:
                logger.info("Too many combinations for the memory: they are grouped by an engine.")
            else:
                yield job
                return
    if workshop is not None:
        with workshop.open() as engine:
            yield Rounds(table.batches(names), names, wish, trees, engine, most=COMBINATIONS_IN_A_PART)


def _hierarchies(
    given: Path | Mapping[str, Path] | None, quasi_identifiers: Sequence[str], wish: Wish, header: Sequence[str]
) -> dict[str, Hierarchy]:
    """Read the hierarchies of the columns. Raises UnusableTable for a file that fits no column."""
    if given is None:
        return {}
    files = _listed(given, header) if isinstance(given, Path) else given
    wanted = {*quasi_identifiers, *(wish.sensitive_columns if wish.t is not None else ())}
    return {name: Hierarchy.read(file) for name, file in files.items() if name in wanted}


def _listed(folder: Path, header: Sequence[str]) -> dict[str, Path]:
    """Return the files of a folder by their columns."""
    if not folder.is_dir():
        raise UnusableTable(f"There is no folder '{folder.name}' of hierarchies.")
    # Matching listed files, not building paths, keeps a column named "../x" inside the folder.
    files = [file for file in sorted(folder.iterdir()) if not file.name.startswith(".")]
    strays = [file.name for file in files if file.suffix != ".csv" or file.stem not in header]
    if strays or not files:
        found = f"{quoted(strays)} fits no column" if strays else "it is empty"
        raise UnusableTable(f"Hierarchies in '{folder.name}': {found}. Name each COLUMN.csv, of {quoted(header)}.")
    return {file.stem: file for file in files}


def _write_rows(table: ActedTable, job: _Job, copy: Path, target: Path, drop: Sequence[str], *, named: set[str]) -> int:
    """Write the table with labels in place of quasi-identifiers and without the columns in ``drop``.

    A suppressed row keeps its place and nothing else: it is in no class that could hide what its other cells say.
    Return how many cells looked like a formula. Raises UnusableTable for a column that identifies and is not ``named``.
    """
    shown = job.result.shown
    header = [name for name in table.header if name not in drop]
    labels = {name: pa.array([*each.labels.tolist(), SUPPRESSED_LABEL], pa.string()) for name, each in shown.items()}
    codes = {name: label_codes(each, np.arange(-1, job.result.number)) for name, each in shown.items()}
    others = [name for name in header if name not in shown]
    repeats = Repeats([name for name in others if name not in named], job.result.total)
    parts = table.batches(others or list(shown)[:1])
    output = open_copy(copy, target, header)
    try:
        for classes, columns in zip(job.classes(), parts, strict=False):
            for name in others:
                repeats.add(name, columns[name])
            generalised = {
                name: pa.DictionaryArray.from_arrays(codes[name][classes + 1].astype(np.int32), labels[name])
                for name in shown
            }
            if any(len(column) != len(classes) for column in columns.values()):
                break  # the file is another one by now
            kept = pa.array(np.arange(len(classes)), mask=classes < 0)
            shown_others = columns if kept.null_count == 0 else {name: columns[name].take(kept) for name in others}
            output.write({name: generalised.get(name, shown_others.get(name)) for name in header})
    finally:
        output.close()
    if table.has_changed():
        raise UnusableTable(f"'{table.path.name}' changed while it was read; nothing was written.")
    _refuse_identifying(repeats.identifying())
    return output.neutralised


def _prove(result: Result, copy: Path, target: Path, quasi_identifiers: Sequence[str]) -> None:
    """Count the classes of the written file anew, from its own labels."""
    written = open_table(copy, named=target)
    spelt = str if is_parquet(target) else inert
    names = [spelt(name) for name in quasi_identifiers]
    with Tally(names) as tally:
        for columns in written.batches(names):
            tally.add(columns)
        _, rows = tally.combinations()
    if sorted(rows.tolist()) != sorted(_as_read(result, spelt).tolist()):
        raise UnusableTable("The written copy does not have the classes that were formed; nothing was kept.")


def _as_read(result: Result, spelt: Callable[[str], str]) -> IntArray:
    """Return the rows of each class as a reader sees them: labels may read the same once they are ``spelt``."""
    codes, sizes = [], []
    for each in result.shown.values():
        place_of: dict[str, int] = {}
        texts = [spelt(label) for label in (*each.labels.tolist(), SUPPRESSED_LABEL)]
        places = np.array([place_of.setdefault(text, len(place_of)) for text in texts])
        codes.append(places[np.append(len(each.labels), each.label_of)])
        sizes.append(len(place_of))
    _, same, _ = group_rows(codes, sizes)
    rows = np.bincount(same, weights=np.concatenate([[result.suppressed], result.rows])).astype(np.int64)
    return rows[rows > 0]


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
