"""Decisions as Parquet, for warehouses and notebooks."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any, Literal

from django.db import connection, transaction

from oversight.officers import single

Kind = Literal["text", "texts", "moment", "number"]
Columns = Mapping[str, tuple[str, Kind]]
ROWS_OF_A_GROUP = 20_000  # what is in memory at once


@contextmanager
def opened(columns: Columns, output: IO[bytes]) -> Iterator[Callable[[Sequence[Sequence[Any]]], None]]:
    """Write rows that come group by group; yields what takes a group. The file's metadata name a single officer."""
    # Loaded by those that write Parquet: it is large.
    import pyarrow as pa
    from pyarrow import parquet

    types = {
        "text": pa.string(),
        "texts": pa.list_(pa.string()),
        "moment": pa.timestamp("us", tz="UTC"),
        "number": pa.int64(),
    }
    marks = {f"assent.{name}": json.dumps(value) for name, value in single.member().items()}
    schema = pa.schema([(name, types[kind]) for name, (_, kind) in columns.items()], metadata=marks)

    def add(group: Sequence[Sequence[Any]]) -> None:
        by_column = zip(*group, strict=True)
        arrays = [pa.array(values, field.type) for values, field in zip(by_column, schema, strict=True)]
        writer.write_table(pa.Table.from_arrays(arrays, schema=schema))

    with parquet.ParquetWriter(output, schema, compression="zstd") as writer:
        yield add


def selected(columns: Columns) -> str:
    """Return the expressions to read, without aliases: ORDER BY would take them first, and find no index."""
    return ", ".join(expression for expression, _ in columns.values())


def write(columns: Columns, rows: str, bounds: Sequence[Any], output: IO[bytes]) -> int:
    """Write a query as of one moment, row group by row group; return the number of rows.

    ``columns`` says by which expression each is read, and as what.
    """
    count = 0
    # A cursor of the server: it lives in a transaction, and hands over as much as it is asked for.
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(f"SELECT {selected(columns)} {rows}", bounds)
        with opened(columns, output) as add:
            while group := cursor.fetchmany(ROWS_OF_A_GROUP):
                add(group)
                count += len(group)
    return count
