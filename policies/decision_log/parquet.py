"""Decisions as Parquet, for warehouses and notebooks."""

from collections.abc import Mapping, Sequence
from typing import IO, Any, Literal

from django.db import connection, transaction

Kind = Literal["text", "texts", "moment", "number"]
ROWS_OF_A_GROUP = 20_000  # what is in memory at once


def write(columns: Mapping[str, tuple[str, Kind]], rows: str, bounds: Sequence[Any], output: IO[bytes]) -> int:
    """Write a query as of one moment, row group by row group; return the number of rows.

    ``columns`` says by which expression each is read, and as what.
    """
    # Loaded by those that write Parquet: it is large.
    import pyarrow as pa
    from pyarrow import parquet

    types = {
        "text": pa.string(),
        "texts": pa.list_(pa.string()),
        "moment": pa.timestamp("us", tz="UTC"),
        "number": pa.int64(),
    }
    schema = pa.schema([(name, types[kind]) for name, (_, kind) in columns.items()])
    # Without aliases: ORDER BY would take them before the columns of the same name, and find no index.
    selected = ", ".join(expression for expression, _ in columns.values())
    count = 0
    # A cursor of the server: it lives in a transaction, and hands over as much as it is asked for.
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(f"SELECT {selected} {rows}", bounds)
        with parquet.ParquetWriter(output, schema, compression="zstd") as writer:
            while group := cursor.fetchmany(ROWS_OF_A_GROUP):
                by_column = zip(*group, strict=True)
                arrays = [pa.array(values, field.type) for values, field in zip(by_column, schema, strict=True)]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
                count += len(group)
    return count
