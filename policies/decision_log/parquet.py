"""Decisions as Parquet, for warehouses and notebooks. The only module that imports pyarrow, an optional package."""

from collections.abc import Mapping, Sequence
from typing import IO, Any, Literal

from django.db import connection, transaction

Kind = Literal["text", "texts", "moment", "number"]
ROWS_OF_A_GROUP = 20_000  # what is in memory at once


class ParquetMissing(Exception):
    """Refusal without the packages that write Parquet."""


def write(columns: Mapping[str, tuple[str, Kind]], rows: str, bounds: Sequence[Any], output: IO[bytes]) -> int:
    """Write a query as of one moment, row group by row group; return the number of rows.

    ``columns`` says by which expression each is read, and as what. Raises ParquetMissing.
    """
    arrow, parquet = _packages()
    types = {
        "text": arrow.string(),
        "texts": arrow.list_(arrow.string()),
        "moment": arrow.timestamp("us", tz="UTC"),
        "number": arrow.int64(),
    }
    schema = arrow.schema([(name, types[kind]) for name, (_, kind) in columns.items()])
    # Without aliases: ORDER BY would take them before the columns of the same name, and find no index.
    selected = ", ".join(expression for expression, _ in columns.values())
    count = 0
    # A cursor of the server: it lives in a transaction, and hands over as much as it is asked for.
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(f"SELECT {selected} {rows}", bounds)
        with parquet.ParquetWriter(output, schema, compression="zstd") as writer:
            while group := cursor.fetchmany(ROWS_OF_A_GROUP):
                by_column = zip(*group, strict=True)
                arrays = [arrow.array(values, field.type) for values, field in zip(by_column, schema, strict=True)]
                writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))
                count += len(group)
    return count


def _packages() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as exc:
        raise ParquetMissing(
            "Parquet needs a package that is not installed. Write .jsonl or .csv, or install it where Assent runs: "
            "python -m pip install --require-hashes -r requirements/parquet.txt"
        ) from exc
    return pa, parquet
