"""The decision log as a file, over a range, and by filter."""

import csv
import gzip
import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pyarrow import parquet

from audit.models import AuditEvent
from policies.decision_log import chain
from policies.decision_log import parquet as log_parquet
from policies.decision_log.drainer import drain
from policies.models import Decision
from tests.helpers.wsgi_calls import call, question


@pytest.fixture
def log(shop_token, own_spool):
    """Three batches of a permit and a denial."""
    for _ in range(3):
        call(question(), shop_token)
        call(question("stranger"), shop_token)
        drain(own_spool)
    return list(Decision.objects.order_by("pk"))


def test_json_lines_are_the_entries_as_they_were_written(log, tmp_path):
    said = StringIO()

    call_command("export_decisions", "--since", "1d", "-o", str(tmp_path / "log.jsonl.gz"), stdout=said)

    written = gzip.decompress((tmp_path / "log.jsonl.gz").read_bytes()).decode().splitlines()
    assert written == [decision.entry for decision in log]
    assert "6 decisions written" in said.getvalue()
    assert AuditEvent.objects.filter(action="decision_log.exported").exists()


def test_quotes_and_backslashes_survive(log, as_attacker, tmp_path):
    entry = json.dumps({"a": 'say "hi", \\n'})
    as_attacker(f"UPDATE policies_decision SET entry = '{entry}' WHERE id = '{log[0].pk}'")

    call_command("export_decisions", "--since", "1d", "-o", str(tmp_path / "log.jsonl"), stdout=StringIO())

    assert (tmp_path / "log.jsonl").read_text().splitlines()[0] == entry


def test_csv_holds_the_columns(log, tmp_path):
    call_command("export_decisions", "--since", "1d", "-o", str(tmp_path / "log.csv"), stdout=StringIO())

    rows = list(csv.DictReader(StringIO((tmp_path / "log.csv").read_text())))
    assert [row["id"] for row in rows] == [str(decision.pk) for decision in log]
    assert rows[0]["purpose"] == "recommendations"
    assert rows[1]["reasons"].split() == log[1].reasons


def test_parquet_holds_the_columns_of_the_csv_with_types(log, tmp_path):
    for name in ("log.csv", "log.parquet"):
        call_command("export_decisions", "--since", "1d", "-o", str(tmp_path / name), stdout=StringIO())

    table = parquet.read_table(tmp_path / "log.parquet")
    written = list(csv.DictReader(StringIO((tmp_path / "log.csv").read_text())))
    assert table.schema.names == list(written[0])
    assert [_as_in_csv(row) for row in table.to_pylist()] == written
    assert [str(table.schema.field(name).type) for name in ("decided_at", "reasons", "batch")] == [
        "timestamp[us, tz=UTC]", "list<element: string>", "int64",
    ]  # fmt: skip
    assert table["decided_at"].to_pylist() == [decision.decided_at for decision in log]


def _as_in_csv(row):
    moment = row["decided_at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    texts = {name: str(value) for name, value in row.items()}
    return {**texts, "decided_at": moment, "reasons": " ".join(row["reasons"])}


def test_parquet_is_written_group_by_group(log, tmp_path, monkeypatch):
    monkeypatch.setattr(log_parquet, "ROWS_OF_A_GROUP", 4)

    call_command("export_decisions", "--format", "parquet", "-o", str(tmp_path / "log"), stdout=StringIO())

    written = parquet.ParquetFile(tmp_path / "log")
    assert [written.metadata.row_group(group).num_rows for group in range(written.num_row_groups)] == [4, 2]


def test_parquet_of_no_decisions_has_columns(log, tmp_path):
    path = tmp_path / "log.parquet"

    call_command("export_decisions", "--since", "2d", "--until", "1d", "-o", str(path), stdout=StringIO())

    table = parquet.read_table(path)
    assert (table.num_rows, table.num_columns) == (0, 12)


def test_packed_parquet_is_refused(log, tmp_path):
    with pytest.raises(CommandError, match="packed already"):
        call_command("export_decisions", "-o", str(tmp_path / "log.parquet.gz"), stdout=StringIO())


def test_what_lies_outside_the_time_is_left_out(log, tmp_path):
    path = tmp_path / "log.jsonl"

    call_command("export_decisions", "--since", "2d", "--until", "1d", "-o", str(path), stdout=StringIO())

    assert path.read_bytes() == b""


@pytest.mark.parametrize("name", ["log.xlsx", "log", "nowhere/log.csv"])
def test_a_file_that_cannot_be_written_is_refused_in_a_sentence(log, tmp_path, name):
    with pytest.raises(CommandError, match=r"end the name in|No such file"):
        call_command("export_decisions", "-o", str(tmp_path / name), stdout=StringIO())


def test_a_range_is_verified_and_what_lies_before_it_is_not(log, as_attacker):
    now = timezone.now()
    as_attacker(f"UPDATE policies_decisionbatch SET created_at = '{now - timedelta(days=3)}' WHERE sequence = 1")

    lately = chain.verify(since=now - timedelta(days=1))

    assert (lately.ok, lately.batches, lately.decisions) == (True, 2, 4)
    assert not chain.verify().ok
    assert not chain.verify(until=now - timedelta(days=1)).ok


def test_a_link_broken_at_the_edge_of_a_range_is_named(log, as_attacker):
    now = timezone.now()
    as_attacker(
        f"UPDATE policies_decisionbatch SET created_at = '{now - timedelta(days=3)}', digest = sha256('x')"
        " WHERE sequence = 1"
    )

    assert "does not continue batch 1" in str(chain.verify(since=now - timedelta(days=1)).broken)
