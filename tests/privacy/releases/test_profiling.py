"""Columns of a table that is taken in: described whatever their types are, and refused where they hold no values."""

import pyarrow as pa
import pytest
from pyarrow import parquet

from privacy.anonymisation.errors import UnusableTable
from privacy.anonymisation.files.opening import open_table
from privacy.releases.profiling import profile


@pytest.mark.parametrize(
    "cells",
    [
        pa.array([1_700_000_000_000_000_001, 5, None], pa.timestamp("ns")),
        pa.array([2**62, 5, None], pa.timestamp("us")),
        pa.array([1, 5, None], pa.time64("ns")),
        pa.array([b"\xff", b"\x00", None]),
        pa.array([bytes(16), b"\x01" * 16, None], pa.uuid()),
        pa.array(["a", "b", None], pa.string_view()),
        pa.array([b"\xff", b"b", None], pa.binary_view()),
        pa.array([{"x": 1}, None, None]),
    ],
    ids=lambda cells: str(cells.type),
)
def test_columns_of_any_type_are_described(tmp_path, cells):
    parquet.write_table(pa.table({"a": [1, 2, 3], "b": cells}), tmp_path / "in.parquet")

    rows, (_, found) = profile(open_table(tmp_path / "in.parquet"))

    nested = pa.types.is_nested(cells.type)
    assert (rows, found.distinct, found.empty) == (3, 0 if nested else 2, 0 if nested else 1)


def test_a_table_of_nested_columns_alone_is_refused(tmp_path):
    parquet.write_table(pa.table({"a": [[1], [2]]}), tmp_path / "in.parquet")

    with pytest.raises(UnusableTable, match="several values"):
        profile(open_table(tmp_path / "in.parquet"))
