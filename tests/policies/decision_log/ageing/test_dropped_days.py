"""Days of the decision log leave it with age, and what is left is verified from a signed checkpoint on."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from pyarrow import parquet

from audit import jws
from audit.models import AuditEvent
from common.canonical import sha256
from common.merkle import root_from_path
from consent.pseudonyms import subject_ref
from policies.decision_log import chain
from policies.decision_log.ageing import checkpoints, days, dropping
from policies.decision_log.search import proofs
from policies.models import Decision, DecisionBatch, DroppedPart, LogCheckpoint, LogDrop
from tests.audit.test_signing_keys import planted_key
from tests.helpers.aged_log import line, store

pytestmark = pytest.mark.django_db
ANN, BOB = subject_ref("customer-1"), subject_ref("customer-2")


@pytest.fixture
def noon() -> datetime:
    return (timezone.now() - timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.fixture
def log(noon: datetime, own_spool: Path) -> datetime:
    """Three batches: of 400 and 399 days ago alone, and one that begins 399 days ago and goes on yesterday."""
    old, later, yesterday = (noon - timedelta(days=ago) for ago in (400, 399, 1))
    store(own_spool, line(old, ANN), line(old, BOB), at=old)
    store(own_spool, line(later, ANN), at=later)
    store(own_spool, line(later, BOB), line(yesterday, ANN), line(yesterday, BOB), at=later + timedelta(hours=1))
    store(own_spool, line(yesterday, ANN), at=yesterday)
    return noon


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def test_days_past_the_period_leave_and_the_rest_verifies(log: datetime) -> None:
    done = dropping.run()

    assert done.dropped == {_day(log - timedelta(days=400)): 2, _day(log - timedelta(days=399)): 2}
    assert done.stopped == ""
    verdict = chain.verify()
    assert (verdict.broken, verdict.batches, verdict.decisions) == (None, 2, 3)
    assert list(DecisionBatch.objects.order_by("sequence").values_list("sequence", flat=True)) == [3, 4]
    assert [day.date.isoformat() for day in days.stored()] == [_day(log - timedelta(days=1))]


def test_a_second_run_drops_nothing(log: datetime) -> None:
    dropping.run()

    assert dropping.run().dropped == {}
    assert LogCheckpoint.objects.count() == 2


def test_days_within_the_period_stay(log: datetime, own_spool: Path) -> None:
    inside = log - timedelta(days=363)  # ``log`` is noon of yesterday, so 364 days before may be too old by hours
    store(own_spool, line(inside, ANN), at=inside)

    dropping.run()

    assert Decision.objects.filter(decided_at=inside).exists()


def test_the_checkpoint_is_named_by_the_trail(log: datetime) -> None:
    dropping.run()

    newest = checkpoints.newest()
    assert newest is not None
    event = AuditEvent.objects.filter(action="decision_log.dropped").order_by("-position")[0]
    assert event.details["digest"] == bytes(newest.digest).hex()
    assert (event.details["rows"], event.details["kept"], event.details["export"]) == (2, 0, None)


def test_a_decision_of_a_batch_of_which_a_part_was_dropped_is_still_proven(log: datetime) -> None:
    dropping.run()

    for decision in Decision.objects.filter(batch_id=3):
        [proof] = proofs.proven([decision])
        path = [(side, bytes.fromhex(node)) for side, node in proof["path"]]
        leaf = sha256(decision.entry.encode())
        assert root_from_path(leaf, path).hex() == proof["batch"]["root"]


def test_a_check_goes_on_from_one_before_the_drop(log: datetime) -> None:
    for after in (1, 2, 3, 4):
        assert chain.verify(after_batch=after).ok
    dropping.run()

    for after in (0, 1, 2, 3, 4):
        assert chain.verify(after_batch=after).broken is None


_TAMPERING = {
    "a decision that was kept is changed": (
        "UPDATE policies_decision SET outcome = 'deny' WHERE batch_id = 4",
        "was changed",
    ),
    "one of a batch of which a part was dropped is taken away": (
        "DELETE FROM policies_decision WHERE batch_id = 3 AND position = 1",
        "decision batch 3 sealed 3 decisions and 2 are there",
    ),
    "the last decisions are taken away": (
        "DELETE FROM policies_decision WHERE batch_id = 4",
        "decision batch 4 sealed 1 decisions and 0 are there",
    ),
    "a batch is taken away": ("DELETE FROM policies_decisionbatch WHERE sequence = 3", "decision batch 3 is missing"),
    "all checkpoints are taken away": (
        "DELETE FROM policies_logcheckpoint; DELETE FROM policies_droppedpart",
        "checkpoint 2 of the decision log is missing",
    ),
    "the newest checkpoint is taken away": (
        "DELETE FROM policies_logcheckpoint WHERE number = 2",
        "checkpoint 2 of the decision log is missing",
    ),
    "the first checkpoint is taken away": (
        "DELETE FROM policies_logcheckpoint WHERE number = 1",
        "checkpoint 1 of the decision log is missing",
    ),
    "a checkpoint passes more": (
        "UPDATE policies_logcheckpoint SET document = jsonb_set(document, '{upto}', '3') WHERE number = 2",
        "checkpoint 2 of the decision log was changed",
    ),
    "a part is marked as dropped": (
        "INSERT INTO policies_droppedpart (checkpoint_id, first_batch, last_batch, rows) VALUES (2, 4, 4, 1)",
        "the dropped parts are not the ones",
    ),
    "the part is taken away": ("DELETE FROM policies_droppedpart", "the dropped parts are not the ones"),
    "a signature of another checkpoint": (
        "UPDATE policies_logcheckpoint SET signature = (SELECT signature FROM policies_logcheckpoint WHERE number = 1)",
        "carries another's signature",
    ),
    "no signature": ("UPDATE policies_logcheckpoint SET signature = ''", "is not signed by this instance"),
}


@pytest.mark.parametrize(("statement", "finding"), _TAMPERING.values(), ids=_TAMPERING)
def test_verification_names_what_was_tampered_with_behind_a_checkpoint(
    log: datetime, as_attacker: Callable[[str], None], statement: str, finding: str
) -> None:
    dropping.run()

    as_attacker(statement)

    assert finding in str(chain.verify().broken)


def test_a_forged_checkpoint_needs_a_key_of_ours(log: datetime, as_attacker: Callable[[str], None]) -> None:
    dropping.run()
    newest = checkpoints.newest()
    assert newest is not None
    signature = jws.sign(bytes(newest.digest), planted_key(), typ=checkpoints._TYPE)
    as_attacker(f"UPDATE policies_logcheckpoint SET signature = '{signature}' WHERE number = {newest.number}")

    assert "is not signed by this instance" in str(chain.verify().broken)


def test_a_forged_checkpoint_is_not_named_by_the_trail(log: datetime, as_attacker: Callable[[str], None]) -> None:
    dropping.run()
    newest = checkpoints.newest()
    assert newest is not None
    with transaction.atomic():
        checkpoints.write({**newest.document, "upto": 2})
    as_attacker("DELETE FROM audit_auditevent WHERE details->>'checkpoint' = '3'")

    assert "checkpoint 3 of the decision log is missing, or not the one the trail names" in str(chain.verify().broken)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM policies_decisionbatch WHERE sequence = 3",
        "UPDATE policies_decisionbatch SET spool = 'x'",
        "DELETE FROM policies_droppedpart",
        "UPDATE policies_droppedpart SET rows = 0",
        "DELETE FROM policies_logcheckpoint",
        "UPDATE policies_logcheckpoint SET signature = ''",
        "TRUNCATE policies_logcheckpoint CASCADE",
        "TRUNCATE policies_decisionbatch",
        "DELETE FROM policies_decision",
    ],
)
def test_what_no_checkpoint_passes_cannot_be_removed(log: datetime, statement: str) -> None:
    dropping.run()

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_day_that_was_tampered_with_is_not_dropped(
    log: datetime, as_attacker: Callable[[str], None], tmp_path: Path, settings: Any
) -> None:
    settings.DECISION_LOG_EXPORTS = tmp_path
    as_attacker("UPDATE policies_decision SET entry = replace(entry, 'permit', 'deny') WHERE batch_id = 1")

    done = dropping.run()

    assert done.dropped == {}
    assert "the decisions of batch 1 are not the ones it sealed" in done.stopped
    assert Decision.objects.filter(batch_id=1).count() == 2
    assert list(tmp_path.iterdir()) == []
    assert LogDrop.objects.get(state="refused").why == "the decisions of batch 1 are not the ones it sealed"


class TestExports:
    @pytest.fixture(autouse=True)
    def exports(self, tmp_path: Path, settings: Any) -> Path:
        settings.DECISION_LOG_EXPORTS = tmp_path
        return tmp_path

    def test_a_day_is_exported_before_it_is_dropped(self, log: datetime, exports: Path) -> None:
        before = list(Decision.objects.order_by("batch_id", "position").values_list("entry", flat=True)[:2])

        dropping.run()

        path = exports / f"decisions-{_day(log - timedelta(days=400))}.parquet"
        assert parquet.read_table(path)["entry"].to_pylist() == before
        said = LogCheckpoint.objects.get(number=1).document["export"]
        assert said == {"file": path.name, "rows": 2, "sha256": sha256(path.read_bytes()).hex()}
        assert path.stat().st_mode & 0o777 == 0o600

    def test_a_day_is_kept_where_it_cannot_be_exported(self, log: datetime, exports: Path, settings: Any) -> None:
        settings.DECISION_LOG_EXPORTS = exports / "missing"

        done = dropping.run()

        assert done.dropped == {}
        assert "could not be exported: No such file or directory" in done.stopped
        assert Decision.objects.count() == 7
        assert chain.verify().ok

    def test_a_full_disk_leaves_the_day_and_no_file(
        self, log: datetime, exports: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_sent: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)

        done = dropping.run()

        assert "could not be exported: No space left on device" in done.stopped
        assert list(exports.iterdir()) == []
        assert (Decision.objects.count(), LogCheckpoint.objects.count()) == (7, 0)


def test_a_late_line_of_a_dropped_day_gets_its_place_and_leaves_later(
    log: datetime, own_spool: Path, tmp_path: Path, settings: Any
) -> None:
    settings.DECISION_LOG_EXPORTS = tmp_path
    dropping.run()
    late = log - timedelta(days=400)

    store(own_spool, line(late, ANN), at=log)

    assert chain.verify().decisions == 4
    assert dropping.run().dropped == {}  # it was stored today
    assert dropping.run(now=log + timedelta(days=366)).dropped[_day(late)] == 1
    assert (tmp_path / f"decisions-{_day(late)}-2.parquet").exists()
    assert chain.verify().ok


def test_decisions_of_the_future_count_from_when_they_were_stored(noon: datetime, own_spool: Path) -> None:
    old, future = noon - timedelta(days=400), noon + timedelta(days=3650)
    store(own_spool, line(future, ANN), at=old)
    store(own_spool, line(noon, ANN), at=noon)

    assert dropping.run().dropped == {_day(future): 1}
    assert chain.verify().decisions == 1


def test_decisions_of_the_past_count_from_when_they_were_stored(noon: datetime, own_spool: Path) -> None:
    store(own_spool, line(noon - timedelta(days=9000), ANN), at=noon)

    assert dropping.run().dropped == {}


def test_batches_sealed_in_the_future_count_from_what_followed(noon: datetime, own_spool: Path) -> None:
    old = noon - timedelta(days=400)
    store(own_spool, line(old, ANN), at=noon + timedelta(days=3650))
    store(own_spool, line(old + timedelta(days=1), ANN), at=old + timedelta(days=1))
    store(own_spool, line(noon, ANN), at=noon)

    assert sorted(dropping.run().dropped) == [_day(old), _day(old + timedelta(days=1))]
    assert chain.verify().ok


def test_one_clock_that_jumped_drops_nothing(noon: datetime, own_spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store(own_spool, line(noon, ANN), at=noon)
    monkeypatch.setattr(timezone, "now", lambda: noon + timedelta(days=9000))

    assert dropping.run().dropped == {}


class TestManyDays:
    @pytest.fixture(autouse=True)
    def many(self, noon: datetime, own_spool: Path) -> None:
        for ago in range(400, 400 + dropping.MOST_AT_ONCE + 1):
            moment = noon - timedelta(days=ago)
            store(own_spool, line(moment, ANN), at=moment)
        store(own_spool, line(noon, ANN), at=noon)

    def test_many_days_at_once_wait_for_a_look(self) -> None:
        done = dropping.run()

        assert done.dropped == {}
        assert "8 days of the decision log are due at once" in done.stopped
        assert "./assent decision-log drop --all" in done.stopped

    def test_what_waits_is_named_until_it_is_not_due_any_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        dropping.run()
        assert "8 days of the decision log are due at once" in LogDrop.objects.get(state="refused").why

        monkeypatch.setattr("privacy.retention.own_records.record_periods.period", lambda _kind: timedelta(days=3650))
        dropping.run()

        assert not LogDrop.objects.exists()

    def test_many_days_go_where_that_was_asked_for(self) -> None:
        assert len(dropping.run(however_many=True).dropped) == 8
        assert chain.verify().ok

    def test_many_days_go_where_officers_changed_the_period(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("privacy.retention.own_records.record_periods.changed_since", lambda *_: True)

        assert len(dropping.run().dropped) == 8


_STEPS = {
    "after the export": ("policies.decision_log.ageing.dropping.drop_read", False),
    "before the day is taken out": ("policies.decision_log.ageing.dropping._take_out", False),
    "after the day is taken out": ("policies.decision_log.ageing.dropping._take_out", True),
    "after the checkpoint is signed": ("policies.decision_log.ageing.checkpoints.write", True),
    "before the commit": ("policies.decision_log.ageing.dropping._seal", True),
}


class Killed(BaseException):
    """What a kill looks like from inside: nothing catches it, the transaction is never committed."""


@pytest.mark.parametrize(("step", "is_after"), _STEPS.values(), ids=_STEPS)
def test_a_job_killed_at_any_step_loses_nothing_and_goes_on(
    log: datetime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any, step: str, is_after: bool
) -> None:
    settings.DECISION_LOG_EXPORTS = tmp_path
    module, _, name = step.rpartition(".")
    original: Any = getattr(__import__(module, fromlist=[name]), name)

    def killed(*args: Any, **options: Any) -> None:
        if is_after:
            original(*args, **options)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(step, killed)
        with pytest.raises(Killed):
            dropping.run()

    assert (Decision.objects.count(), LogCheckpoint.objects.count(), DroppedPart.objects.count()) == (7, 0, 0)
    assert chain.verify().ok
    assert len(dropping.run().dropped) == 2
    assert chain.verify().ok
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".parquet", ".parquet"]
