"""Tables as people have them: each kind of value that would quietly change what is published.

Where the right answer is unknown the file is refused, in a sentence with the way out.
"""

import csv
import json
import random

import pytest

from privacy.anonymisation.errors import AnonymisationError, TooLittleDiversity, UnusableColumn
from privacy.anonymisation.files.csv_table import CsvTable
from privacy.anonymisation.tables import anonymise_file
from privacy.anonymisation.wish import Wish

WORDS = [
    "",
    "?",
    "NA",
    "N/A",
    "n/a",
    "n.a.",
    "#N/A",
    "NULL",
    "null",
    "None",
    "NaN",
    "nan",
    "nil",
    "-",
    ".",
    "\\N",
    "Missing",
]


@pytest.fixture
def run(tmp_path):
    """Anonymise a table written as ``content``; return its rows and the report."""

    def anonymised(content, names, k=2, *, wish=None, **options):
        source, target = tmp_path / "in.csv", tmp_path / "out.csv"
        source.write_bytes(content if isinstance(content, bytes) else content.encode())
        report = anonymise_file(source, target, names, wish or Wish(k), **options)
        with target.open(encoding="utf-8", newline="") as lines:
            return list(csv.reader(lines)), report

    return anonymised


def _ages(word, rows=60):
    ages = [str(random.Random(7).randint(18, 80) + number % 3) for number in range(rows)]
    ages[3] = word
    return "age,sex,d\n" + "".join(f"{age},{'AB'[n % 2]},x\n" for n, age in enumerate(ages))


@pytest.mark.parametrize("word", WORDS)
def test_a_word_for_missing_changes_nothing(run, word):
    expected = run(_ages(""), ["age", "sex"], 5)

    rows, report = run(_ages(word), ["age", "sex"], 5)

    assert rows == expected[0]
    assert report.result.generalised_as["age"] == "range"


@pytest.mark.parametrize("word", ["unknown", "keine Angabe", "refused to say"])
def test_a_few_other_words_among_numbers_are_refused(run, word):
    with pytest.raises(AnonymisationError, match="'age' is numbers but for 1 of 60 cells; leave missing"):
        run(_ages(word), ["age", "sex"], 5)


def test_a_category_named_like_missing_stays_a_category(run):
    rows, _ = run("country,d\n" + "NA,x\nNA,x\nDE,x\nDE,x\n", ["country"])

    assert {row[0] for row in rows[1:]} == {"NA", "DE"}


@pytest.mark.parametrize("word", ["", "?", "NA", "NULL", "None"])
def test_missing_is_no_sensitive_value(run, word):
    """Of two values in a class one is missing: whose value is known there has flu."""
    table = "age,d\n" + "".join(f"{20 + n // 2},{word if n % 2 else 'flu'}\n" for n in range(40))

    with pytest.raises(TooLittleDiversity):
        run(table, ["age"], wish=Wish(4, "d", l=2))


def test_classes_grow_until_they_hold_stated_values(run):
    values = ["flu", "", "", "", "ok", "", "", ""] * 5
    table = "age,d\n" + "".join(f"{20 + n},{value}\n" for n, value in enumerate(values))

    _, report = run(table, ["age"], wish=Wish(2, "d", l=2))

    assert report.result.fewest_sensitive == 2


def test_numbers_of_19_digits_stay_whole(run):
    low, high = 9007199254740993001, 9223372036854775807

    rows, _ = run(f"n,d\n{low},x\n{high},x\n", ["n"])

    assert rows[1][0] == f"{low}..{high}"


@pytest.mark.parametrize("cells", [("92233720368547758080", "1"), ("9007199254740993", "1.5")])
def test_numbers_that_would_be_rounded_are_refused(run, cells):
    with pytest.raises(AnonymisationError, match="too long to be kept exactly"):
        run("n,d\n" + "".join(f"{cell},x\n" for cell in cells), ["n"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1", "cp1252"])
def test_an_encoding_is_recognised(run, encoding):
    town = "K\u00f6ln" if encoding == "latin-1" else "K\u00f6ln \u2013 \u20ac"

    rows, _ = run(f"age,town\n1,{town}\n2,{town}\n".encode(encoding), ["age"])

    assert rows[1] == ["1..2", town]


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "iso8859-7", "shift-jis", "utf-16-le"])
def test_an_encoding_that_cannot_be_known_is_refused(run, encoding):
    text = {"iso8859-7": "\u0391\u03b8\u03ae\u03bd\u03b1", "shift-jis": "\u6771\u4eac\u90fd"}.get(
        encoding, "\u041c\u043e\u0441\u043a\u0432\u0430"
    )

    with pytest.raises(AnonymisationError, match="save it as UTF-8"):
        run(f"age,town\n1,{text}\n2,{text}\n".encode(encoding), ["age"])


