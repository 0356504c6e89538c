"""Queries over tables, written once for every engine.

A query declares its columns, their types and its key. The result has exactly these columns, a row a key, in the order
of the key, so every engine gives the same rows, and a file of them has the same bytes. That holds while

- the SQL is what all engines read alike: joins, GROUP BY, FILTER, window functions, CTEs, ``||`` and CAST. What they
  write differently has one name: ``quotient(a, b)`` is the integer part of a / b, ``text_digest(text)`` SHA-256 as
  lower-case hexadecimal digits.
- what is summed is an integer. A sum of floating-point numbers depends on the order of the rows, so a FLOAT is passed
  on, compared or taken the largest of.
- no two rows have the same key. NULL comes before everything, texts and bytes are ordered byte by byte.
"""

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ROWS_IN_A_GROUP = 131_072


class Type(StrEnum):
    """Type of a column, by the name that every engine has for it."""

    INTEGER = "BIGINT"
    SMALL = "INTEGER"
    FLOAT = "DOUBLE"
    BOOLEAN = "BOOLEAN"
    TEXT = "STRING"
    BYTES = "BINARY"


_ARROW: Mapping[Type, Any] = {
    Type.INTEGER: pa.int64(),
    Type.SMALL: pa.int32(),
    Type.FLOAT: pa.float64(),
    Type.BOOLEAN: pa.bool_(),
    Type.TEXT: pa.string(),
    Type.BYTES: pa.binary(),
}


@dataclass(frozen=True)
class Query:
    """SQL over named tables, the columns of its result, and the key that they are sorted by."""

    sql: str
    columns: Mapping[str, Type]
    key: tuple[str, ...]

    def __post_init__(self) -> None:
        if not all(_NAME.fullmatch(name) for name in self.columns):
            raise ValueError("A column's name is made of lower-case letters, digits and underscores.")
        if not self.key or not self.columns.keys() >= set(self.key):
            raise ValueError("The key of a query is made of its columns.")

    @property
    def statement(self) -> str:
        """Return the SQL with its columns cast and its rows sorted."""
        columns = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in self.columns.items())
        order = ", ".join(f"{name} NULLS FIRST" for name in self.key)
        return f"SELECT {columns} FROM ({self.sql}) result ORDER BY {order}"  # noqa: S608 (queries are code)

    @property
    def schema(self) -> Any:
        """Return the Arrow schema of the result."""
        return pa.schema([(name, _ARROW[kind]) for name, kind in self.columns.items()])


class Engine(ABC):
    """What runs queries. Tables are added first; they are there until the engine is closed.

    ``folder`` is for what goes between queries; its opener removes it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, name: str, source: Any) -> None:
        """Add a table by its name: an Arrow table, or the path of a Parquet file."""
        if not _NAME.fullmatch(name):
            raise ValueError("A table's name is made of lower-case letters, digits and underscores.")
        self._add(name, source)

    def table(self, query: Query) -> Any:
        """Return the result as an Arrow table."""
        return pa.Table.from_batches(self.batches(query), query.schema)

    def batches(self, query: Query) -> Iterator[Any]:
        """Yield the result in Arrow record batches of the query's schema."""
        for batch in self._batches(query.statement):
            yield pa.RecordBatch.from_arrays(
                [batch.column(name).cast(query.schema.field(name).type) for name in query.columns],
                schema=query.schema,
            )

    def write(self, query: Query, path: Path, metadata: Mapping[bytes, bytes] | None = None) -> int:
        """Write the result as a Parquet file, readable by its owner alone; return the number of rows.

        It is written by the same writer in groups of the same size, for any engine and any size of its batches.
        """
        schema = query.schema.with_metadata(metadata)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file, parquet.ParquetWriter(file, schema, compression="zstd") as out:
            rows = 0
            for group in _regrouped(self.batches(query), query.schema):
                out.write_table(group.replace_schema_metadata(metadata))
                rows += len(group)
        return rows

    @abstractmethod
    def _add(self, name: str, source: Any) -> None:
        """Add a table."""

    @abstractmethod
    def _batches(self, statement: str) -> Iterator[Any]:
        """Yield the rows of a statement in their order."""

    @abstractmethod
    def close(self) -> None:
        """Let everything go."""


def _regrouped(batches: Iterator[Any], schema: Any) -> Iterator[Any]:
    """Yield tables of the same number of rows, the last of what is left."""
    waiting: list[Any] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += len(batch)
        while rows >= _ROWS_IN_A_GROUP:
            whole = pa.Table.from_batches(waiting, schema)
            yield whole.slice(0, _ROWS_IN_A_GROUP)
            waiting = whole.slice(_ROWS_IN_A_GROUP).to_batches()
            rows -= _ROWS_IN_A_GROUP
    if rows:
        yield pa.Table.from_batches(waiting, schema)
