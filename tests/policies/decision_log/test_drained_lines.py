"""What the drainer makes of lines: torn ones, unreadable ones, batches in a chain, a partition for each day."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from audit.models import AuditEvent
from common.canonical import sha256
from common.identifiers import uuid7_floor
from common.merkle import merkle_root
from policies.decision_log import chain, drainer
from policies.decision_log.drainer import drain
from policies.decision_log.spool import Spool
from policies.decisions import evaluate
from policies.models import Decision, DecisionBatch


def _die() -> None:
    """Release what this process holds on its spool, as its end would."""
    evaluate._spool.close()


def _logged() -> list[str]:
    return [str(identifier) for identifier in Decision.objects.order_by("id").values_list("id", flat=True)]


def test_the_torn_last_line_of_a_dead_process_is_passed_over(
    ask: Any, own_spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    answered = ask(2)
    _die()
    (path,) = own_spool.glob("*.spool")
    with path.open("ab") as spool:
        spool.write(b'{"id":"0198-jane')

    assert drain(own_spool) == 2

    assert _logged() == sorted(answered)
    assert list(own_spool.glob("*.spool")) == []
    assert "never answered" in caplog.text
    assert "jane" not in caplog.text


def test_the_unfinished_line_of_a_live_process_is_waited_for(tmp_path: Path, ask: Any, own_spool: Path) -> None:
    ask(2)
    (source,) = own_spool.glob("*.spool")
    first, second = source.read_bytes().splitlines(keepends=True)
    folder = tmp_path / "other"
    writer = Spool(folder)
    writer.append(first + second[:20])

    assert drain(folder) == 1
    writer.append(second[20:])

    assert drain(folder) == 1
    assert Decision.objects.count() == 2


def _changed(line: bytes, **members: Any) -> bytes:
    return json.dumps(json.loads(line) | members).encode()


UNREADABLE: dict[str, Callable[[bytes], bytes]] = {
    "no JSON": lambda line: line[:40] + b"\x00\x00\x00",
    "not UTF-8": lambda line: line.replace(b"service:shop", b"service:\xff\xfe"),
    "a surrogate in UTF-8": lambda line: line.replace(b"service:shop", b"service:\xed\xa0\x80"),
    "zeros": lambda line: bytes(len(line)),
    "a list": lambda line: b"[]",
    "an empty object": lambda line: b"{}",
    "no subject": lambda line: line.replace(b'"subject":', b'"sub_ject":'),
    "an id that is none": lambda line: _changed(line, id="0198"),
    "a time that is none": lambda line: _changed(line, at_us="yesterday"),
    "a time beyond time": lambda line: _changed(line, at_us=10**30),
    "facts that are none": lambda line: _changed(line, facts=[]),
    "reasons that are none": lambda line: _changed(line, reasons=[3]),
}


@pytest.mark.parametrize("spoil", UNREADABLE.values(), ids=UNREADABLE)
def test_a_line_that_cannot_be_read_is_audited_and_does_not_stop_the_others(
    ask: Any, own_spool: Path, caplog: pytest.LogCaptureFixture, spoil: Callable[[bytes], bytes]
) -> None:
    before, _, after = ask(3)
    _die()
    (path,) = own_spool.glob("*.spool")
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([lines[0], spoil(lines[1]), lines[2]]) + b"\n")

    drain(own_spool)

    assert _logged() == sorted([before, after])
    event = AuditEvent.objects.get(action="decision_log.line_unreadable")
    assert event.object == path.name
    assert event.details == {"bytes": len(spoil(lines[1]))}
    assert [record.levelno for record in caplog.records if record.name == "policies.decision_log.drainer"] == [
        logging.ERROR
    ]
    assert chain.verify().ok


def test_a_spool_of_nothing_readable_leaves_no_batch(own_spool: Path, ask: Any) -> None:
    own_spool.mkdir(parents=True)
    (own_spool / "dead.spool").write_bytes(b"nonsense\n" * 3)

    drain(own_spool)

    assert not DecisionBatch.objects.exists()
    assert AuditEvent.objects.filter(action="decision_log.line_unreadable").count() == 3
    assert list(own_spool.glob("*.spool")) == []


def test_batches_are_chained(ask: Any, own_spool: Path) -> None:
    for count in (1, 3, 2):
        ask(count)
        drain(own_spool)

    batches = list(DecisionBatch.objects.order_by("sequence"))

    assert [(batch.sequence, batch.decision_count) for batch in batches] == [(1, 1), (2, 3), (3, 2)]
    assert bytes(batches[0].previous) == drainer.GENESIS
    assert [bytes(b.previous) for b in batches[1:]] == [bytes(b.digest) for b in batches[:-1]]
    leaves = [sha256(d.entry.encode()) for d in batches[1].decisions.order_by("position")]
    assert bytes(batches[1].root) == merkle_root(leaves)


def test_a_long_spool_is_copied_in_several_batches(ask: Any, own_spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answered = ask(6)
    monkeypatch.setattr(drainer, "_BATCH_BYTES", 2_500)

    assert drain(own_spool) == 6

    assert _logged() == sorted(answered)
    assert DecisionBatch.objects.count() > 1
    assert chain.verify().ok


def _partitions() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id::text, tableoid::regclass::text FROM policies_decision ORDER BY id")
        return dict(cursor.fetchall())


def _at(line: bytes, decided: datetime, identified: datetime) -> bytes:
    return _changed(line, id=str(uuid7_floor(identified)), at_us=int(decided.timestamp() * 1_000_000)) + b"\n"


def test_the_log_is_partitioned_by_day_and_midnight_loses_nothing(ask: Any, own_spool: Path, tmp_path: Path) -> None:
    ask(1)
    (source,) = own_spool.glob("*.spool")
    line = source.read_bytes()
    midnight = datetime(2031, 1, 2, tzinfo=UTC)
    moment = timedelta(milliseconds=1)
    writer = Spool(tmp_path / "other")
    writer.append(_at(line, midnight - moment, midnight - moment))
    # Decided before midnight, and given its identifier after it.
    writer.append(_at(line, midnight - moment, midnight))
    writer.append(_at(line, midnight + 36 * timedelta(hours=1), midnight + 36 * timedelta(hours=1)))

    assert drain(tmp_path / "other") == 3

    assert list(_partitions().values()) == [
        "policies_decision_20310101",
        "policies_decision_20310102",
        "policies_decision_20310103",
    ]
    assert chain.verify().ok


@pytest.mark.parametrize("statement", ["UPDATE {} SET outcome = 'permit'", "DELETE FROM {}"])
def test_the_log_and_its_partitions_are_append_only(ask: Any, own_spool: Path, statement: str) -> None:
    ask(1)
    drain(own_spool)
    (partition,) = _partitions().values()

    for table in ("policies_decision", partition):
        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement.format(table))