@pytest.mark.parametrize("name", ["jobs.csv", "Job.csv", "job.txt", "job .csv"])
def test_a_hierarchy_that_fits_no_column_is_refused(run, tmp_path, name):
    folder = tmp_path / "trees"
    folder.mkdir()
    (folder / name).write_text("clerk,office,*\n")

    with pytest.raises(AnonymisationError, match=r"fits no column.*'age', 'job'"):
        run("age,job\n1,clerk\n2,clerk\n", ["age", "job"], hierarchies=folder)


def test_a_folder_without_hierarchies_is_refused(run, tmp_path):
    (tmp_path / "trees").mkdir()

    with pytest.raises(AnonymisationError, match="it is empty"):
        run("age,job\n1,clerk\n2,clerk\n", ["age"], hierarchies=tmp_path / "trees")


FORMULAS = ["=cmd()", "=1+1", "+cmd", "@SUM(A1)", "-A1", "\t=1", "\r=1", "\uff1d1+1", "+E1", "=HYPERLINK(A1)"]
INERT = ["-5", "+49 30 1234", "-1.5e3", "-", "--", "2026-01-05", "a=b", "x@example.org", "-5..3"]


@pytest.mark.parametrize("place", ["cell", "header", "sensitive", "set"])
@pytest.mark.parametrize("text", FORMULAS, ids=ascii)
def test_a_formula_is_never_written(run, text, place):
    quoted = f'"{text}"'
    header = quoted if place == "header" else "d"
    names = ["town"] if place == "set" else ["age"]
    town = quoted if place == "set" else "Rome"
    table = f"age,town,{header}\n" + f"1,{town},{quoted}\n" * 3

    rows, report = run(table, names, wish=Wish(2, "d" if place == "sensitive" else None))

    assert not [cell for row in rows for cell in row if cell.startswith(tuple("=+-@\t\r\uff1d"))]
    assert rows[1][-1] == "'" + text.replace("\r", "\n")
    assert len(rows) == 4
    assert report.neutralised >= 3


@pytest.mark.parametrize("text", INERT)
def test_what_is_no_formula_is_written_as_it_is(run, text):
    rows, report = run(f"age,d\n1,{text}\n2,{text}\n", ["age"])

    assert (rows[1][1], report.neutralised) == (text, 0)


def _members(repeat=0):
    ids = [f"m-{max(number, repeat)}" for number in range(40)]
    return "member,age,d\n" + "".join(f"{name},{20 + n % 5},x\n" for n, name in enumerate(ids))


@pytest.mark.parametrize("repeat", [0, 1, 3], ids=["all unique", "one twice", "one four times"])
def test_a_column_that_identifies_is_refused(run, tmp_path, repeat):
    with pytest.raises(AnonymisationError, match=r"'member': drop .*--drop.*--keep"):
        run(_members(repeat), ["age"], 4)

    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("options", [{"drop": ["member"]}, {"keep": ["member"]}, {"wish": Wish(4, "member")}])
def test_a_column_that_identifies_is_written_by_name_only(run, options):
    _, report = run(_members(), ["age"], 4, **options)

    assert list(report.kept) == options.get("keep", [])


