"""Heads and checks after days of the decision log were dropped, and the command that drops and shows them."""

import json
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit import trail
from audit.models import AuditEvent
from consent.pseudonyms import subject_ref
from governance.evidence import checks, guards, heads
from policies.decision_log.ageing import dropping
from policies.models import Decision, LogCheckpoint
from tests.helpers.aged_log import line, store

pytestmark = pytest.mark.django_db
ANN = subject_ref("customer-1")


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.ASSENT_HOME = tmp_path
    (tmp_path / "exports").mkdir()
    settings.DECISION_LOG_EXPORTS = tmp_path / "exports"
    return tmp_path


@pytest.fixture
def noon():
    return (timezone.now() - timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.fixture
def kept_heads(register_in_force, noon, own_spool, home):
    """Heads of the first three batches, of three old days; a fourth is of today."""
    for ago in (402, 401, 400):
        moment = noon - timedelta(days=ago)
        store(own_spool, line(moment, ANN), at=moment)
        heads.seal_log()
        trail.anchor()
        heads.write()
    store(own_spool, line(noon, ANN), at=noon)
    return [json.loads(text) for file in home.glob("heads/*.jsonl") for text in file.read_text().splitlines()]


def _run(*arguments):
    said = StringIO()
    call_command(*arguments, stdout=said)
    return said.getvalue()


def _stored():
    return int(re.search(r"(\d+) days are stored", _run("decision_log", "status"))[1])


def test_verify_holds_both_ways_after_a_drop(kept_heads, home):
    assert _run("verify", "--full").count("BROKEN") == 0

    _run("decision_log", "drop")

    for arguments in (["--full"], [], ["--since", "1d"], ["--until", "1h"]):
        said = _run("verify", *arguments)
        assert "BROKEN" not in said
    assert "Decision log: intact: 1 decisions in 1 batches" in _run("verify", "--full")
    assert checks.check(actor="test", full=True)
    assert checks.check(actor="test")
    assert guards.broken() is None


def test_a_head_of_what_was_dropped_is_still_part_of_the_log(kept_heads, home):
    dropping.run()

    for number, note in enumerate(kept_heads):
        (home / f"head-{number}").write_text(note)
        assert "Kept head: intact" in _run("verify", "--head", str(home / f"head-{number}"))


def test_a_head_of_another_log_is_none_where_the_batch_was_dropped(kept_heads, as_attacker):
    dropping.run()
    found = heads.read(kept_heads[-1])

    other = heads.Head(found.anchors, found.anchor, found.batches, bytes(32))

    assert "is not the one of a sealed head" in str(heads.compare(other))
    assert heads.compare(found) is None


def test_a_database_from_before_the_drop_is_older_than_its_head(kept_heads, as_attacker):
    dropping.run()
    trail.anchor()
    heads.write()

    # What a restored backup holds: no checkpoint, and a trail that ends before it.
    as_attacker("DELETE FROM policies_droppedpart; DELETE FROM policies_logcheckpoint")
    as_attacker("DELETE FROM audit_auditanchor WHERE sequence = (SELECT max(sequence) FROM audit_auditanchor)")

    assert "of the kept head is missing" in str(heads.lost_since_written())


def test_a_restored_day_is_dropped_again_into_a_file_of_its_own(kept_heads, home, as_attacker, noon, own_spool):
    dropping.run()
    day = noon - timedelta(days=400)
    store(own_spool, line(day, ANN), at=day)

    dropping.run()

    assert (home / "exports" / f"decisions-{day:%Y-%m-%d}-2.parquet").exists()
    assert "4 files." in _run("decision_log", "files")


def test_the_command_shows_what_is_due_and_drops_it(kept_heads, noon):
    before = _stored()  # other tests may have left a day: days are tables
    assert "days are stored, 3 of them are due" in _run("decision_log", "status")
    assert "Dry run: 3 days would be dropped" in _run("decision_log", "drop", "--dry-run")
    assert Decision.objects.count() == 4

    assert "3 days dropped." in _run("decision_log", "drop")

    said = _run("decision_log", "status")
    assert "days are stored, 0 of them are due" in said
    assert _stored() == before - 3
    assert said.count(": 1 decisions dropped (") == 3


def test_the_command_fails_where_a_day_was_not_dropped(kept_heads, settings, tmp_path):
    settings.DECISION_LOG_EXPORTS = tmp_path / "missing"

    with pytest.raises(CommandError, match="could not be exported"):
        call_command("decision_log", "drop", stdout=StringIO())

    assert "not dropped: it could not be exported" in _run("decision_log", "status")
    assert not LogCheckpoint.objects.exists()


def test_a_day_is_exported_by_command_and_not_dropped(kept_heads, noon, tmp_path):
    day = f"{noon - timedelta(days=400):%Y-%m-%d}"

    said = _run("decision_log", "export", day, str(tmp_path))

    assert f"1 decisions written to {tmp_path}/decisions-{day}.parquet" in said
    assert Decision.objects.count() == 4
    assert AuditEvent.objects.filter(action="decision_log.exported").exists()


@pytest.mark.parametrize("arguments", [["2020-01-01", "."], [], ["2020-01-01"]])
def test_an_export_that_names_nothing_is_refused(kept_heads, arguments):
    with pytest.raises(CommandError, match=r"There are no decisions of|Name a day and a folder"):
        call_command("decision_log", "export", *arguments, stdout=StringIO())


def test_exported_files_are_held_against_their_signed_digests(kept_heads, home):
    _run("decision_log", "drop")
    assert "3 files." in _run("decision_log", "files")
    first, second, _ = sorted((home / "exports").iterdir())
    first.unlink()
    second.write_bytes(b"x")
    said = StringIO()

    with pytest.raises(CommandError, match="not the ones that were written"):
        call_command("decision_log", "files", stdout=said)

    assert f"{first.name}: 1 decisions: gone" in said.getvalue()
    assert f"{second.name}: 1 decisions: changed" in said.getvalue()
