"""Parquet files: the same classes as from CSV, types and row order kept, and what is refused."""

import datetime as dt
import decimal

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from privacy.anonymisation import coding, tables
from privacy.anonymisation.actions import keys, wanted
from privacy.anonymisation.actions.acting import Means
from privacy.anonymisation.errors import TooFewRows, UnusableColumn, UnusableTable
from privacy.anonymisation.files import copying, parquet_table
from privacy.anonymisation.tables import anonymise_file
from privacy.anonymisation.wish import Wish

KEYS = Means(keys.KeyRing((keys.Key("k1", b"1" * 32),)))


def _people(number=300, seed=7):
    drawn = np.random.default_rng(seed)
    return pa.table(
        {
            "age": pa.array([None if n % 50 == 3 else int(n) for n in drawn.integers(20, 60, number)]),
            "town": pa.array([["Oslo", "Rome", None][n] for n in drawn.integers(0, 3, number)]),
            "visits": pa.array(drawn.integers(0, 5, number), pa.int16()),
            "paid": pa.array([decimal.Decimal(int(n)) / 4 for n in drawn.integers(0, 5, number)], pa.decimal128(6, 2)),
        }
    )


@pytest.fixture
def run(tmp_path):
    def anonymised(table, names, k=5, target="out.parquet", **options):
        parquet.write_table(table, tmp_path / "in.parquet", row_group_size=options.pop("row_group_size", None))
        report = anonymise_file(tmp_path / "in.parquet", tmp_path / target, names, Wish(k), **options)
        return tmp_path / target, report

    return anonymised


def test_other_columns_keep_type_and_order(run):
    source = _people()

    target, report = run(source, ["age", "town"])

    written = parquet.read_table(target)
    assert written.schema.names == source.schema.names
    assert written.select(["visits", "paid"]).equals(source.select(["visits", "paid"]))
    assert report.result.generalised_as == {"age": "range", "town": "set"}
    assert min(written.group_by(["age", "town"]).aggregate([([], "count_all")])["count_all"].to_pylist()) >= 5
    for before, after in zip(source["age"].to_pylist(), written["age"].to_pylist(), strict=True):
        number, _, rest = after.removeprefix("?|").partition("..")
        assert before is None or int(number) <= before <= int(rest or number)


def test_csv_and_parquet_give_the_same_labels(run, tmp_path):
    target, _ = run(_people(), ["age", "town"])
    as_csv, _ = run(_people(), ["age", "town"], target="out.csv")
    anonymise_file(as_csv, tmp_path / "back.parquet", ["visits"], Wish(2))

    labels = parquet.read_table(target, columns=["age", "town"]).to_pylist()
    lines = [line.split(",")[:2] for line in as_csv.read_text().splitlines()[1:]]
    assert [list(row.values()) for row in labels] == lines
    assert parquet.read_table(tmp_path / "back.parquet")["town"].to_pylist() == [line[1] for line in lines]


def test_parts_and_merges_change_nothing(run, monkeypatch):
    whole = parquet.read_table(run(_people(), ["age", "town"])[0])
    monkeypatch.setattr(parquet_table, "_ROWS", 37)
    monkeypatch.setattr(coding, "_MERGED_AT", 20)
    monkeypatch.setattr(coding, "_LARGEST_KEY", 50)

    parts = parquet.read_table(run(_people(), ["age", "town"], row_group_size=64)[0])

    assert parts.to_pylist() == whole.to_pylist()


@pytest.mark.parametrize(
    ("values", "kind", "label"),
    [
        ([dt.date(1970, 2, 20), dt.date(1965, 3, 10)], pa.date32(), "1965-03-10..1970-02-20"),
        ([dt.datetime(2020, 1, 1, 10), dt.datetime(2020, 1, 2)], pa.timestamp("ms"), "2020-01-01T10:00:00"),
        ([decimal.Decimal("1.5"), decimal.Decimal("12.25")], pa.decimal128(6, 2), "1.5..12.25"),
        ([1.5, 3.0], pa.float64(), "1.5..3"),
        ([True, False], pa.bool_(), "false|true"),
        (["1", "20"], pa.string(), "1..20"),
        (["b", "a"], pa.large_string(), "a|b"),
        (["b", "a"], pa.dictionary(pa.int8(), pa.string()), "a|b"),
    ],
    ids=str,
)
def test_each_type_becomes_a_range_or_a_set(run, values, kind, label):
    target, _ = run(pa.table({"v": pa.array(values, kind), "rest": ["x", "x"]}), ["v"], k=2)

    assert parquet.read_table(target)["v"].to_pylist()[0].startswith(label)


def test_a_dictionary_of_values_that_no_row_has_adds_none(run):
    towns = pa.DictionaryArray.from_arrays(pa.array([0, 0, 1, 1]), pa.array(["Oslo", "Rome", "Atlantis"]))

    _, report = run(pa.table({"town": towns, "rest": ["x"] * 4}), ["town"], k=4)

    assert report.result.ncp == 1


@pytest.mark.parametrize("kind", [pa.list_(pa.int64()), pa.struct([("a", pa.int64())])], ids=["list", "struct"])
def test_nested_columns_are_refused_by_name(run, tmp_path, kind):
    cell = [1] if pa.types.is_list(kind) else {"a": 1}
    table = pa.table({"age": [1, 2], "visits": pa.array([cell, cell], kind)})

    with pytest.raises(UnusableTable, match="A cell of 'visits' holds several values"):
        run(table, ["age"], k=2)
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]

    target, _ = run(table, ["age"], k=2, drop=["visits"])
    assert parquet.read_table(target)["age"].to_pylist() == ["1..2"] * 2


