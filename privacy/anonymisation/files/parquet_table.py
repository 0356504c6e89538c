"""Parquet files: columns, types, and rows in parts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from privacy.anonymisation.errors import UnusableTable
from privacy.anonymisation.files.csv_table import check_header, require
from privacy.anonymisation.files.inspection import sha256_of

_ROWS = 1 << 20  # of a part


@dataclass(frozen=True)
class ParquetTable:
    """A Parquet file: its digest and schema, determined once."""

    path: Path
    sha256: str
    schema: pa.Schema

    @classmethod
    def open(cls, path: Path) -> "ParquetTable":
        """Inspect the file. Raises UnusableTable for one that is not Parquet or names a column twice."""
        sha256 = sha256_of(path)
        try:
            schema = parquet.read_schema(path)
        except pa.ArrowInvalid:
            raise UnusableTable(f"'{path.name}' is not a Parquet file, or is damaged.") from None
        check_header(path, schema.names)
        return cls(path, sha256, schema)

    @property
    def encoding(self) -> str:
        """Return what the file is encoded as, for the report."""
        return "parquet"

    @property
    def header(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        return tuple(self.schema.names)

    @property
    def nested(self) -> tuple[str, ...]:
        """Return the columns of which a cell is no single value."""
        kinds = zip(self.schema.names, map(_storage, self.schema.types), strict=True)
        return tuple(name for name, kind in kinds if pa.types.is_nested(kind))

    def require(self, names: Iterable[str]) -> None:
        """Raise UnknownColumn, listing the columns that exist, unless all ``names`` do."""
        require(self.path, self.header, names)

    def has_changed(self) -> bool:
        """Return whether the file is no longer what was opened."""
        return sha256_of(self.path) != self.sha256

    def batches(self, names: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
        """Yield the named columns part by part, texts in Arrow's dictionaries, always in the same parts."""
        texts = [name for name in names if _is_text(self.schema.field(name).type)]
        try:
            with parquet.ParquetFile(self.path, read_dictionary=texts) as file:
                for groups, rows in _together(file.metadata):
                    batches = file.iter_batches(batch_size=_ROWS, row_groups=groups, columns=list(names))
                    for batch in _cut(batches, rows):
                        yield dict(zip(batch.schema.names, map(_stored, batch.columns), strict=True))
        except (pa.ArrowInvalid, OSError) as exc:
            raise UnusableTable(f"'{self.path.name}' is damaged: {type(exc).__name__}.") from None


def _together(metadata: Any) -> list[tuple[list[int], int]]:
    """Return the row groups that are read at once, and their rows: small ones together, as far as a part holds them."""
    together: list[tuple[list[int], int]] = []
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group).num_rows
        if together and together[-1][1] + rows <= _ROWS:
            groups, before = together.pop()
            together.append(([*groups, group], before + rows))
        else:
            together.append(([group], rows))
    return together


def _cut(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """Yield batches of ``_ROWS`` rows: Arrow also ends one where the dictionary of any of its columns ends."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(map(len, held)) >= min(rows, _ROWS):
            yield _joined(held)
            rows -= sum(map(len, held))
            held = []


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    if len(batches) == 1:
        return batches[0]
    (joined,) = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks().to_batches()
    return joined


def _stored(column: pa.Array) -> pa.Array:
    """Return the cells of a type that others defined (a UUID, JSON) as they are stored, and views as what they view.

    Raises ArrowInvalid for a text that is not UTF-8.
    """
    if isinstance(column, pa.DictionaryArray):
        column.dictionary.validate(full=True)
    if pa.types.is_string_view(column.type) or pa.types.is_binary_view(column.type):
        return column.cast(pa.string() if pa.types.is_string_view(column.type) else pa.binary())
    return column.storage if isinstance(column, pa.ExtensionArray) else column


def _storage(kind: pa.DataType) -> pa.DataType:
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
