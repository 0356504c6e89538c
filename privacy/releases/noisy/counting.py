"""Counts of noisy tables: how many rows each combination of public values has, so many rows of a person at most.

Of a person with more rows the first ones in the file count. Which they are depends on the person's own rows alone, so
that a person with all rows can be taken away and all others count as before. Rows that name no person do not count.
Pure; no Django.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.anonymisation.files.copying import open_copy
from privacy.anonymisation.files.texts import texts_of
from privacy.releases.noisy.domains import Domain

if TYPE_CHECKING:
    from pathlib import Path

    from privacy.anonymisation.generalisation import IntArray
    from privacy.anonymisation.tables import Table

TABLE, COUNT, LOW, HIGH = "table", "count", "low", "high"


@dataclass(frozen=True)
class Counted:
    """A table over some columns: the number of rows in each cell, the last column varying fastest."""

    domains: tuple[Domain, ...]
    cells: "IntArray"

    @property
    def name(self) -> str:
        return ", ".join(domain.column for domain in self.domains)


def count(
    table: "Table",
    domains: Mapping[str, Domain],
    tables: Sequence[Sequence[str]],
    *,
    person: str | None,
    rows_each: int,
) -> list[Counted]:
    """Count the rows of each table's cells."""
    codes, kept = _coded(table, domains, person, rows_each)
    found = []
    for names in tables:
        shape = [len(domains[name].labels) for name in names]
        cells = np.ravel_multi_index([codes[name][kept] for name in names], shape)
        counted = np.bincount(cells, minlength=int(np.prod(shape)))
        found.append(Counted(tuple(domains[name] for name in names), counted))
    return found


def _coded(
    table: "Table", domains: Mapping[str, Domain], person: str | None, rows_each: int
) -> tuple[dict[str, "IntArray"], Any]:
    parts: dict[str, list[Any]] = {name: [] for name in domains}
    people: list[Any] = []
    for columns in table.batches([*domains, *([person] if person else [])]):
        for name, domain in domains.items():
            parts[name].append(domain.codes(columns[name]).astype(np.int32))
        if person:
            people.append(pc.utf8_trim_whitespace(texts_of(columns[person])))
    codes = {name: np.concatenate(each) for name, each in parts.items()}
    if not person:
        return codes, slice(None)
    return codes, _bounded(people, rows_each)


def _bounded(people: Sequence[Any], rows_each: int) -> Any:
    """Return which rows count."""
    named = pa.chunked_array(people).dictionary_encode().combine_chunks()
    numbers = named.indices.to_numpy(zero_copy_only=False)
    nameless = pc.index(named.dictionary, "").as_py()
    order = np.argsort(numbers, kind="stable")
    is_first = np.diff(numbers[order], prepend=-2) != 0
    place = np.arange(len(order)) - np.maximum.accumulate(np.where(is_first, np.arange(len(order)), 0))
    kept = np.empty(len(order), dtype=bool)
    kept[order] = place < rows_each
    return kept & (numbers != nameless)


def write(path: "Path", target: "Path", drawn: Sequence[tuple[Counted, Sequence[int], int]], smallest: int) -> None:
    """Write tables with their noisy counts and margins as one file: a line a cell, with the interval of its error.

    Noisy counts below ``smallest`` are left empty: that sees no exact count, and so costs nothing.
    """
    columns = list(dict.fromkeys(domain.column for counted, _, _ in drawn for domain in counted.domains))
    output = open_copy(path, target, [TABLE, *columns, COUNT, LOW, HIGH])
    try:
        for counted, numbers, margin in drawn:
            output.write(_lines(counted, columns, numbers, margin, smallest))
    finally:
        output.close()


def _lines(
    counted: Counted, columns: Sequence[str], numbers: Sequence[int], margin: int, smallest: int
) -> dict[str, Any]:
    shape = [len(domain.labels) for domain in counted.domains]
    places = np.unravel_index(np.arange(len(numbers)), shape)
    cells = {
        domain.column: pa.DictionaryArray.from_arrays(of_domain.astype(np.int32), pa.array(domain.labels))
        for domain, of_domain in zip(counted.domains, places, strict=True)
    }
    # Every part of a file has the same types: a column that a table has not is empty, of one dictionary.
    empty = pa.DictionaryArray.from_arrays(np.zeros(len(numbers), dtype=np.int32), pa.array([""]))
    values = np.array(numbers, dtype=np.int64)
    return {
        TABLE: pa.DictionaryArray.from_arrays(np.zeros(len(numbers), dtype=np.int32), pa.array([counted.name])),
        **{name: cells.get(name, empty) for name in columns},
        COUNT: pa.array(values, mask=values < smallest),
        LOW: pa.array(values - margin, mask=values < smallest),
        HIGH: pa.array(values + margin, mask=values < smallest),
    }
