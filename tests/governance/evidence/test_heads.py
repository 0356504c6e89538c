"""Heads kept outside the database: what they find, who signed them, and a restore that somebody has to accept."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from audit import trail
from audit.models import AuditEvent
from consent.ledger import sealed_people
from governance.evidence import checks, heads
from policies.decision_log import drainer

pytestmark = pytest.mark.django_db
_QUESTION = {
    "subject": {"type": "user", "id": "customer-1"},
    "action": {"name": "personalize"},
    "resource": {"type": "purpose", "id": "recommendations"},
}


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.ASSENT_HOME = tmp_path
    return tmp_path


def _decide(api, settings):
    assert api.evaluate(_QUESTION)[0] == 200
    drainer.drain(settings.SPOOL_DIR)


def _lines(home):
    return [json.loads(line) for file in home.glob("heads/*.jsonl") for line in file.read_text().splitlines()]


@pytest.mark.parametrize("which", ["", " WHERE sequence = (SELECT max(sequence) FROM policies_decisionbatch)"])
def test_a_deleted_batch_is_found_by_the_trail(api, as_attacker, settings, which):
    _decide(api, settings)
    _decide(api, settings)
    heads.seal_log()
    assert heads.lost_since_sealed() is None

    as_attacker("DELETE FROM policies_decision" + which.replace("sequence", "batch_id", 1))
    as_attacker("DELETE FROM policies_decisionbatch" + which)

    assert "which a sealed head names" in heads.lost_since_sealed()
    assert checks.besides()["Heads"]


def test_a_head_is_a_signed_checkpoint_on_one_line(api, home):
    api.save("customer-1", "give")
    trail.anchor()

    assert heads.write() is True
    assert heads.write() is False

    (note,) = _lines(home)
    origin, size, *_ = note.splitlines()
    assert (origin.endswith("/assent"), size) == (True, "1")
    assert heads.read(note) == heads.current() == heads.last_written()


def test_a_forged_head_is_refused(api, home):
    api.save("customer-1", "give")
    trail.anchor()
    heads.write()
    (note,) = _lines(home)

    with pytest.raises(heads.NotAHead, match="no key"):
        heads.read(note.replace("\n1\n", "\n2\n", 1))
    with pytest.raises(heads.NotAHead, match="not a checkpoint"):
        heads.read("something else")


def test_verify_compares_a_kept_head(api, home, as_attacker):
    api.save("customer-1", "give")
    trail.anchor()
    heads.write()
    kept = home / "kept"
    kept.write_text(_lines(home)[0])
    call_command("verify", head=kept, quiet=True)

    as_attacker("UPDATE audit_auditanchor SET digest = decode(repeat('00', 32), 'hex')")

    assert "not the one of the kept head" in heads.compare(heads.read_last(kept))


def test_a_restored_database_is_not_ready_until_accepted(api, home, as_attacker):
    api.save("customer-1", "give")
    trail.anchor()
    api.save("customer-1", "withdraw")
    newest = trail.anchor()
    heads.write()
    assert Client().get("/health/ready").status_code == 200

    as_attacker(f"DELETE FROM audit_auditanchor WHERE sequence = {newest.sequence}")

    answer = Client().get("/health/ready")
    assert answer.status_code == 503
    assert "older than the last head" in answer.content.decode()
    assert heads.write() is False
    call_command("accept_restore")
    assert Client().get("/health/ready").status_code == 200
    assert AuditEvent.objects.filter(action=heads.RESTORED, actor="operator").count() == 1
    assert heads.write() is True


def test_a_check_goes_on_from_the_last_and_a_full_one_does_not(api, as_attacker, settings):
    _decide(api, settings)
    api.save("customer-1", "give")
    trail.anchor()
    assert checks.check(actor="test") is True
    before = checks.checked_before()
    assert (before.anchor, before.batch) == (1, 1)

    as_attacker("UPDATE audit_auditevent SET actor = 'another' WHERE action = 'consent.given'")
    assert checks.check(actor="test") is True

    assert checks.check(actor="test", full=True) is False
    assert checks.checked_before() == checks.Checked()


def test_a_second_full_check_is_refused_and_a_short_one_runs(api, capsys):
    from governance.tasks import verify_evidence

    api.save("customer-1", "give")
    with checks.only_full_check():
        with pytest.raises(CommandError, match="Another full check of the evidence is under way"):
            call_command("verify", "--full")
        verify_evidence(full=True)
        assert checks.last_check().checked is None
        call_command("verify")
        verify_evidence()
        assert checks.last_check().ok is True

    capsys.readouterr()
    call_command("verify", "--full")
    assert "Audit trail: intact" in capsys.readouterr().out


def test_the_full_job_finds_what_the_short_one_passes_over(api, as_attacker):
    from governance.tasks import verify_evidence

    api.save("customer-1", "give")
    trail.anchor()
    verify_evidence()
    as_attacker("UPDATE audit_auditevent SET actor = 'another' WHERE action = 'consent.given'")
    verify_evidence()
    assert checks.last_check().ok is True

    verify_evidence(full=True)

    assert checks.last_check().ok is False


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_auditevent WHERE action = 'credential.created'",
        "DELETE FROM audit_auditanchor WHERE sequence = 1",
        "DELETE FROM policies_decision",
        "DELETE FROM policies_decisionbatch",
    ],
)
def test_what_was_checked_before_is_counted(api, as_attacker, settings, statement):
    _decide(api, settings)
    trail.anchor()
    assert checks.check(actor="test") is True

    as_attacker(statement)

    assert checks.check(actor="test") is False


def test_people_who_were_there_before_are_sealed_once(api, as_attacker):
    api.save("customer-1", "give")
    as_attacker("UPDATE audit_auditevent SET details = details - 'person'")
    assert sealed_people.broken() is None

    sealed_people.seal_existing(actor="system")
    sealed_people.seal_existing(actor="system")

    assert AuditEvent.objects.filter(action="person.sealed").count() == 1
    as_attacker("UPDATE consent_datasubject SET region = 'US'")
    assert "not as the audit trail says" in sealed_people.broken()
