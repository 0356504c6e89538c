"""Files of spreadsheets and mail tools that import the wrong thing without a word, each with its right outcome.

Kinds: a number where a time belongs, a record torn over several lines, white space around an id, and texts that stand
for several people. Each line is refused where an officer sees it, or read as the person it means; a stored no stays.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from consent.importing.reading import UnusableFile
from consent.ledger import selectors, verification
from consent.models import ConsentRecord, DataSubject
from consent.pseudonyms import subject_ref
from tests.helpers.import_rows import PROVEN, row

pytestmark = pytest.mark.django_db
HEADER = "subject_id,purpose,choice,recorded_at"
NUMBERS = [
    "20260105",
    "46027.4166",
    "46027",
    "2026",
    "1767607200",
    "-1",
    "1e9",
    "202601051000",
    "1767607200000",
    "10.30",
    "1767607200000000",
    "46027,4166",
]
# Times of which nobody but their writer knows the order, the zone or the calendar.
AMBIGUOUS = [
    "03/04/2026 10:00",
    "04.03.2026 10:00",
    "2026-01-05",
    "2026-01-05 10:00:00",
    "2026-01-05T10:00Z",
    "2026-01-05T24:00:00Z",
    "2026-01-05 10:00:00 CET",
    "2026-02-29T10:00:00Z",
    "\uff12026-01-05T10:00:00Z",
    "Mon, 05 Jan 2026 10:00:00 GMT",
]
# What a program writes where it has no time, and what another one made of 46027.4 before it exported.
NO_TIME = ["1970-01-01T00:00:00Z", "1970-01-01T12:47:07Z", "1980-01-01T00:00:00Z", "0001-01-01T00:00:00Z"]


def stated(person: str) -> str:
    _, states = selectors.states(subject_ref(person), now=datetime(2026, 2, 1, tzinfo=UTC))
    return {found.purpose.slug: found.state for found in states}["recommendations"]


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def written(text: str) -> Path:
        path = tmp_path / "cases.csv"
        path.write_text(text)
        return path

    return written


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_is_no_time(take: Any, report: Any, number: str) -> None:
    take(row(choice="withdraw", recorded_at=number), name="suppressed.csv")

    assert report() == [(2, "invalid_value")]
    assert not ConsentRecord.objects.exists()


@pytest.mark.parametrize("name", ["suppressed.csv", "suppressed.jsonl"])
@pytest.mark.parametrize("moment", AMBIGUOUS + NO_TIME)
def test_a_withdrawal_without_a_certain_time_is_refused(take: Any, report: Any, moment: str, name: str) -> None:
    take(row(choice="withdraw", recorded_at=moment), name=name)

    assert [code for _line, code in report()] == ["invalid_value"]
    assert not ConsentRecord.objects.exists()


@pytest.mark.parametrize(("written", "utc"), [("2026-01-05T10:00:00-00:00", 10), ("2026-01-05t11:00:00+01:00", 10)])
def test_a_time_with_its_offset_is_taken_in_any_form_of_the_standard(take: Any, written: str, utc: int) -> None:
    assert take(row(choice="withdraw", recorded_at=written), name="suppressed.csv").imported == 1
    assert ConsentRecord.objects.get().recorded_at == datetime(2026, 1, 5, utc, tzinfo=UTC)


@pytest.mark.parametrize("word", ["null", "NULL", "nan", "None", "undefined", "N/A"])
@pytest.mark.parametrize("column", ["source", "interface", "channel", "notice_version", "age_band"])
def test_a_word_for_a_missing_value_proves_nothing(take: Any, report: Any, column: str, word: str) -> None:
    # Of source and interface one is enough to prove a yes, so a word in their place would turn a stored no.
    take(row(choice="refuse"))
    take(row(**{**PROVEN, "interface": None, "source": None, column: word, "recorded_at": "2026-01-02T10:00:00Z"}))
    take(row(**{**PROVEN, "interface": None, column: word, "recorded_at": "2026-01-02T10:00:00Z"}), name="yes.csv")

    assert report() == [(2, "invalid_value")]
    assert stated("customer-1") == "refused"


@pytest.mark.parametrize(("column", "value"), [("region", "NA"), ("locale", "nan"), ("locale", "na")])
def test_codes_that_look_like_such_words_are_taken(take: Any, column: str, value: str) -> None:
    assert take(row(**{**PROVEN, column: value}), name="codes.csv").imported == 1


@pytest.mark.parametrize(("word", "taken"), [("TRUE", True), ("1", True), ("FALSE", False), ("0", False)])
def test_a_truth_value_is_taken_as_spreadsheets_write_it(take: Any, word: str, taken: bool) -> None:
    take(row(explicit=word), name="truth.csv")

    assert ConsentRecord.objects.get().explicit is taken


@pytest.mark.parametrize("word", ["VRAI", "WAHR", "yes", "on", "2", "1.0"])
def test_a_truth_value_in_other_words_is_refused(take: Any, report: Any, word: str) -> None:
    take(row(explicit=word), row("customer-2", gpc=word), name="truth.csv")

    assert [code for _line, code in report()] == ["invalid_value", "invalid_value"]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_is_no_end_either(take: Any, report: Any, number: str) -> None:
    take(row(expires_at=number), name="subscribed.csv")

    assert report() == [(2, "invalid_value")]


def test_a_sorted_file_keeps_the_withdrawal_visible(take: Any, report: Any) -> None:
    take(row(), row(choice="withdraw", recorded_at="20260105"), name="sorted.csv")

    assert report() == [(3, "invalid_value")], "refused for its time, and not as a line out of order"


@pytest.mark.parametrize("day", ["20310517", "47255", "2031-05-17T00:00:00Z"])
def test_a_day_of_majority_is_a_day(take: Any, report: Any, day: str) -> None:
    guardian = {"guardian_id": "p", "guardian_method": "card", "adult_on": day}
    take(row(region="DE", age_band="child", **PROVEN, **guardian), name="children.csv")

    assert report() == [(2, "invalid_value")]


@pytest.mark.parametrize("space", [" ", "\u00a0", "\ufeff", "\u200b", "\t"])
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_withdrawal_with_space_around_the_id_reaches_the_person(take: Any, file: Any, space: str, place: str) -> None:
    take(row("sp-1@example.org", **PROVEN, region="DE"))
    cells = {"purpose": "recommendations", "choice": "withdraw", "recorded_at": "2026-01-05T10:00:00Z"}
    names = list(cells)
    names.insert({"first": 0, "middle": 1, "last": 3}[place], "subject_id")
    cells["subject_id"] = f"{space}sp-1@example.org{space}"

    assert take(file(f"{','.join(names)}\n{','.join(cells[name] for name in names)}\n")).imported == 1

    assert (stated("sp-1@example.org"), DataSubject.objects.count()) == ("withdrawn", 1)
    assert verification.verify_ledger().ok


@pytest.mark.parametrize("person", ["4.91512E+12", "4,91512E+12", "null", "NULL", "nan", "#N/A", "   "])
@pytest.mark.parametrize("name", ["old.csv", "old.jsonl"])
def test_an_id_that_stands_for_several_people_is_refused(take: Any, report: Any, person: str, name: str) -> None:
    take(row(person), row("customer-2"), name=name)

    assert DataSubject.objects.count() == 1
    assert [code for _line, code in report()] in (["invalid_value"], ["missing_value"])


def test_a_guardian_must_be_one_person_too(take: Any, report: Any) -> None:
    guardian = {"guardian_id": "nan", "guardian_method": "card", "adult_on": "2031-05-17"}
    take(row(region="DE", age_band="child", **PROVEN, **guardian))

    assert report() == [(1, "invalid_value")]


@pytest.mark.parametrize(
    "torn",
    [
        ['"anna', '@example.org",recommendations,give,2025-03-01T10:00:00Z'],
        ['"anna', "inner@example.org,recommendations,give,2025-03-01T10:00:00Z", '",recommendations,give,2025-03-01'],
        ['x,"reco', 'mmendations",give,2025-03-01T10:00:00Z'],
    ],
)
def test_a_record_torn_over_lines_imports_no_half_of_a_person(
    take: Any, file: Any, report: Any, torn: list[str]
) -> None:
    good = "customer-2,recommendations,give,2025-03-01T10:00:00Z"

    assert take(file("\n".join([HEADER, *torn, good]))).imported == 1

    assert report() == [(1 + len(torn), "not_csv")]
    assert list(DataSubject.objects.values_list("ref", flat=True)) == [subject_ref("customer-2")]


@pytest.mark.parametrize(
    "line", ['anna",recommendations,give,2025-03-01T10:00:00Z', 'a"b"c,recommendations,give,2025-03-01T10:00:00Z']
)
def test_the_second_half_of_a_torn_record_is_no_record(take: Any, file: Any, report: Any, line: str) -> None:
    take(file(f"{HEADER}\n{line}\n"))

    assert report() == [(2, "not_csv")]


def test_whole_quoted_cells_are_read(take: Any, file: Any) -> None:
    assert take(file(f'{HEADER}\n"a ""b"" c","recommendations",give,"2025-03-01T10:00:00Z"\n')).imported == 1
    assert DataSubject.objects.get().ref == subject_ref('a "b" c')


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_mark_of_byte_order_and_any_line_end_are_taken(take: Any, file: Any, end: str) -> None:
    path = file("")
    path.write_bytes(("\ufeff" + end.join([HEADER, "a,recommendations,give,2025-03-01T10:00:00Z", ""])).encode())

    assert take(path).imported == 1


@pytest.mark.parametrize("separator", [";", "\t"])
def test_another_separator_is_named_in_the_refusal(take: Any, file: Any, separator: str) -> None:
    with pytest.raises(UnusableFile, match="commas, not semicolons or tabs"):
        take(file(HEADER.replace(",", separator)))


@pytest.mark.parametrize(
    "data", [HEADER.encode("utf-16"), f"sep=,\n{HEADER}\n".encode(), HEADER.replace(",", "\r").encode()]
)
def test_other_forms_of_a_file_are_refused_as_a_whole(take: Any, file: Any, data: bytes) -> None:
    path = file("")
    path.write_bytes(data)

    with pytest.raises(UnusableFile):
        take(path)


@pytest.mark.parametrize("name", ["cases.csv", "cases.jsonl"])
def test_a_file_in_utf_16_is_refused_by_its_name(take: Any, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(HEADER.encode("utf-16"))

    with pytest.raises(UnusableFile) as refusal:
        take(path)

    assert "UTF-16" in refusal.value.detail


@pytest.mark.parametrize(
    ("locale", "proven"),
    [
        ("en-GB", True),
        ("en", True),
        ("EN-us", True),
        ("en_GB", True),
        ("en-GB-oxendict", True),
        ("en-US-u-hc-h12", True),
        ("de-DE", False),
        ("de-1901", False),
        ("zh-Hant-TW", False),
        ("ca-ES-valencia", False),
    ],
)
def test_a_language_finds_its_text_by_lookup(take: Any, locale: str, proven: bool) -> None:
    assert take(row(**{**PROVEN, "locale": locale})).unproven == (not proven)
    assert ("notice" in ConsentRecord.objects.get().proof) is proven


def test_an_imported_yes_of_after_majority_is_refused(take: Any, report: Any) -> None:
    guardian = {"guardian_id": "par-1", "guardian_method": "video", "adult_on": "2020-01-01"}
    take(row("kid-1", region="DE", age_band="child", **PROVEN, **guardian))

    assert report() == [(1, "already_of_age")]


def test_an_imported_yes_of_a_guardian_for_an_adult_is_refused(take: Any, report: Any) -> None:
    guardian = {"guardian_id": "par-1", "guardian_method": "video", "adult_on": "2031-01-01"}
    take(row("kid-1", region="DE", age_band="adult", **PROVEN, **guardian))

    assert report() == [(1, "already_of_age")]


def test_a_childs_history_is_taken_though_the_person_is_an_adult_now(take: Any) -> None:
    take(row("kid-1", "refuse", purpose="newsletter", region="DE", age_band="adult"))
    guardian = {"guardian_id": "par-1", "guardian_method": "video", "adult_on": "2025-12-01"}

    assert take(row("kid-1", region="DE", age_band="child", **PROVEN, **guardian), name="history.jsonl").imported == 1