def test_a_column_of_repeating_values_is_copied(run):
    rows, _ = run(_members(repeat=20), ["age"], 4)

    assert rows[0] == ["member", "age", "d"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_separator_is_recognised_by_the_header(run, separator):
    table = _ages("NA").replace(",", separator)

    rows, report = run(table, ["age", "sex"], 5)

    assert rows[0] == ["age", "sex", "d"]
    assert report.result.generalised_as == {"age": "range", "sex": "set"}


def test_the_report_names_what_was_kept_and_neutralised(run, tmp_path):
    run(_members().replace(",x\n", ",=1\n"), ["age"], 4, keep=["member"])

    report = json.loads((tmp_path / "out.csv.report.json").read_text())
    assert (report["kept"], report["neutralised"]) == (["member"], 40)


def test_dates_become_ranges_of_dates(run):
    days = ["1970-02-20", "1965-03-10", "2002-11-20", "?", "2000-12-29", "1997-07-07"]

    rows, report = run("birth,d\n" + "".join(f"{day},x\n" for day in days), ["birth"], 5)

    assert report.result.generalised_as == {"birth": "range"}
    assert {row[0] for row in rows[1:]} == {"?|1965-03-10..2002-11-20"}


def test_moments_become_ranges_of_moments(run):
    rows, _ = run("at,d\n2026-01-05T10:00,x\n2026-01-05 09:30:00,x\n", ["at"])

    assert rows[1][0] == "2026-01-05T09:30:00.000000..2026-01-05T10:00:00.000000"


@pytest.mark.parametrize("separator", [",", ";"])
def test_numbers_with_a_decimal_comma_become_ranges(run, separator):
    cells = ["57,6", "67,1", "9", "81,85"]
    table = f"weight{separator}d\n" + "".join(f'"{cell}"{separator}x\n' for cell in cells)

    rows, report = run(table, ["weight"], 4)

    assert report.result.generalised_as == {"weight": "range"}
    assert rows[1][0] == "9..81,85"


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        (["2023-02-30"] * 2, "no calendar"),
        (["1970-02-20"] * 19 + ["last year"], "dates but for 1 of 20"),
        (["1,234", "5,678"], "may be decimal or of thousands"),
        (["1,5", "2.5"], "with a point and numbers with a comma"),
    ],
)
def test_dates_and_commas_of_two_meanings_are_refused(run, cells, complaint):
    with pytest.raises(AnonymisationError, match=f"'v'.*{complaint}"):
        run("v;d\n" + "".join(f"{cell};x\n" for cell in cells), ["v"])


def test_k_counts_the_people_of_a_column(run):
    visits = "".join("1,34,flu\n" for _ in range(5)) + "".join(f"{n},{n + 38},ok\n" for n in range(2, 14))

    by_rows, _ = run("person,age,d\n" + visits, ["age"], 5, drop=["person"])
    by_people, report = run("person,age,d\n" + visits, ["age"], wish=Wish(5, person="person"), drop=["person"])

    assert by_rows[1][0] == "34"  # five rows of one person
    assert report.result.smallest_class >= 5
    assert by_people[1][0] != "34"


@pytest.mark.parametrize(
    ("tree", "complaint"),
    [
        ("nurse;health;*\nclerk;office;*\n", "separated by commas"),
        ("nurse,health,*\n", "The hierarchy of 'job' lacks 1 of the values"),
        ("nurse,health,care,*\nclerk,office,*\n", "same number of levels"),
    ],
)
def test_hierarchies_that_do_not_fit_are_refused(run, tmp_path, tree, complaint):
    (tmp_path / "trees").mkdir()
    (tmp_path / "trees" / "job.csv").write_text(tree)

    with pytest.raises(AnonymisationError, match=complaint):
        run("age,job\n20,nurse\n21,clerk\n", ["age", "job"], hierarchies=tmp_path / "trees")


def test_a_hierarchy_of_numbers_replaces_their_ranges(run, tmp_path):
    (tmp_path / "trees").mkdir()
    (tmp_path / "trees" / "age.csv").write_text("".join(f"{age},{age // 10}0s,*\n" for age in range(20, 40)))

    rows, report = run("age,d\n21,x\n24,x\n33,x\n35,x\n", ["age"], 2, hierarchies=tmp_path / "trees")

    assert report.result.generalised_as == {"age": "hierarchy"}
    assert [row[0] for row in rows[1:]] == ["20s", "20s", "30s", "30s"]


def test_keys_of_which_all_are_unique_become_one_range(run):
    rows, report = run("n,d\n" + "".join(f"{n},x\n" for n in range(50)), ["n"], 50)

    assert {row[0] for row in rows[1:]} == {"0..49"}
    assert report.result.ncp == 1


def test_a_table_without_rows_is_refused(run):
    with pytest.raises(AnonymisationError, match="0 rows; k=2"):
        run("age,d\n", ["age"])


