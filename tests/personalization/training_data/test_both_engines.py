"""Spark gives the same bytes as DuckDB, for every query there is (``requirements/spark.txt`` and Java 17)."""

import hashlib
import random
import shutil
from dataclasses import asdict

import pyarrow as pa
import pytest
from pyarrow import parquet

from common.analytics.duckdb import DuckDB
from personalization.features.definitions import OWN
from personalization.features.queries import as_of
from personalization.training_data import queries
from tests.common.analytics import samples
from tests.helpers.judges import judge
from tests.helpers.paths import CHECKOUT
from tests.helpers.scale import scale

SCRIPT = CHECKOUT / "tests" / "common" / "analytics" / "spark_side.py"


def _tables(rows):
    """Events of every kind, with ties in time, and a catalogue that lacks some of their items."""
    chance = random.Random(rows)
    weights = {queries.number_of("rating"): [0.0, 3.0, 4.0, 5.0]}
    kinds = [chance.randrange(len(queries.KINDS)) for _ in range(rows)]
    whole = {
        "person": ([chance.randrange(max(rows // 40, 2)) for _ in range(rows)], pa.int32()),
        "item": ([chance.randrange(60) for _ in range(rows)], pa.int32()),
        "kind": (kinds, pa.int16()),
        "value": ([chance.choice([-1, 1, 5, 300]) for _ in range(rows)], pa.int16()),
        "weight": ([chance.choice(weights.get(kind, [0.0, 1.5, 2.0])) for kind in kinds], pa.float64()),
        "moment": ([1_700_000_000_000_000 + 3_600_000_000 * chance.randrange(2_000) for _ in range(rows)], pa.int64()),
        "received": ([1_710_000_000_000_000 + chance.randrange(10**9) for _ in range(rows)], pa.int64()),
        "tie": ([chance.randrange(-(2**63), 2**63) for _ in range(rows)], pa.int64()),
    }
    return {
        "events": pa.table({name: pa.array(values, kind) for name, (values, kind) in whole.items()}),
        "catalogue": pa.table({"item": pa.array(range(5, 60), pa.int32())}),
        "asked": pa.table(
            {
                "person": pa.array(range(40), pa.int32()),
                "moment": pa.array([1_705_000_000_000_000 + 10**14 * (number % 3) for number in range(40)], pa.int64()),
            }
        ),
    }


@scale("rows", small=1_500, long=300_000)
def test_both_engines_write_the_same_files(rows, tmp_path):
    if shutil.which("java") is None:
        pytest.skip("NO JAVA: Spark was NOT COMPARED with DuckDB. It needs Java 17 or newer on the PATH.")
    spark = judge("spark", lock="spark")
    tables = {**samples.tables(rows), **_tables(rows)}
    asked = {**samples.QUERIES, **queries.QUERIES, "features": as_of(list(OWN.values()))}
    paths = {name: tmp_path / f"{name}.parquet" for name in tables}
    ours, engine = {}, DuckDB(tmp_path, memory_mb=256)
    for name, table in tables.items():
        parquet.write_table(table, paths[name])
        engine.add(name, table)
    for name, query in asked.items():
        engine.write(query, tmp_path / "result.parquet")
        ours[name] = hashlib.sha256((tmp_path / "result.parquet").read_bytes()).hexdigest()
    engine.close()

    theirs = spark.run(
        SCRIPT,
        {
            "checkout": str(CHECKOUT),
            "tables": {name: str(path) for name, path in paths.items()},
            "queries": {name: asdict(query) for name, query in asked.items()},
        },
    )

    assert {name for name in asked if theirs[name] != ours[name]} == set()
