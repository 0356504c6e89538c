"""What OPA servers reported is chained, verified, exported and forgotten; whoever changes it is found out."""

import csv
import json
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections, transaction
from django.utils import timezone
from pyarrow import parquet

from audit import trail
from audit.models import AuditEvent
from governance.evidence import checks
from policies import tasks
from policies.decision_log.ageing import exports
from policies.models import ExternalBatch, ExternalDecision
from policies.opa import reported_log

pytestmark = pytest.mark.django_db


def _row(**members: object) -> ExternalDecision:
    now = timezone.now()
    given = {
        "id": uuid.uuid4(), "decided_at": now, "received_at": now, "instance": "opa-1", "caller": "service:opa",
        "bundle_revision": "", "path": "governance/decision/answer", "outcome": "permit", "level": "segment",
        "reasons": ["level_capped_by_signal"], "facts": {"action": "personalize", "engine": {"segment_k": 20}},
    }  # fmt: skip
    return ExternalDecision(**{**given, **members})


@pytest.fixture
def log() -> list[ExternalDecision]:
    """Three reports of two decisions each, oldest first."""
    for _ in range(3):
        reported_log.append([_row(), _row(outcome="deny", reasons=[])], caller="service:opa")
    return list(ExternalDecision.objects.order_by("batch_id", "position"))


def test_a_log_nobody_touched_holds_together(log: list[ExternalDecision]) -> None:
    verdict = reported_log.verify()

    assert (verdict.ok, verdict.batches, verdict.decisions) == (True, 3, 6)


def test_nothing_new_makes_no_batch(log: list[ExternalDecision]) -> None:
    assert reported_log.append([_row(id=log[0].pk), _row(id=log[5].pk)], caller="service:opa") == 0
    assert ExternalBatch.objects.count() == 3


_COPY = (
    "INSERT INTO policies_externaldecision SELECT gen_random_uuid(), decided_at, received_at, instance, caller,"
    " bundle_revision, path, outcome, level, reasons, facts, {batch}, 9 FROM policies_externaldecision"
    " WHERE id = '{{third}}'"
)
_TAMPERING = {
    "an outcome": "UPDATE policies_externaldecision SET outcome = 'permit' WHERE id = '{second}'",
    "a fact": "UPDATE policies_externaldecision SET facts = '{{}}' WHERE id = '{third}'",
    "the server": "UPDATE policies_externaldecision SET instance = 'x' WHERE id = '{third}'",
    "the time": "UPDATE policies_externaldecision SET decided_at = now() WHERE id = '{third}'",
    "the order": "UPDATE policies_externaldecision SET position = 1 - position WHERE batch_id = 2",
    "a decision taken away": "DELETE FROM policies_externaldecision WHERE id = '{third}'",
    "a decision slipped in": _COPY.format(batch=2),
    "a decision of a batch that never was": _COPY.format(batch=99),
    "a decision without a batch": _COPY.format(batch=0),
    "the first batch taken away": "DELETE FROM policies_externalbatch WHERE sequence = 1",
    "a batch taken away": "DELETE FROM policies_externalbatch WHERE sequence = 2",
    "the last batch taken away": "DELETE FROM policies_externalbatch WHERE sequence = 3",
    "a batch's caller": "UPDATE policies_externalbatch SET caller = 'x' WHERE sequence = 2",
    "a link": "UPDATE policies_externalbatch SET previous = sha256('x') WHERE sequence = 3",
}


@pytest.mark.parametrize("statement", _TAMPERING.values(), ids=_TAMPERING)
def test_verification_finds_what_was_tampered_with(
    log: list[ExternalDecision], as_attacker: Callable[[str], None], statement: str
) -> None:
    as_attacker(statement.format(second=log[1].pk, third=log[2].pk))

    assert "OPA servers" in str(reported_log.verify().broken)
    assert checks.check(actor="test") is False
    said = StringIO()
    with pytest.raises(CommandError):
        call_command("verify", stdout=said)
    assert "Decisions of OPA servers: BROKEN" in said.getvalue()


def test_the_command_says_that_it_holds(log: list[ExternalDecision]) -> None:
    said = StringIO()

    call_command("verify", stdout=said)

    assert "Decisions of OPA servers: intact: 6 in 3 batches" in said.getvalue()


def test_what_came_in_before_there_were_batches_is_no_stray(log: list[ExternalDecision]) -> None:
    _row(received_at=timezone.now() - timedelta(days=2)).save(force_insert=True)

    assert reported_log.verify().ok


