"""Importing in batches: resumed where it ended, rehearsed without a trace, once only; and the command."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from audit.models import AuditEvent
from common.identifiers import milliseconds_of, uuid7_of
from consent.importing import batches, service
from consent.importing.reading import UnusableFile
from consent.ledger import effects, verification
from consent.models import ConsentImport, ConsentRecord, DataSubject
from consent.pseudonyms import subject_ref
from tests.helpers.import_rows import PROVEN, at, row
from tests.helpers.paths import CHECKOUT


def _rows(people=6):
    return [
        line
        for number in range(people)
        for line in (
            row(f"customer-{number}", recorded_at=at(10), **PROVEN),
            row(f"customer-{number}", "refuse", recorded_at=at(20)),
            row(f"customer-{number}", purpose="unheard_of"),
        )
    ]


class Killed(BaseException):
    pass


@pytest.fixture
def killed_in_batch(monkeypatch):
    """Let a run die in its nth batch, after everything of it was written and before it was committed."""

    def arrange(number):
        original, seen = service._Run._move_on, []

        def die(self, last, tally):
            original(self, last, tally)
            seen.append(last)
            if len(seen) == number:
                raise Killed

        monkeypatch.setattr(service._Run, "_move_on", die)

    return arrange


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["old.jsonl", "old.csv", "old.csv.gz"])
@pytest.mark.parametrize("batch", [1, 4, 5])
def test_a_run_that_was_killed_goes_on_without_loss_or_repetition(
    take, write, report, killed_in_batch, monkeypatch, tmp_path, name, batch
):
    path = write(*_rows(), name=name.removesuffix(".gz"))
    if name.endswith(".gz"):
        subprocess.run(["gzip", str(path)], check=True)
        path = path.with_name(name)
    with monkeypatch.context():
        killed_in_batch(3)
        with pytest.raises(Killed):
            take(path, batch=batch)
    monkeypatch.undo()
    between = ConsentImport.objects.get()

    outcome = take(path, batch=batch)

    first = 1 if "csv" in name else 0
    assert (between.line, between.is_finished) == (2 * batch + first, False)
    assert outcome.resumed_after == between.line
    assert (outcome.imported, outcome.unproven, dict(outcome.refused)) == (12, 6, {"purpose_unknown": 6})
    assert report() == [(line + first, "purpose_unknown") for line in range(3, 19, 3)]
    assert ConsentRecord.objects.count() == 12
    assert verification.verify_ledger().ok


@pytest.mark.django_db
def test_a_finished_file_is_not_imported_again(take, write):
    path = write(*_rows())
    first = take(path)
    events = AuditEvent.objects.count()

    again = take(path)

    assert (again.was_finished, again.imported, again.refused) == (True, first.imported, first.refused)
    assert (ConsentRecord.objects.count(), AuditEvent.objects.count()) == (12, events)
    with pytest.raises(UnusableFile, match="legacy"):
        take(path, system="another")


@pytest.mark.django_db
def test_a_rehearsal_reports_the_same_and_writes_nothing(take, write, report):
    path = write(*_rows(), row("customer-0", recorded_at=at(30)), row("customer-1", recorded_at=at(5)))
    events = AuditEvent.objects.count()

    rehearsed, first_report = take(path, rehearsal=True, batch=4), report()
    rows = [model.objects.count() for model in (ConsentRecord, DataSubject, ConsentImport)]
    events_after = AuditEvent.objects.count()
    carried_out = take(path, batch=4)

    assert (rows, events_after) == ([0, 0, 0], events)
    assert (rehearsed.imported, rehearsed.unproven, rehearsed.refused) == (
        carried_out.imported, carried_out.unproven, carried_out.refused,
    )  # fmt: skip
    assert first_report == report()
    assert {"unproven_yes", "out_of_order"} <= rehearsed.refused.keys()


@pytest.mark.django_db
def test_every_line_is_one_revision_one_record_and_one_event(take):
    take(*_rows(people=1))

    person = DataSubject.objects.get()
    assert person.revision == 2
    assert [record.subject_revision for record in person.records.order_by("subject_revision")] == [1, 2]
    assert list(AuditEvent.objects.filter(object=str(person.ref)).order_by("position").values_list("action")) == [
        ("consent.given",), ("consent.withdrawn",),
    ]  # fmt: skip


@pytest.mark.django_db
def test_statements_are_counted_by_the_batch_and_not_by_the_line(take, write, sql):
    path = write(*_rows(people=50))
    sql.clear()

    take(path)

    assert len(sql) < 30


@pytest.mark.django_db
def test_the_file_is_dealt_with_in_batches_of_the_size_asked_for(take, monkeypatch):
    sizes, original = [], batches.take_in

    def watched(batch, *args, **more):
        sizes.append(len(batch))
        return original(batch, *args, **more)

    monkeypatch.setattr(batches, "take_in", watched)

    take(*_rows(), batch=5)

    assert sizes == [5, 5, 5, 3]


@pytest.mark.django_db(transaction=True)
def test_the_end_of_a_consent_that_was_in_force_here_is_announced(take, monkeypatch):
    announced = []
    monkeypatch.setattr(effects, "_effects", [announced.extend])
    take(row("customer-1", **PROVEN), name="first.jsonl")

    take(row("customer-1", "withdraw", recorded_at=at(30)), row("customer-2", "withdraw", recorded_at=at(30)))

    assert announced == [ConsentRecord.objects.get(subject=subject_ref("customer-1"), state="withdrawn").id]


@pytest.mark.django_db(transaction=True)
def test_somebody_who_chooses_for_the_first_time_meanwhile_is_not_overwritten(take, choose, monkeypatch, report):
    original, meanwhile = batches._records, []

    def chosen_meanwhile(*args):
        if not meanwhile:
            meanwhile.append(_in_another_connection(lambda: choose("customer-1", "refuse")))
        return original(*args)

    monkeypatch.setattr(batches, "_records", chosen_meanwhile)

    take(row("customer-1", **PROVEN), row("customer-2"))

    assert report() == [(1, "newer_choice_stored")]
    assert verification.verify_ledger().ok


@pytest.mark.django_db(transaction=True)
def test_one_import_runs_at_a_time(take, monkeypatch):
    monkeypatch.setattr(service, "_PATIENCE_S", 0.0)
    second = []

    def try_second():
        with pytest.raises(UnusableFile, match="Another import"):
            take(row("customer-2"), name="second.jsonl")
        second.append("refused")

    original = batches.take_in

    def meanwhile(*args, **more):
        _in_another_connection(try_second)
        return original(*args, **more)

    monkeypatch.setattr(batches, "take_in", meanwhile)

    take(row("customer-1"))

    assert second == ["refused"]
    assert ConsentRecord.objects.count() == 1


def _in_another_connection(work):
    import threading

    def run():
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(timeout=300)


@pytest.mark.django_db
def test_the_command_tells_what_became_of_the_lines(register_in_force, write, capsys):
    path = write(*_rows(), name="old.csv")

    with pytest.raises(SystemExit) as ended:
        call_command("import_consents", str(path), system="legacy")

    printed = capsys.readouterr().out
    assert ended.value.code == 3
    assert "18 lines: 12 imported (6 of them unproven), 6 refused." in printed
    assert len(path.with_name("old.csv.report.jsonl").read_text().splitlines()) == 6
    with pytest.raises(SystemExit):
        call_command("import_consents", str(path), system="legacy")
    assert "imported before" in capsys.readouterr().out


@pytest.mark.django_db
@pytest.mark.parametrize("options", [{"system": "a b"}, {"system": "legacy", "batch": 0}, {"system": "legacy"}])
def test_unusable_input_ends_with_status_two(register_in_force, tmp_path, options):
    with pytest.raises(CommandError) as ended:
        call_command("import_consents", str(tmp_path / "nowhere.csv"), **options)

    assert ended.value.returncode == 2


@pytest.mark.django_db(transaction=True)
def test_the_command_killed_for_real_goes_on_where_it_was(register_in_force, write, tmp_path):
    path = write(*_rows(people=2_000))
    process = _start_command(path)
    _wait(lambda: ConsentImport.objects.filter(line__gt=0).exists(), process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    half = ConsentImport.objects.get()

    again = _start_command(path)
    printed, _ = again.communicate(timeout=120)

    assert 0 < half.line < 6_000
    assert again.returncode == 3
    assert f"ended after line {half.line:,}" in printed
    assert ConsentRecord.objects.count() == 4_000
    entries = [json.loads(line)["line"] for line in path.with_name("old.jsonl.report.jsonl").read_text().splitlines()]
    assert entries == list(range(3, 6_001, 3))
    assert verification.verify_ledger().ok


def _start_command(path):
    url = connection.settings_dict
    host, name = url["HOST"], url["NAME"]
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgresql://{url['USER']}:{url['PASSWORD']}@/{name}?host={host}&port={url['PORT'] or 5432}",
        "PYTHONPATH": str(CHECKOUT),
    }
    command = [sys.executable, str(CHECKOUT / "manage.py"), "import_consents", str(path)]
    return subprocess.Popen(
        [*command, "--system", "legacy", "--batch", "40"], env=environment, stdout=subprocess.PIPE, text=True
    )


def _wait(condition, process):
    ends = time.monotonic() + 60
    while not condition():
        assert process.poll() is None
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_identifiers_keep_moment_and_payload_in_order():
    made = [uuid7_of(1_700_000_000_000, line << 40) for line in (0, 1, 2, 1 << 22, (1 << 34) - 1)]

    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert all(milliseconds_of(identifier) == 1_700_000_000_000 for identifier in made)


@pytest.mark.django_db
def test_an_import_ends_after_too_many_refused_lines(take, write, report):
    path = write(row("customer-1"), *["a"] * 500, row("customer-2"))

    with pytest.raises(UnusableFile, match="More than 20 lines"):
        take(path, batch=10, max_refused=20)
    assert len(report()) <= 20 + 10
    with pytest.raises(UnusableFile):
        take(path, batch=10, max_refused=20)
    assert len(report()) <= 20 + 10

    assert take(path, batch=10, max_refused=500).imported == 2