def test_two_columns_of_one_name_are_refused(run):
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["age", "age"])

    with pytest.raises(UnusableTable, match="'age' is there twice"):
        run(table, ["age"])


def test_numbers_that_are_none_are_refused_by_column(run):
    with pytest.raises(UnusableColumn, match="'age' holds NaN"):
        run(pa.table({"age": [1.0, float("nan")]}), ["age"], k=2)


def test_what_is_no_parquet_is_refused(tmp_path):
    (tmp_path / "in.parquet").write_bytes(b"age\n1\n2\n")

    with pytest.raises(UnusableTable, match=r"'in\.parquet' is not a Parquet file"):
        anonymise_file(tmp_path / "in.parquet", tmp_path / "out.parquet", ["age"], Wish(2))


def test_a_column_that_identifies_is_refused(run, tmp_path):
    table = _people().append_column("account", pa.array(range(300)))

    with pytest.raises(UnusableTable, match="value of its own in 'account'"):
        run(table, ["age", "town"])
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]


def test_a_copy_with_other_classes_is_not_kept(run, tmp_path, monkeypatch):
    label_codes = tables.label_codes
    monkeypatch.setattr(tables, "label_codes", lambda shown, classes: label_codes(shown, classes) * 0)

    with pytest.raises(UnusableTable, match="does not have the classes that were formed"):
        run(_people(), ["age", "town"])

    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]


@pytest.mark.parametrize("rows", [5, 100, 1 << 20])
def test_row_groups_make_no_difference(run, monkeypatch, rows):
    whole, _ = run(_people(), ["age", "visits"], target="whole.parquet")
    monkeypatch.setattr(parquet_table, "_ROWS", rows)

    in_groups, _ = run(_people(), ["age", "visits"], row_group_size=64)  # numbers grouped, texts copied

    assert parquet.read_table(in_groups).to_pylist() == parquet.read_table(whole).to_pylist()


def test_a_file_of_an_empty_row_group_has_no_rows(run):
    with pytest.raises(TooFewRows, match="0 rows"):
        run(_people(0), ["age", "town"])


def test_a_copy_holds_no_value_that_none_of_its_rows_has(run, monkeypatch):
    monkeypatch.setattr(parquet_table, "_ROWS", 50)
    names = pa.array([f"Person {number // 2}" for number in range(300)])
    source = _people().append_column("name", names)

    target, _ = run(source, ["age"], actions=wanted.parse_all(["name=hash"]), means=KEYS)

    content = parquet.ParquetFile(target, read_dictionary=["name", "town", "age"])
    for group in range(content.num_row_groups):
        for column in (content.read_row_group(group)[name] for name in ("name", "town", "age")):
            (chunk,) = column.chunks
            assert set(chunk.dictionary.to_pylist()) == set(chunk.to_pylist()) - {None}


def test_a_dictionary_is_written_without_repeated_and_unused_values():
    column = pa.DictionaryArray.from_arrays(pa.array([2, 0, None], pa.int32()), ["a", "left", "a"])

    compact = copying._compact(column)

    assert (compact.to_pylist(), compact.dictionary.to_pylist()) == (["a", "a", None], ["a"])
    assert compact.type == column.type


@pytest.mark.parametrize("kind", [pa.timestamp("ns"), pa.time64("ns")])
def test_times_finer_than_a_microsecond_are_copied_and_refused_as_quasi_identifiers(run, kind):
    seen = pa.array([1_700_000_000_000_001 + number % 5 for number in range(300)], pa.int64()).cast(kind)
    source = _people().append_column("seen", seen)

    target, _ = run(source, ["age"])

    assert parquet.read_table(target)["seen"].equals(source["seen"])
    with pytest.raises(UnusableColumn, match="'seen' holds times finer"):
        run(source, ["seen"])


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary(2)])
def test_bytes_become_hexadecimal_in_csv(run, kind):
    source = _people().append_column("code", pa.array([bytes([255, number % 2]) for number in range(300)], kind))

    target, _ = run(source, ["age"], target="out.csv")

    assert {line.rpartition(",")[2] for line in target.read_text().splitlines()[1:]} == {"ff00", "ff01"}


@pytest.mark.parametrize("names", [["age"], ["age", "id"]])
def test_types_that_others_defined_are_read_as_they_are_stored(run, names):
    source = _people().append_column("id", pa.array([bytes([number % 2]) * 16 for number in range(300)], pa.uuid()))

    target, _ = run(source, names)

    cells = parquet.read_table(target)["id"].to_pylist()
    assert len(cells) == 300
    assert len(set(cells)) >= 2 if names == ["age"] else all(len(cell) in (32, 65) for cell in cells)


def test_a_bound_that_the_type_cannot_hold_is_refused(run):
    with pytest.raises(UnusableColumn, match=r"'paid': its type cannot hold the bound 0\.001"):
        run(_people(), ["age"], actions=wanted.parse_all(["paid=bounds:bottom=0.001"]))


@pytest.mark.parametrize("names", [["age"], ["town"]])
def test_texts_that_are_not_utf_8_are_refused(run, names):
    broken = pa.array([b"Oslo", b"\xff\xfe"] * 150).cast(pa.string(), safe=False)

    with pytest.raises(UnusableTable, match="damaged"):
        run(_people().set_column(1, "town", broken), names, target="out.csv")
