"""DuckDB: queries in this process, over Arrow tables where they lie and over Parquet files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from common.analytics.engine import Engine

_BATCH = 65_536
_FUNCTIONS = (
    "CREATE MACRO quotient(a, b) AS a // b",
    "CREATE MACRO text_digest(words) AS sha256(words)",
)


class DuckDB(Engine):
    """DuckDB with a bound on its memory; beyond it, it goes on in ``folder``.

    It reads files that were added, loads no extension and reaches no network.
    """

    def __init__(self, folder: Path, *, memory_mb: int) -> None:
        super().__init__(folder)
        self._connection = duckdb.connect(
            config={
                "memory_limit": f"{memory_mb}MB",
                "temp_directory": str(folder / "spilled"),
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "preserve_insertion_order": "false",
            }
        )
        for function in _FUNCTIONS:
            self._connection.execute(function)

    def _add(self, name: str, source: Any) -> None:
        if isinstance(source, Path):
            found = str(source).replace("'", "''")
            self._connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{found}')")  # noqa: S608 (a view takes no parameter)
        else:
            self._connection.register(name, source)

    def _batches(self, statement: str) -> Iterator[Any]:
        yield from self._connection.sql(statement).to_arrow_reader(_BATCH)

    def close(self) -> None:
        self._connection.close()
