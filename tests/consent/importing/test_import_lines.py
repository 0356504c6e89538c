"""Which lines are taken in, which are refused, and that no refusal says whose line it was."""

import gzip
import io
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import strategies as st

from consent.importing import reading
from consent.importing.reading import Refused, UnusableFile
from consent.ledger import selectors, verification
from consent.models import ConsentRecord, DataSubject
from consent.pseudonyms import subject_ref
from tests.helpers.import_rows import PROVEN, row
from tests.helpers.scale import property_test

pytestmark = pytest.mark.django_db
SECRET = "erika.mustermann@example.org"


def test_a_proven_line_becomes_a_record_with_its_proof(take):
    outcome = take(row(**PROVEN, region="DE", age_band="adult", explicit=True, gpc=True, layout_sha256="a" * 64))

    record = ConsentRecord.objects.get()
    assert (outcome.imported, outcome.unproven, outcome.refused.total()) == (1, 0, 0)
    assert (record.state, record.source, record.actor, record.notice_version) == ("given", "banner", "import:legacy", 1)
    assert record.recorded_at == datetime(2025, 3, 1, 10, tzinfo=UTC)
    assert record.proof["imported"].items() >= {"system": "legacy", "proven": True, "line": 1}.items()
    assert record.proof["notice"]["locale"] == "en"
    layout = {"layout_sha256": "a" * 64, "layout_unknown": True}
    assert record.proof["asked"] == {"interface": "web@3", **layout, "signals": {"gpc": True}}
    assert DataSubject.objects.get().ref == subject_ref("customer-1")
    assert verification.verify_ledger().ok


def test_a_guardians_yes_for_a_child_is_taken_with_who_agreed(take, report):
    guardian = {"guardian_id": "parent-9", "guardian_method": "card_check", "adult_on": "2031-05-17"}
    child = row(region="DE", age_band="child", **PROVEN)

    assert take({**child, **guardian}).imported == 1

    proof = ConsentRecord.objects.get().proof["guardian"]
    ref = str(subject_ref("parent-9", subject_type="guardian"))
    assert proof == {"ref": ref, "method": "card_check", "adult_on": "2031-05-17"}


@pytest.mark.parametrize(
    ("guardian", "code"),
    [
        ({}, "guardian_needed"),
        ({"guardian_id": "parent-9"}, "invalid_value"),
        ({"guardian_id": "parent-9", "guardian_method": "card_check"}, "invalid_value"),
        ({"guardian_id": "parent-9", "guardian_method": "card_check", "adult_on": "soon"}, "invalid_value"),
    ],
)
def test_a_childs_yes_without_all_about_the_guardian_is_refused(take, report, guardian, code):
    take(row(region="DE", age_band="child", **PROVEN, **guardian))

    assert report() == [(1, code)]


def test_a_choice_under_an_opt_out_signal_brings_the_signal_with_it(take):
    take(row(region="US-CA", gpc=True), row("customer-2", region="US-CA"))

    assert list(DataSubject.objects.exclude(gpc_since=None).values_list("ref", flat=True)) == [
        subject_ref("customer-1")
    ]


@pytest.mark.parametrize("missing", ["notice_version", "locale"])
def test_a_line_without_all_of_the_proof_is_marked_unproven(take, missing):
    outcome = take(row(**{**PROVEN, missing: None}))

    record = ConsentRecord.objects.get()
    assert outcome.unproven == 1
    assert record.proof["imported"]["proven"] is False
    assert "notice" not in record.proof


def test_a_line_that_names_no_notice_is_not_taken_for_a_yes_to_todays(take):
    take(row())

    _, states = selectors.states(subject_ref("customer-1"), now=datetime(2025, 6, 1, tzinfo=UTC))
    assert {state.purpose.slug: state.state for state in states}["recommendations"] == "renewal_required"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"purpose": "unheard_of"}, "purpose_unknown"),
        ({"notice_version": 7}, "notice_unknown"),
        ({"channel": "fax"}, "part_unknown"),
        ({"purpose": "order_fulfilment"}, "consent_not_asked"),
        ({"choice": "object"}, "cannot_object"),
        ({"purpose": "order_fulfilment", "choice": "withdraw"}, "consent_not_asked"),
        ({"recorded_at": (datetime.now(UTC) + timedelta(days=1)).isoformat()}, "in_the_future"),
        ({"recorded_at": "2025-03-01T10:00:00"}, "invalid_value"),
        ({"recorded_at": "0001-01-01T00:00:00+23:00"}, "invalid_value"),
        ({"recorded_at": "last spring"}, "invalid_value"),
        ({"recorded_at": None}, "missing_value"),
        ({"subject_id": None}, "missing_value"),
        ({"subject_id": ""}, "invalid_value"),
        ({"choice": SECRET}, "invalid_value"),
        ({"age_band": SECRET}, "invalid_value"),
        ({"notice_version": SECRET}, "invalid_value"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "invalid_value"),
        ({SECRET: "x"}, "unknown_member"),
    ],
)
def test_a_line_that_cannot_be_is_refused_and_the_next_one_taken(take, report, tmp_path, changes, code):
    outcome = take(row(SECRET, **changes), row("customer-2"))

    assert report() == [(1, code)]
    assert (outcome.imported, dict(outcome.refused)) == (1, {code: 1})
    assert SECRET not in (tmp_path / "report.jsonl").read_text()
    assert str(subject_ref(SECRET)) not in (tmp_path / "report.jsonl").read_text()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{", "not_json"),
        ("[]", "not_json"),
        ('{"choice": "refuse", "choice": "give"}', "not_json"),
        ('{"subject_id": "\\ud800"}', "not_json"),
        ("[" * 10_000, "not_json"),
        ("x" * 200_000, "line_too_long"),
    ],
)
def test_what_is_not_one_object_is_refused(take, report, line, code):
    take(line, row("customer-2"))

    assert report() == [(1, code)]
    assert ConsentRecord.objects.count() == 1


