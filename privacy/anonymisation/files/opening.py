"""A file as a table, by its name."""

from pathlib import Path
from typing import TYPE_CHECKING

from privacy.anonymisation.files.csv_table import CsvTable

if TYPE_CHECKING:
    from privacy.anonymisation.files.parquet_table import ParquetTable


def is_parquet(path: Path) -> bool:
    """Return whether a file is Parquet, by its name."""
    return path.suffix.lower() in (".parquet", ".pq")


def open_table(path: Path, *, named: Path | None = None) -> "CsvTable | ParquetTable":
    """Open a file; ``named`` has the name that says its kind, where that is another."""
    if not is_parquet(named or path):
        return CsvTable.open(path)
    from privacy.anonymisation.files.parquet_table import ParquetTable

    return ParquetTable.open(path)
