"""Taking everything out: all records or what is in force, whole or not at all, people by pseudonym."""

import csv
import gzip
import json

import pytest
from django.core.management import CommandError, call_command

from consent import exporting
from consent.ledger.records import record_digest
from consent.models import ConsentRecord
from consent.pseudonyms import subject_ref
from tests.helpers.import_rows import PROVEN, at, row

pytestmark = pytest.mark.django_db
PART = {"purpose": "newsletter", "channel": "email"}


@pytest.fixture
def filled(take):
    take(
        row("customer-1", **PROVEN),
        row("customer-1", "refuse", recorded_at=at(30)),
        row("customer-2", **PART, region="DE", recorded_at="2025-03-01T10:00:00.123456+02:00"),
    )


def test_every_record_leaves_with_its_proof_and_its_chain(filled, tmp_path):
    call_command("export_consents", output=tmp_path / "all.jsonl")

    found = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    stored = ConsentRecord.objects.order_by("subject_id", "subject_revision")
    assert [(line["record"], line["digest"], line["proof"]) for line in found] == [
        (str(record.id), bytes(record.digest).hex(), record.proof) for record in stored
    ]
    assert "customer-1" not in (tmp_path / "all.jsonl").read_text()
    assert (tmp_path / "all.jsonl").stat().st_mode & 0o077 == 0


def test_the_digest_of_a_record_can_be_computed_from_its_line(filled, tmp_path):
    exporting.export_to(tmp_path / "all.jsonl", "records", "jsonl")

    for line in map(json.loads, (tmp_path / "all.jsonl").read_text().splitlines()):
        fields = {**line, "id": line.pop("record"), "subject": line.pop("subject_ref")}
        fields = {name: value for name, value in fields.items() if name not in ("record", "subject_ref", "digest")}
        fields["recorded_at"] = fields["recorded_at"].replace("Z", "+00:00")
        fields["expires_at"] = fields["expires_at"] and fields["expires_at"].replace(".000000Z", "+00:00")
        if not fields["scope"]:
            del fields["scope"]
        assert record_digest(fields).hex() == line["digest"]


def test_what_is_in_force_leaves_as_one_line_a_choice(filled, tmp_path):
    call_command("export_consents", "--state", output=tmp_path / "now.csv.gz")

    with gzip.open(tmp_path / "now.csv.gz", "rt") as file:
        found = {(line["subject_ref"], line["purpose"], line["scope"]): line for line in csv.DictReader(file)}
    assert {key: line["state"] for key, line in found.items()} == {
        (str(subject_ref("customer-1")), "recommendations", ""): "withdrawn",
        (str(subject_ref("customer-2")), "newsletter", "channel=email"): "given",
    }
    assert json.loads(found[str(subject_ref("customer-2")), "newsletter", "channel=email"]["proof"])["imported"]


def test_standard_output_is_used_where_no_file_is_named(filled, capfdbinary):
    call_command("export_consents", format="csv")

    assert len(list(csv.DictReader(capfdbinary.readouterr().out.decode().splitlines()))) == 3


def test_a_file_that_could_not_be_written_whole_does_not_appear(filled, tmp_path, monkeypatch):
    (tmp_path / "all.csv").write_text("an older one")

    def fail(what, kind, output):
        output.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting, "export", fail)

    with pytest.raises(CommandError, match="No space left"):
        call_command("export_consents", output=tmp_path / "all.csv")

    assert [path.name for path in tmp_path.glob("*all.csv*")] == ["all.csv"]
    assert (tmp_path / "all.csv").read_text() == "an older one"


def test_lines_are_written_as_they_come(filled):
    class Pieces:
        count = 0

        def write(self, piece):
            self.count += 1

    pieces = Pieces()

    exporting.export("records", "csv", pieces)

    assert pieces.count == 4  # the header and each record on their own: nothing is gathered