QUOTED = [
    'a,b\n1,"x, y"\n2,"x, y"\n',
    'a,b\n1,"say ""x"""\n2,"say ""x"""\n',
    'a,b\n"1","line\nbreak"\n"2","line\nbreak"\n',
    "a,b\r\n1,x\r\n\r\n2,x\r\n",
    "a,b\r1,x\r2,x\r",
    'a,b\n1,5"disk\n2,5"disk\n',
    'a,b\n1,""\n2,""\n',
    "\ufeffa,b\n1,x\n2,x",
    "a, b\n1, x \n 2, x \n",
    '"a",b\n1,x\n2,x\n',
]


@pytest.mark.parametrize("table", QUOTED, ids=ascii)
@pytest.mark.parametrize("block", [1 << 22, 1, 3])
def test_arrow_and_the_row_reader_find_the_same_cells(tmp_path, monkeypatch, table, block):
    monkeypatch.setattr("privacy.anonymisation.files.inspection._BLOCK", block)
    path = tmp_path / "in.csv"
    path.write_bytes(table.encode())
    opened = CsvTable.open(path)

    (found,) = opened.batches(["a", "b"])

    rows = list(opened.rows())
    assert list(zip(found["a"].to_pylist(), found["b"].to_pylist(), strict=True)) == [tuple(row) for row in rows]
    assert len(rows) == 2


@pytest.mark.parametrize("table", ['a,b\n1,"x"y\n2,z\n', 'a,b\n1,x\n2,"z\n', "a,b\n1,x\n2\n", "a,b\n1,x,y\n"])
@pytest.mark.parametrize("block", [1 << 22, 1])
def test_a_torn_line_is_named(tmp_path, monkeypatch, table, block):
    monkeypatch.setattr("privacy.anonymisation.files.inspection._BLOCK", block)
    path = tmp_path / "in.csv"
    path.write_bytes(table.encode())

    with pytest.raises(AnonymisationError, match=r"Line \d"):
        list(CsvTable.open(path).batches(["a", "b"]))


@pytest.mark.parametrize("name", ["a;b;c", "tab\there", "=q", "-q", "two\nlines", 'say "x"', "q, r"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_names_may_hold_what_separates_and_what_begins_a_formula(run, name, separator):
    quoted = '"' + name.replace('"', '""') + '"'

    rows, report = run(f"{quoted}{separator}x\n" + f"1{separator}y\n2{separator}z\n" * 2, [name])

    assert rows[0] == [f"'{name}" if name[0] in "=-" else name, "x"]
    assert [row[1] for row in rows[1:]] == ["y", "z"] * 2
    assert report.quasi_identifiers == (name,)


def test_a_quote_within_a_name_is_no_quoted_name(run):
    rows, _ = run('5" pipe;x\n1;y\n1;z\n1;y\n', ["x"], k=3)

    assert rows[0] == ['5" pipe', "x"]


def test_values_that_read_the_same_in_csv_are_one_class_to_a_reader(run):
    rows, report = run("a\n" + "=1\n'=1\n" * 3, ["a"], k=3)

    assert rows[1:] == [["'=1"]] * 6
    assert report.result.smallest_class == 3


@pytest.mark.parametrize("tree", [None, "*"])
def test_a_suppressed_row_says_nothing_but_that_it_is_there(run, tmp_path, tree):
    ages = [number % 3 + 20 for number in range(60)]
    if tree:  # the only class reads as a suppressed row does
        (tmp_path / "trees").mkdir()
        (tmp_path / "trees" / "age.csv").write_text("".join(f"{age},*\n" for age in (20, 21, 22, 99)))
    text = "age,illness,note\n" + "".join(f"{age},flu,x{age}\n" for age in ages) + "99,gout,alone\n"
    wish = Wish(25, "illness", suppress=0.05)

    rows, report = run(text, ["age"], wish=wish, hierarchies=tmp_path / "trees" if tree else None)

    if report.result.suppressed:
        assert rows[-1] == ["*", "", ""]
        assert "gout" not in str(rows)
    assert tree or report.result.suppressed == 1
    assert len(rows) == 62


def test_numbers_of_more_digits_than_are_kept_are_refused(run):
    with pytest.raises(UnusableColumn, match="too long to be kept exactly"):
        run("a\n" + "0.12345678901234567891\n0.5\n" * 2, ["a"])
    rows, _ = run("a\n" + "0.10000000000000001\n0.5000000000000000000\n" * 2, ["a"])
    assert [row[0] for row in rows[1:]] == ["0.1", "0.5"] * 2