@pytest.mark.parametrize("table", ["policies_externaldecision", "policies_externalbatch"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {}", "UPDATE {} SET caller = 'x'"])
def test_nothing_young_is_changed_or_deleted(log: list[ExternalDecision], table: str, statement: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connections["default"].cursor() as c:
        c.execute(statement.format(table))


def _age(as_attacker: Callable[[str], None], days: int, upto: int) -> None:
    """Make the first batches old, as if time had passed: chained anew with the times moved."""
    moved = f"- interval '{days} days'"
    as_attacker(
        f"UPDATE policies_externaldecision SET received_at = received_at {moved} WHERE batch_id <= {upto};"
        f"UPDATE policies_externalbatch SET created_at = created_at {moved} WHERE sequence <= {upto}"
    )
    previous = reported_log.GENESIS
    for batch in ExternalBatch.objects.order_by("sequence"):
        rows = ExternalDecision.objects.filter(batch_id=batch.sequence).order_by("position")
        batch.root, batch.previous = reported_log.merkle_root([reported_log._leaf(row) for row in rows]), previous
        previous = reported_log._digest(batch)
        as_attacker(
            f"UPDATE policies_externalbatch SET root = '\\x{batch.root.hex()}', digest = '\\x{previous.hex()}',"
            f" previous = '\\x{batch.previous.hex()}' WHERE sequence = {batch.sequence}"
        )


def test_what_is_old_is_forgotten_and_the_rest_still_verifies(
    log: list[ExternalDecision], as_attacker: Callable[[str], None]
) -> None:
    _age(as_attacker, configured.OPA_DECISIONS_KEEP_DAYS + 1, upto=2)
    assert reported_log.verify().ok

    tasks.forget_external_decisions()
    tasks.forget_external_decisions()

    assert list(ExternalBatch.objects.values_list("sequence", flat=True)) == [3]
    verdict = reported_log.verify()
    assert (verdict.ok, verdict.decisions) == (True, 2)
    [event] = AuditEvent.objects.filter(action=reported_log.FORGOTTEN)
    assert (event.details["upto"], event.details["decisions"]) == (2, 4)
    reported_log.append([_row()], caller="service:opa")
    assert reported_log.verify().ok
    assert trail.verify().ok


def test_when_all_is_forgotten_the_chain_goes_on_where_it_was(
    log: list[ExternalDecision], as_attacker: Callable[[str], None]
) -> None:
    _age(as_attacker, 400, upto=3)

    reported_log.forget_old()
    reported_log.append([_row()], caller="service:opa")

    assert list(ExternalBatch.objects.values_list("sequence", flat=True)) == [4]
    assert reported_log.verify().ok


def test_what_is_old_is_exported_before_it_is_forgotten(
    log: list[ExternalDecision], as_attacker: Callable[[str], None], tmp_path: Path, settings: Any
) -> None:
    settings.DECISION_LOG_EXPORTS = tmp_path
    _age(as_attacker, 400, upto=2)

    tasks.forget_external_decisions()

    [event] = AuditEvent.objects.filter(action=reported_log.FORGOTTEN)
    path = tmp_path / "reported-1.parquet"
    assert event.details["export"]["rows"] == parquet.read_table(path).num_rows == 4
    assert [each.state(tmp_path) for each in exports.every()] == [None]
    path.write_bytes(b"x")
    assert [each.state(tmp_path) for each in exports.every()] == ["changed"]
    assert exports.forget_old(now=timezone.now() + timedelta(days=366)) == 1
    assert [each.state(tmp_path) for each in exports.every()] == ["gone"]


def test_what_cannot_be_exported_is_not_forgotten(
    log: list[ExternalDecision], as_attacker: Callable[[str], None], tmp_path: Path, settings: Any
) -> None:
    settings.DECISION_LOG_EXPORTS = tmp_path / "missing"
    _age(as_attacker, 400, upto=2)

    with pytest.raises(FileNotFoundError):
        tasks.forget_external_decisions()

    assert ExternalBatch.objects.count() == 3
    assert reported_log.verify().ok


def test_who_deletes_old_batches_without_a_word_is_found_out(
    log: list[ExternalDecision], as_attacker: Callable[[str], None]
) -> None:
    _age(as_attacker, 400, upto=1)
    ExternalDecision.objects.filter(batch_id=1).delete()  # the database lets what is old go
    ExternalBatch.objects.filter(sequence=1).delete()

    assert "batch 1 is missing" in str(reported_log.verify().broken)


def test_it_is_written_to_a_file(log: list[ExternalDecision], tmp_path: Path) -> None:
    for name in ("log.jsonl", "log.csv"):
        call_command("export_decisions", "--of-opa-servers", "-o", str(tmp_path / name), stdout=StringIO())

    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    rows = list(csv.DictReader((tmp_path / "log.csv").read_text().splitlines()))
    assert [line["id"] for line in lines] == [row["id"] for row in rows] == [str(decision.pk) for decision in log]
    assert lines[0]["facts"] == log[0].facts
    assert AuditEvent.objects.filter(action="external_log.exported").count() == 2


def test_it_is_written_as_parquet(log: list[ExternalDecision], tmp_path: Path) -> None:
    for name in ("log.csv", "log.parquet"):
        call_command("export_decisions", "--of-opa-servers", "-o", str(tmp_path / name), stdout=StringIO())

    table = parquet.read_table(tmp_path / "log.parquet")
    rows = list(csv.DictReader((tmp_path / "log.csv").read_text().splitlines()))
    assert table.schema.names == list(rows[0])
    for name in ("id", "outcome", "facts", "path"):
        assert table[name].to_pylist() == [row[name] for row in rows]
    assert table["received_at"].to_pylist() == [decision.received_at for decision in log]


@pytest.mark.django_db(transaction=True)
def test_reports_that_come_at_once_make_one_chain() -> None:
    same = [_row() for _ in range(5)]
    stored: list[int] = []

    def report() -> None:
        try:
            mine = [_row(id=row.pk) for row in same] + [_row()]
            stored.append(reported_log.append(mine, caller="service:opa"))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=report) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(stored) == [1, 1, 1, 6]
    assert reported_log.verify().ok
    assert ExternalDecision.objects.count() == 9
