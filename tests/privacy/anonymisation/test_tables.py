"""k-anonymous copies of CSV files: what is written, what is left alone, what is refused."""

import csv
import hashlib
import json
import logging

import pytest

from privacy.anonymisation import tables
from privacy.anonymisation.errors import TooFewRows, UnknownColumn, UnusableColumn, UnusableTable
from privacy.anonymisation.tables import anonymise_file
from privacy.anonymisation.wish import Wish

PEOPLE = 'name,age,town,note\nAnn,20,Oslo," =1+1"\nBob,22,Oslo,"a, ""b"""\nCy,,Rome,\nDi,?,Rome,x\n'


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE, encoding="utf-8")
    return path


def read(path):
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))


def test_quasi_identifiers_are_generalised_and_other_cells_kept(source, tmp_path, caplog):
    target = tmp_path / "out.csv"

    with caplog.at_level(logging.WARNING):
        report = anonymise_file(source, target, ["age", "town"], Wish(2), keep=["name", "note"])

    assert read(target) == [
        ["name", "age", "town", "note"],
        ["Ann", "20..22", "Oslo", " =1+1"],
        ["Bob", "20..22", "Oslo", 'a, "b"'],
        ["Cy", "?", "Rome", ""],
        ["Di", "?", "Rome", "x"],
    ]
    assert report.passed_through == ("name", "note")
    assert "'name', 'note'" in caplog.text
    assert source.read_text(encoding="utf-8") == PEOPLE


def test_the_report_beside_the_target_fits_both_files(source, tmp_path):
    target = tmp_path / "out.csv"

    anonymise_file(source, target, ["age", "town"], Wish(2, "note"), drop=["name"])

    report = json.loads((tmp_path / "out.csv.report.json").read_text(encoding="utf-8"))
    assert report["source_sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert report["target_sha256"] == hashlib.sha256(target.read_bytes()).hexdigest()
    assert report["quasi_identifiers"] == ["age", "town"]
    assert (report["passed_through"], report["dropped"], report["warnings"]) == (["note"], ["name"], [])
    assert report["result"]["k"] == report["result"]["smallest_class"] == 2
    assert report["result"]["fewest_sensitive"] == 1  # in Rome one note is missing, which is no value
    assert report["result"]["generalised_as"] == {"age": "range", "town": "set"}
    assert read(target)[0] == ["age", "town", "note"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "out.csv",
        "out.csv.report.json",
        "people.csv",
    ]


def test_spaces_after_commas_belong_to_the_separator_only_if_the_header_has_them(tmp_path):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text('age, town\n1, "x, y"\n2, z\n\n')
    anonymise_file(source, target, ["age"], Wish(2), keep=["town"])
    assert read(target) == [["age", "town"], ["1..2", "x, y"], ["1..2", "z"]]

    source.write_text("age,town\n 1, x\n2,z\n")
    anonymise_file(source, target, ["age"], Wish(2), keep=["town"])
    assert read(target) == [["age", "town"], ["1..2", " x"], ["1..2", "z"]]


def test_latin_1_and_a_byte_order_mark_are_understood(tmp_path):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"

    source.write_bytes("größe,ort\n1,Köln\n2,Köln\n".encode("latin-1"))
    assert anonymise_file(source, target, ["größe"], Wish(2)).encoding == "latin-1"
    assert read(target)[1] == ["1..2", "Köln"]

    source.write_bytes("größe,ort\n1,Köln\n2,Köln\n".encode("utf-8-sig"))
    assert anonymise_file(source, target, ["größe"], Wish(2)).encoding == "utf-8"
    assert read(target)[1] == ["1..2", "Köln"]


@pytest.mark.parametrize(
    ("cells", "label"),
    [
        (["9", "10"], "9..10"),
        (["-3", "1.5"], "-3..1.5"),
        (["1e3", "20"], "20..1000"),
        (["01234", "98765"], "01234|98765"),
        (["1_0", "20"], "1_0|20"),
        (["9", "ten"], "9|ten"),
        (["?", ""], "?"),
        ([str(10**17 + 1), "1"], f"1..{10**17 + 1}"),
    ],
)
def test_a_column_is_a_range_only_if_its_cells_are_quantities(tmp_path, cells, label):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("".join(f"{cell},-\n" for cell in ["n", *cells]).replace("n,-", "n,rest", 1))

    anonymise_file(source, target, ["n"], Wish(2))

    assert {row[0] for row in read(target)[1:]} == {label}


def test_hierarchies_apply_to_the_columns_they_are_named_after(source, tmp_path):
    folder = tmp_path / "trees"
    folder.mkdir()
    (folder / "town.csv").write_text("Oslo,North,*\nRome,South,*\n")

    report = anonymise_file(
        source, tmp_path / "out.csv", ["age", "town"], Wish(4), hierarchies=folder, drop=["name", "note"]
    )

    assert {tuple(row) for row in read(tmp_path / "out.csv")[1:]} == {("?|20..22", "*")}
    assert report.result.generalised_as == {"age": "range", "town": "hierarchy"}


@pytest.mark.parametrize(
    ("text", "names", "error", "complaint"),
    [
        (PEOPLE, ["agee"], UnknownColumn, "No column 'agee'; 'people.csv' has 'name', 'age', 'town', 'note'"),
        (PEOPLE + "Ed,1\n", ["age"], UnusableTable, "Line 6 has 2 cells instead of 4"),
        (PEOPLE + 'Ed,1,"x"y,z\n', ["age"], UnusableTable, "Line 6 is not CSV"),
        ("", ["age"], UnusableTable, "needs a header"),
        ("age,age\n1,2\n", ["age"], UnusableTable, "its own name"),
        ("age,n\n1,2\n", ["age"], TooFewRows, "1 rows; k=2"),
        ("age,n\n1,2\ninf,2\n", ["age"], UnusableColumn, "NaN or infinity"),
        ("age,n\n1,2\n1e999,2\n", ["age"], UnusableColumn, "NaN or infinity"),
    ],
)
def test_a_refusal_leaves_the_earlier_target_alone(source, tmp_path, text, names, error, complaint):
    target = tmp_path / "out.csv"
    target.write_text("earlier")
    source.write_text(text, encoding="utf-8")

    with pytest.raises(error, match=complaint):
        anonymise_file(source, target, names, Wish(2))

    assert target.read_text() == "earlier"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "people.csv"]


