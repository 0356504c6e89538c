"""Writing the copy of a table: columns as texts in CSV, formulas neutralised, or with their types in Parquet."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from privacy.anonymisation.columns import inert, is_missing
from privacy.anonymisation.files.opening import is_parquet
from privacy.anonymisation.files.texts import as_texts
from privacy.anonymisation.generalisation import IntArray

# As columns.inert has it: ASCII and full width.
_MAY_BE_FORMULA = "^[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]|\r"
_NEEDS_QUOTES = r'[",\r\n]'
_MAY_SEPARATE = r'[",;\t\r\n]'  # in a header, by which readers know the separator
_FEW = 0.1  # of the cells


class Copy(Protocol):
    """A file that is written part by part. ``neutralised`` counts the cells that looked like a formula."""

    neutralised: int

    def write(self, columns: Mapping[str, pa.Array]) -> None: ...

    def close(self) -> None: ...


def open_copy(path: Path, target: Path, header: Iterable[str]) -> Copy:
    """Open the copy that gets the name of ``target``, which says its kind."""
    return _ParquetCopy(path) if is_parquet(target) else _CsvCopy(path, header)


class _CsvCopy:
    """UTF-8 with commas and line feeds; cells are quoted where they have to be."""

    def __init__(self, path: Path, header: Iterable[str]) -> None:
        self.neutralised = 0
        self._names = list(header)
        self._file = path.open("wb")
        self._lines([_quoted(pa.array([inert(name)]), _MAY_SEPARATE) for name in self._names])

    def write(self, columns: Mapping[str, pa.Array]) -> None:
        cells = [self._cells(columns[name]) for name in self._names]
        if len(cells) == 1:  # an empty line would be no row
            cells = [pc.if_else(pc.equal(cells[0], ""), '""', cells[0])]
        self._lines(cells)

    def close(self) -> None:
        self._file.close()

    def _lines(self, cells: list[pa.Array]) -> None:
        texts = [each.cast(pa.large_string()) for each in cells]
        lines = pc.binary_join_element_wise(*texts, pa.scalar(",", pa.large_string()))
        lines = pc.binary_join_element_wise(lines, pa.scalar("", pa.large_string()), pa.scalar("\n", pa.large_string()))
        if len(lines):
            self._file.write(lines.buffers()[2])

    def _cells(self, column: pa.Array) -> pa.Array:
        if not isinstance(column, pa.DictionaryArray):
            column = column.dictionary_encode()
        values = as_texts(column.dictionary)
        suspect = np.flatnonzero(pc.match_substring_regex(values, _MAY_BE_FORMULA).to_numpy(zero_copy_only=False))
        if len(suspect):
            values = self._harmless(values, suspect, column.indices)
        return _quoted(values).take(column.indices).fill_null("")

    def _harmless(self, values: pa.Array, suspect: IntArray, indices: pa.Array) -> pa.Array:
        texts = values.to_pylist()
        changed = np.zeros(len(texts) + 1, dtype=np.int64)
        for place in suspect.tolist():
            shown = inert(texts[place])
            changed[place] = shown.startswith("'") and not texts[place].startswith("'")
            texts[place] = shown
        self.neutralised += int(changed[indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)].sum())
        return pa.array(texts, pa.string())


def _quoted(values: pa.Array, signs: str = _NEEDS_QUOTES) -> pa.Array:
    needs = pc.match_substring_regex(values, signs)
    if not pc.any(needs).as_py():
        return values
    doubled = pc.replace_substring(values, '"', '""')
    return pc.if_else(needs, pc.binary_join_element_wise('"', doubled, '"', ""), values)


class _ParquetCopy:
    """Columns with their types, generalised ones as dictionaries of their labels; a row group a part.

    A dictionary is written as it is, so it must hold what its rows say and nothing else: a value that was in other rows
    of the source would be in the file. Arrow fills up the space of repeated ones with what the memory holds.
    """

    def __init__(self, path: Path) -> None:
        self.neutralised = 0
        self._path = path
        self._writer: Any = None

    def write(self, columns: Mapping[str, pa.Array]) -> None:
        batch = pa.RecordBatch.from_pydict({name: _compact(column) for name, column in columns.items()})
        if self._writer is None:
            self._writer = parquet.ParquetWriter(self._path, batch.schema, write_statistics=False)
        self._writer.write_batch(batch)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _compact(column: pa.Array) -> pa.Array:
    """Return a column whose dictionary has the values of its rows, each once."""
    if not isinstance(column, pa.DictionaryArray):
        return column
    values = column.dictionary
    if len(values.unique()) < len(values):
        column = column.dictionary_decode().dictionary_encode().cast(column.type)
        values = column.dictionary
    used = np.zeros(len(values) + 1, dtype=bool)
    used[column.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)] = True
    if used[:-1].all():
        return column
    place = pa.array(np.cumsum(used) - 1, column.indices.type)
    return pa.DictionaryArray.from_arrays(place.take(column.indices), values.filter(pa.array(used[:-1])))


def _listed(values: pa.Array) -> list[Any]:
    """Return values as Python has them, or as numbers where they are times that Python has not."""
    try:
        found: list[Any] = values.to_pylist()
    except (ValueError, OverflowError):
        found = values.view(pa.int64()).to_pylist()
    return found


class Repeats:
    """Notice of columns that point to one person: nearly every value is in one row only.

    Values are dropped as soon as enough of them repeat, so memory grows with the columns that identify.
    """

    def __init__(self, names: Iterable[str], rows: int) -> None:
        self._most = int(_FEW * rows)
        self._seen: dict[str, set[int]] = {name: set() for name in names}
        self._repeated = dict.fromkeys(self._seen, 0)

    def add(self, name: str, column: pa.Array) -> None:
        """Notice the values of one part of a column."""
        seen = self._seen.get(name)
        if seen is None:
            return
        coded = column if isinstance(column, pa.DictionaryArray) else column.dictionary_encode()
        indices = coded.indices.drop_null().to_numpy(zero_copy_only=False)
        rows = np.bincount(indices, minlength=len(coded.dictionary)).tolist()
        for value, count in zip(_listed(coded.dictionary), rows, strict=True):
            text = str(value).strip()
            if not count or value is None or is_missing(text):
                continue
            known = hash(text)
            self._repeated[name] += count - (known not in seen)
            seen.add(known)
            if self._repeated[name] > self._most:
                del self._seen[name]
                return

    def identifying(self) -> list[str]:
        """Return the columns of which nearly every value is one row's own."""
        return [name for name, seen in self._seen.items() if len(seen) > 1]
