"""Heads kept outside the database: what they find, who signed them, and a restore that somebody has to accept."""

import json

import pytest
from django.core.management import call_command
from django.test import Client

from audit import trail
from audit.models import AuditEvent
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