def test_the_source_is_never_overwritten(source, tmp_path):
    link = tmp_path / "link.csv"
    link.symlink_to(source)

    for target in (source, link, tmp_path / "." / "people.csv"):
        with pytest.raises(UnusableTable, match="another target"):
            anonymise_file(source, target, ["age"], Wish(2))

    assert source.read_text(encoding="utf-8") == PEOPLE


def test_dropping_a_quasi_identifier_is_refused(source, tmp_path):
    with pytest.raises(UnusableTable, match="dropped column"):
        anonymise_file(source, tmp_path / "out.csv", ["age"], Wish(2), drop=["age"])


def test_a_missing_folder_of_hierarchies_is_refused(source, tmp_path):
    with pytest.raises(UnusableTable, match="no folder 'trees'"):
        anonymise_file(source, tmp_path / "out.csv", ["age"], Wish(2), hierarchies=tmp_path / "trees")


def test_a_source_that_changes_meanwhile_is_refused(source, tmp_path, monkeypatch):
    form_classes = tables.form_classes

    def form_classes_while_a_row_arrives(*args, **kwargs):
        source.write_text(PEOPLE + "Ed,30,Oslo,-\n", encoding="utf-8")
        return form_classes(*args, **kwargs)

    monkeypatch.setattr(tables, "form_classes", form_classes_while_a_row_arrives)

    with pytest.raises(UnusableTable, match="changed while it was read"):
        anonymise_file(source, tmp_path / "out.csv", ["age"], Wish(2))

    assert sorted(path.name for path in tmp_path.iterdir()) == ["people.csv"]
