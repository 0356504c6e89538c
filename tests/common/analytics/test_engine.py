"""The seam on DuckDB: what a query promises of its result, and what is left behind."""

import fcntl
import stat
from types import SimpleNamespace

import duckdb
import pyarrow as pa
import pytest
from django.conf import settings
from pyarrow import parquet

from common.analytics import opening
from common.analytics.duckdb import DuckDB
from common.analytics.engine import Engine, Query, Type
from tests.common.analytics import samples


@pytest.fixture
def engine(tmp_path):
    opened = DuckDB(tmp_path, memory_mb=128)
    for name, table in samples.tables().items():
        opened.add(name, table)
    yield opened
    opened.close()


@pytest.mark.parametrize("name", samples.QUERIES)
def test_a_result_has_the_declared_columns_in_the_order_of_its_key(engine, name):
    query = samples.QUERIES[name]

    found = engine.table(query)

    assert found.schema == query.schema
    keys = [tuple(row[part] for part in query.key) for row in found.to_pylist()]
    comparable = [[(value is not None, _bytes(value)) for value in key] for key in keys]
    assert comparable == sorted(comparable)
    assert len(set(keys)) == len(keys)


def _bytes(value):
    return value.encode() if isinstance(value, str) else (0 if value is None else value)


def test_sums_are_of_whole_numbers(engine):
    [row, *_] = engine.table(samples.QUERIES["sums_and_quotients"]).to_pylist()

    facts = [fact for fact in samples.tables()["facts"].to_pylist() if fact["grp"] == 0]
    known = [fact["number"] for fact in facts if fact["number"] is not None]
    assert row["thousands"] == sum(int(abs(number) // 1000) * (1 if number > 0 else -1) for number in known)
    assert (row["entries"], row["known"]) == (len(facts), len(known))


def test_a_sum_that_is_too_large_is_an_error_and_no_other_number(engine):
    query = Query(
        "SELECT 1 AS k, sum(9223372036854775807) AS total FROM facts", {"k": Type.SMALL, "total": Type.INTEGER}, ("k",)
    )

    with pytest.raises(duckdb.Error):
        engine.table(query)


def test_the_bytes_of_a_file_do_not_depend_on_how_an_engine_cuts_its_batches(tmp_path):
    query = Query("", {"row": Type.INTEGER, "name": Type.TEXT}, ("row",))
    whole = pa.table({"row": range(300_000), "name": [f"name {number % 90}" for number in range(300_000)]})
    written = []
    for size in (1_000, 131_072, 300_000):
        batches = whole.to_batches(max_chunksize=size)
        path = tmp_path / f"{size}.parquet"
        assert Engine.write(_Fixed(batches), query, path, {b"made by": b"a test"}) == 300_000
        written.append(path.read_bytes())

    assert written[0] == written[1] == written[2]
    assert parquet.read_schema(path).metadata == {b"made by": b"a test"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


class _Fixed(Engine):
    def __init__(self, batches):
        self._found = batches

    def _add(self, name, source): ...
    def _batches(self, statement):
        return iter(self._found)

    def close(self): ...


@pytest.mark.parametrize(
    ("columns", "key"),
    [
        ({"a b": Type.TEXT}, ("a b",)),
        ({"a": Type.TEXT}, ()),
        ({"a": Type.TEXT}, ("b",)),
        ({"a; DROP": Type.TEXT}, ("a",)),
    ],
)
def test_a_query_without_a_key_or_with_other_names_is_refused(columns, key):
    with pytest.raises(ValueError, match=r"column|key"):
        Query("SELECT 1 AS a", columns, key)


def test_a_table_has_a_plain_name(engine):
    with pytest.raises(ValueError, match="table's name"):
        engine.add("facts; DROP TABLE facts", samples.tables()["facts"])


def test_parquet_files_are_tables_too(engine, tmp_path):
    path = tmp_path / "it's here.parquet"
    parquet.write_table(pa.table({"row": [3, 1, 2]}), path)

    engine.add("stored", path)

    assert engine.table(Query("SELECT row FROM stored", {"row": Type.INTEGER}, ("row",)))["row"].to_pylist() == [
        1,
        2,
        3,
    ]


def test_no_extension_is_loaded_and_no_network_reached(engine):
    query = Query("SELECT * FROM read_parquet('http://127.0.0.1:9/x.parquet')", {"row": Type.INTEGER}, ("row",))

    with pytest.raises(duckdb.Error, match=r"extension|httpfs"):
        engine.table(query)


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "ANALYTICS_DIR", tmp_path / "analytics")
    return tmp_path / "analytics"


def test_nothing_is_left_where_an_engine_worked(root):
    with opening.engine() as engine:
        assert engine.table(Query("SELECT 1 AS a", {"a": Type.SMALL}, ("a",)))["a"].to_pylist() == [1]
        [folder] = root.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert opening.sweep() == 0  # it is in use

    assert list(root.iterdir()) == []


def test_nothing_is_left_after_a_failure(root):
    with pytest.raises(RuntimeError), opening.engine():
        raise RuntimeError

    assert list(root.iterdir()) == []


def test_what_a_killed_process_left_goes_and_what_another_holds_stays(root):
    for name in ("killed", "held"):
        (root / name).mkdir(parents=True)
        (root / name / "lock").touch()
    (root / "killed" / "spilled").write_text("of people")

    with (root / "held" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert opening.sweep() == 1

    assert [path.name for path in root.iterdir()] == ["held"]


def test_a_folder_is_not_swept_before_its_lock_is_held(root, monkeypatch):
    flock, swept = fcntl.flock, []

    def late(file, how):
        if how == fcntl.LOCK_EX:
            swept.append(opening.sweep())
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with opening.engine():
        assert opening.sweep() == 0

    assert swept == [0]


def test_spark_is_asked_only_where_the_setting_says_so(root, monkeypatch):
    asked = {}

    def spark(folder, **options):
        asked.update(options)
        return SimpleNamespace(close=lambda: asked.update(closed=True))

    monkeypatch.setitem(__import__("sys").modules, "common.analytics.spark", SimpleNamespace(Spark=spark))
    monkeypatch.setattr(settings, "ANALYTICS", "spark")
    monkeypatch.setattr(settings, "SPARK_MASTER", "spark://cluster:7077")
    with opening.engine():
        pass

    assert asked == {"master": "spark://cluster:7077", "memory_mb": settings.ANALYTICS_MEMORY_MB, "closed": True}