def test_csv_says_the_same_as_json_lines(take, write):
    outcome = take(row(**PROVEN, explicit="true"), row("customer-2", choice="refuse"), name="old.csv")

    assert (outcome.imported, outcome.unproven) == (2, 1)
    assert ConsentRecord.objects.get(state="given").explicit is True
    assert ConsentRecord.objects.get(state="given").proof["imported"]["line"] == 2  # the header is line 1


def test_a_mark_of_byte_order_and_packing_are_tolerated(take, tmp_path):
    text = (
        b"\xef\xbb\xbfsubject_id,purpose,choice,recorded_at\r\ncustomer-1,newsletter,give,2025-03-01T10:00:00Z\r\n\r\n"
    )
    (tmp_path / "old.csv.gz").write_bytes(gzip.compress(text))

    assert take(tmp_path / "old.csv.gz").imported == 1


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('"open,newsletter,give,2025-03-01T10:00:00Z', "not_csv"),
        ("customer-1,newsletter", "not_csv"),
        ("\udcff,newsletter,give,2025-03-01T10:00:00Z", "not_utf8"),
    ],
)
def test_a_broken_csv_line_takes_no_other_with_it(take, report, tmp_path, line, code):
    good = "customer-2,newsletter,give,2025-03-01T10:00:00Z"
    text = f"subject_id,purpose,choice,recorded_at\n{line}\n{good}"
    (tmp_path / "old.csv").write_bytes(text.encode("utf-8", "surrogateescape"))

    assert take(tmp_path / "old.csv").imported == 1
    assert report() == [(2, code)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("old.csv", ""),
        ("old.csv", f"{SECRET},newsletter,give,2025-03-01T10:00:00Z\n"),
        ("old.csv", "subject_id;purpose;choice;recorded_at\n"),
        ("old.csv", "subject_id,purpose,choice\n"),
        ("old.csv", "subject_id,purpose,choice,recorded_at,purpose\n"),
        ("old.txt", "{}\n"),
        ("old.jsonl.gz", "not packed\n"),
    ],
)
def test_a_file_that_cannot_be_read_so_is_refused_as_a_whole(take, tmp_path, name, text):
    (tmp_path / name).write_text(text)

    with pytest.raises(UnusableFile) as refusal:
        take(tmp_path / name)

    assert SECRET not in refusal.value.detail
    assert not ConsentRecord.objects.exists()


@property_test(300, 30_000, pieces=st.lists(st.binary(max_size=200), max_size=8), kind=st.sampled_from(reading.FORMATS))
def test_garbage_is_refused_line_by_line(pieces, kind):
    header = b"subject_id,purpose,choice,recorded_at,notice_version,explicit\n" if kind == "csv" else b""

    found = list(reading.lines(io.BytesIO(header + b"\n".join(pieces)), kind))

    assert all(isinstance(line.row, Refused) for line in found)


_TEXT = st.text(max_size=30) | st.sampled_from(["give", "true", "2025-03-01T10:00:00Z", "newsletter", "null", "en"])


@property_test(
    300,
    5_000,
    members=st.dictionaries(st.sampled_from(reading.COLUMNS), _TEXT | st.integers() | st.floats() | st.booleans()),
)
def test_a_line_of_any_members_is_a_row_or_a_refusal_that_does_not_quote_it(members):
    [line] = reading.lines(io.BytesIO(json.dumps(members).encode() + b"\n"), "jsonl")

    if isinstance(line.row, Refused):
        assert all(len(str(value)) < 12 or str(value) not in line.row.detail for value in members.values())


def test_only_a_few_lines_are_held_at_a_time():
    class Watched(io.RawIOBase):
        """A file far larger than memory, read only as far as somebody asks."""

        asked = 0

        def readable(self):
            return True

        def seekable(self):
            return True

        def readinto(self, buffer):
            text = b"{}\n" * (len(buffer) // 3)
            self.asked += len(text)
            buffer[: len(text)] = text
            return len(text)

        def seek(self, offset, whence=0):
            return 0

    source = Watched()
    lines = reading.lines(io.BufferedReader(source, buffer_size=4096), "jsonl")

    for _ in range(10_000):
        next(lines)

    assert source.asked < 10_000 * 3 + 2 * 4096


def test_the_identifier_of_a_record_begins_with_the_moment_of_the_choice(take):
    take(row())

    identifier = ConsentRecord.objects.get().id

    assert isinstance(identifier, UUID)
    assert (identifier.version, identifier.variant) == (7, "specified in RFC 4122")
    assert identifier.int >> 80 == int(datetime(2025, 3, 1, 10, tzinfo=UTC).timestamp() * 1000)
