"""Undo of a retention run: bit for bit, not for people who ended the permission since, and never after its time."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from audit import trail
from audit.models import AuditEvent
from common.actors import Officer
from consent.pseudonyms import subject_ref
from oversight.models import Step, WorkItem
from oversight.problems import NotNow, SecondOfficerNeeded
from personalization.models import Event
from privacy import tasks
from privacy.erasures import ledger
from privacy.models import Disposal, RetentionSchedule, UndoPart
from privacy.retention import control, disposal, plans, restoring, undo
from privacy.retention.pacing import Pace
from privacy.retention.subjects import of_undo
from privacy.retention.undo import NoUndo
from privacy.rights.clocks.laws import Right
from privacy.rights.requests import fulfilling, requests
from tests.helpers.officers import make_accounts

pytestmark = pytest.mark.django_db
ANN, BEN = Officer.of("ann", 1001), Officer.of("ben", 1002)


@pytest.fixture(autouse=True)
def no_worker(monkeypatch, settings, tmp_path):
    monkeypatch.setattr(tasks.run_disposals, "apply_async_on_commit", lambda **message: None)
    monkeypatch.setattr(disposal, "BATCH", 4)
    settings.ASSENT_HOME = tmp_path


@pytest.fixture
def deleted(register_in_force):
    """Run a plan of recommendations to its end, with rows kept for an undo of so many days."""
    make_accounts(ANN, BEN)

    def run(undo_days=7):
        RetentionSchedule.objects.update(undo_days=undo_days)
        schedule = RetentionSchedule.objects.select_related("purpose").get(purpose__slug="recommendations")
        plan = plans.make(schedule, actor=ANN)
        queued = disposal.run_of(plans.approve(plan, actor=BEN, seen=plan.digest))
        return disposal.run(queued.id, pace=Pace(gentle=False))

    return run


def _undone(run):
    """Ann proposes the undo, Ben approves it, and it is carried out."""
    restoring.propose(run.id, actor=ANN, reason="Wrong period")
    restoring.approve(run.id, actor=BEN, seen=of_undo(Disposal.objects.get(pk=run.id)).digest)
    return restoring.undo_run(run.id)


def _content():
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, md5(record_send(e)) FROM personalization_event e ORDER BY id")
        return cursor.fetchall()


def test_an_undone_run_restores_every_row_bit_for_bit(remember, deleted):
    remember("customer-1", 6, days=400)
    remember("customer-2", 5, days=500)
    remember("customer-2", 2, days=3)
    Event.objects.filter(subject_ref=subject_ref("customer-1")).update(kind="rating", value=3)
    before = _content()
    run = deleted()
    assert (run.removed, UndoPart.objects.count()) == ({"events": 11}, 4)

    restored = _undone(run)

    assert restored == {"events": 11}
    assert _content() == before
    assert AuditEvent.objects.get(action="disposal.undone").details["restored"] == restored


def test_people_who_ended_the_permission_since_stay_deleted(choose, remember, deleted):
    for person in ("customer-1", "customer-2", "customer-3"):
        choose(person, "give")
        remember(person, 2, days=400)
    run = deleted()
    choose("customer-1", "withdraw")
    choose("customer-2", "withdraw")
    choose("customer-2", "give")

    assert _undone(run) == {"events": 2}
    assert {event.subject_ref for event in Event.objects.all()} == {subject_ref("customer-3")}


def _line(person, **described):
    return {"kind": "withdrawal", "choice": "withdraw", "who": ledger.marker()(subject_ref(person)), **described}


def test_who_withdrew_or_was_erased_by_the_ledger_stays_deleted(remember, deleted):
    """The database does not know of it: it was restored meanwhile, or the erasure left no record."""
    people = [f"customer-{number}" for number in range(5)]
    for person in people:
        remember(person, 2, days=400)
    ledger.append([_line(people[4], purpose="recommendations")])  # before the plan: they agreed again since
    run = deleted()
    ledger.append([
        _line(people[0], purpose="recommendations"),
        _line(people[1], kind="erasure"),
        _line(people[2], purpose="newsletter"),
    ])  # fmt: skip

    assert _undone(run) == {"events": 6}

    back = {event.subject_ref for event in Event.objects.all()}
    assert back == {subject_ref(person) for person in people[2:]}


def test_who_was_erased_since_stays_deleted(remember, deleted):
    """An erasure ends no permission of a person who gave none: the erasure ledger alone keeps their rows out."""
    for person in ("customer-1", "customer-2"):
        remember(person, 2, days=400)
    run = deleted()
    asked = requests.Opening(
        right=Right.ERASURE,
        subject_ref=subject_ref("customer-1"),
        region="DE",
        door="api",
        actor="service:shop",
        is_identified=True,
    )
    assert fulfilling.run(requests.open_request(asked).request.pk).state == "done"

    assert _undone(run) == {"events": 2}
    assert {event.subject_ref for event in Event.objects.all()} == {subject_ref("customer-2")}


def test_a_withdrawal_between_run_and_undo_is_noted_first(choose, remember, deleted):
    for person in ("customer-1", "customer-2"):
        choose(person, "give")
        remember(person, 2, days=400)
    run = deleted()
    choose("customer-1", "withdraw")
    trail.anchor()

    assert _undone(run) == {"events": 2}

    assert [line["kind"] for line in ledger.lines()][-1] == "withdrawal"
    assert {event.subject_ref for event in Event.objects.all()} == {subject_ref("customer-2")}


@pytest.mark.parametrize("damage", ["a line changed", "the key is gone"])
def test_a_ledger_that_cannot_be_read_restores_nothing(remember, deleted, damage):
    remember("customer-1", 2, days=400)
    run = deleted()
    ledger.append([_line("customer-1", purpose="recommendations"), _line("customer-2", purpose="recommendations")])
    if damage == "the key is gone":
        (ledger.path().parents[1] / "secrets" / "erasure_key").unlink()
    else:
        ledger.path().write_text(ledger.path().read_text().replace("recommendations", "newsletter", 1))

    with pytest.raises(NoUndo, match="data of erased people could come back"):
        _undone(run)

    assert not Event.objects.exists()
    assert undo.key_path(run.id).exists()


def test_what_is_kept_shows_nothing_of_the_rows(remember, deleted):
    remember("customer-1", 3, days=400)
    ref = subject_ref("customer-1").bytes
    run = deleted()

    sealed = bytes(UndoPart.objects.get().sealed)

    assert ref not in sealed
    assert b"kettle" not in sealed
    assert undo.key_path(run.id).stat().st_mode & 0o777 == 0o600


def test_a_part_that_was_moved_or_changed_restores_nothing(remember, deleted):
    remember("customer-1", 8, days=400)
    run = deleted()
    first, second = UndoPart.objects.order_by("number")
    UndoPart.objects.filter(pk=second.pk).update(sealed=first.sealed)

    with pytest.raises(NoUndo, match="not what was stored"):
        _undone(run)

    assert not Event.objects.exists()
    assert Disposal.objects.get().undone_at is None


def test_a_run_is_undone_once(remember, deleted):
    remember("customer-1", 2, days=400)
    run = deleted()
    _undone(run)

    with pytest.raises(NoUndo, match="undone already"):
        _undone(run)

    assert not undo.key_path(run.id).exists()
    assert not UndoPart.objects.exists()


def test_after_its_time_the_key_is_destroyed(remember, deleted):
    remember("customer-1", 2, days=400)
    run = deleted()
    tasks.forget_undo()
    assert undo.key_path(run.id).exists()
    restoring.propose(run.id, actor=ANN, reason="Wrong period")
    Disposal.objects.update(undo_until=timezone.now() - timedelta(seconds=1))

    tasks.forget_undo()

    assert WorkItem.objects.get(kind="undo-approval").state == "void"
    assert not undo.key_path(run.id).exists()
    assert not UndoPart.objects.exists()
    with pytest.raises(NoUndo, match="time for an undo ended"):
        _undone(run)


def test_a_lost_key_restores_nothing(remember, deleted):
    remember("customer-1", 2, days=400)
    run = deleted()
    undo.destroy_key(run.id)

    with pytest.raises(NoUndo, match="key of this run was destroyed"):
        _undone(run)


def test_without_undo_days_nothing_is_kept(remember, deleted):
    remember("customer-1", 2, days=400)
    run = deleted(undo_days=0)

    assert not UndoPart.objects.exists()
    assert not undo.key_path(run.id).exists()
    with pytest.raises(NoUndo, match="keeps nothing for an undo"):
        _undone(run)


def test_a_withdrawals_deletion_has_no_undo(choose, remember):
    choose("customer-1", "give")
    remember("customer-1", 2)
    RetentionSchedule.objects.update(undo_days=7)
    disposal.queue_for_withdrawals([choose("customer-1", "withdraw")])
    run = disposal.run(Disposal.objects.get().id)

    assert not UndoPart.objects.exists()
    with pytest.raises(NoUndo, match="follows a withdrawal"):
        _undone(run)


def test_a_stopped_run_can_be_undone(remember, deleted, monkeypatch):
    remember("customer-1", 6, days=400)
    finish = disposal._finish
    monkeypatch.setattr(disposal, "_finish", lambda pk: Disposal.objects.get(pk=pk))
    run = deleted()
    monkeypatch.setattr(disposal, "_finish", finish)

    with pytest.raises(NoUndo, match="Stop it first"):
        _undone(run)
    control.stop(run.id, actor=ANN, reason="Wrong period")

    assert _undone(run) == {"events": 6}


def test_the_command_restores_and_says_how_much(remember, deleted, capsys):
    remember("customer-1", 2, days=400)
    run = deleted()

    call_command("retention", "undo", str(run.id), "--reason", "Wrong period", "--as", "ann")
    assert "Proposed." in capsys.readouterr().out
    with pytest.raises(CommandError, match="Say as whom"):
        call_command("retention", "undo", str(run.id))
    with pytest.raises(CommandError, match="its author"):
        call_command("retention", "undo", str(run.id), "--as", "ann")
    assert Event.objects.count() == 0
    call_command("retention", "undo", str(run.id), "--as", "ben")

    assert "Restored: 2 of 2 events." in capsys.readouterr().out
    with pytest.raises(CommandError, match="undone already"):
        call_command("retention", "undo", str(run.id), "--reason", "again")


def test_an_undo_that_nobody_approved_restores_nothing(remember, deleted):
    remember("customer-1", 2, days=400)
    run = deleted()

    with pytest.raises(NoUndo, match="has to approve"):
        restoring.undo_run(run.id)
    restoring.propose(run.id, actor=ANN, reason="Wrong period")
    with pytest.raises(NoUndo, match="has to approve"):
        restoring.undo_run(run.id)

    assert Event.objects.count() == 0


def test_who_proposed_an_undo_does_not_approve_it(remember, deleted):
    remember("customer-1", 2, days=400)
    run = deleted()
    restoring.propose(run.id, actor=ANN, reason="Wrong period")
    seen = of_undo(Disposal.objects.get(pk=run.id)).digest
    trail.record("officer.password_set", "account", actor=ANN, details={"account": BEN.account, "by": ANN.account})

    for actor in (ANN, BEN):
        with pytest.raises(SecondOfficerNeeded):
            restoring.approve(run.id, actor=actor, seen=seen)
    with pytest.raises(NotNow, match="proposed already"):
        restoring.propose(run.id, actor=BEN, reason="me too")


def test_a_refused_undo_can_be_proposed_again(remember, deleted):
    remember("customer-1", 2, days=400)
    run = deleted()
    restoring.propose(run.id, actor=ANN, reason="Wrong period")
    seen = of_undo(Disposal.objects.get(pk=run.id)).digest

    restoring.refuse(run.id, actor=BEN, seen=seen, reason="It was right.")

    with pytest.raises(NotNow, match="does not wait"):
        restoring.approve(run.id, actor=BEN, seen=seen)
    assert _undone(run) == {"events": 2}


def test_a_worker_carries_an_approved_undo_out_once(remember, deleted, monkeypatch):
    remember("customer-1", 2, days=400)
    run, handed = deleted(), []
    monkeypatch.setattr(tasks.undo_run, "apply_async_on_commit", lambda args: handed.append(args))
    restoring.propose(run.id, actor=ANN, reason="Wrong period")
    restoring.approve(run.id, actor=BEN, seen=of_undo(Disposal.objects.get(pk=run.id)).digest)
    restoring.sweep()
    assert handed == []  # it was handed over a moment ago

    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: datetime.now(UTC) + timedelta(minutes=2))
        restoring.sweep()
    assert handed == [(str(run.id),)]
    tasks.undo_run(str(run.id))

    assert Event.objects.count() == 2
    assert AuditEvent.objects.get(action="disposal.undone").actor == BEN
    tasks.undo_run(str(run.id))
    assert not Step.objects.filter(kind="failed").exists()


def test_why_an_undo_failed_stands_in_its_timeline(remember, deleted, monkeypatch):
    remember("customer-1", 2, days=400)
    run = deleted()
    restoring.propose(run.id, actor=ANN, reason="Wrong period")
    restoring.approve(run.id, actor=BEN, seen=of_undo(Disposal.objects.get(pk=run.id)).digest)
    undo.destroy_key(run.id)

    tasks.undo_run(str(run.id))

    assert "key of this run was destroyed" in Step.objects.get(kind="failed").note
