"""Verification looks both ways: each tampering here passed a check that looked at the chains only."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from consent.models import Purpose
from governance.evidence import guards, registers
from policies.endpoints import credentials
from tests.helpers.holds import Register, hold, restriction

pytestmark = pytest.mark.django_db

_SET_BACK = """
WITH gone AS (DELETE FROM consent_consentrecord WHERE state = 'withdrawn' RETURNING subject_id)
UPDATE consent_datasubject SET revision = before.revision, last_digest = before.last_digest, consents = before.consents
FROM before WHERE before.ref = consent_datasubject.ref
"""


@pytest.fixture
def sealed(api):
    registers.seal_existing(actor="system")
    assert verified() == ""


def verified():
    """Return what the command says is broken, or an empty string."""
    out = StringIO()
    try:
        call_command("verify", quiet=True, stdout=out)
    except CommandError:
        return out.getvalue()
    return ""


def test_a_deleted_withdrawal_is_found(api, as_attacker, sealed):
    api.save("customer-1", "give")
    as_attacker("CREATE TEMPORARY TABLE before AS SELECT * FROM consent_datasubject")
    api.save("customer-1", "withdraw")
    assert verified() == ""

    as_attacker(_SET_BACK)

    assert "is missing: event" in verified()


def test_a_deleted_person_is_found(api, as_attacker, sealed):
    api.save("customer-1", "give")

    as_attacker("DELETE FROM consent_consentrecord")
    as_attacker("DELETE FROM consent_datasubject")

    assert "is missing: event" in verified()


@pytest.mark.parametrize("change", ["region = 'US'", "age_band = 'minor'", "gpc_since = now()"])
def test_a_changed_person_is_found(api, as_attacker, sealed, change):
    api.save("customer-1", "give")
    assert verified() == ""

    as_attacker(f"UPDATE consent_datasubject SET {change}")

    assert "not as the audit trail says" in verified()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_notice SET text = text || ' and more'",
        "UPDATE consent_notice SET text = 'x', text_sha256 = encode(sha256('x'), 'hex')",
        "UPDATE consent_purpose SET legal_basis = 'contract'",
        "UPDATE policies_policyactivation SET actor = 'officer:other'",
        "UPDATE policies_servicecredential SET scopes = '{decisions}'",
        "DELETE FROM policies_servicecredential",
    ],
)
def test_a_changed_register_is_found(api, as_attacker, sealed, statement):
    assert verified() == ""

    as_attacker(statement)

    assert "Registers: BROKEN" in verified()


def test_a_credential_that_lives_again_is_found(api, as_attacker, sealed):
    _, credential = credentials.create_credential(name="old", scopes=["decisions"], actor="test")
    credentials.revoke_credential(credential=credential, actor="test")
    assert verified() == ""

    as_attacker("UPDATE policies_servicecredential SET revoked_at = NULL")

    assert f"credential {credential.pk}" in verified()


def test_a_row_that_no_event_names_is_found(api, sealed):
    Purpose.objects.create(slug="smuggled", name="Smuggled", benefit="none")

    assert "has no event in the audit trail" in verified()


def test_a_deleted_deletion_run_is_found(api, as_attacker, sealed, django_capture_on_commit_callbacks):
    api.save("customer-1", "give")
    with django_capture_on_commit_callbacks(execute=True):
        api.save("customer-1", "withdraw")
    assert verified() == ""

    as_attacker("DELETE FROM privacy_disposalbatch")
    as_attacker("DELETE FROM privacy_disposal WHERE status = 'done'")

    assert "deletion run" in verified()


@pytest.mark.parametrize("table", guards.TABLES)
def test_a_guard_that_is_off_is_found(table):
    assert guards.broken() is None
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only")

    assert f"{table}_append_only" in guards.broken()


def test_every_append_only_table_is_looked_at():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid"
            " WHERE tgname = relname || '_append_only' AND NOT relispartition"
        )
        assert {table for (table,) in cursor.fetchall()} == set(guards.TABLES)


def test_a_guard_that_was_dropped_is_found():
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER consent_notice_no_truncate ON consent_notice")

    assert "consent_notice_no_truncate" in guards.broken()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE consent_datasubject SET held = false", "is not held or restricted as"),
        ("UPDATE consent_datasubject SET restricted = true", "is not held or restricted as"),
        ("UPDATE consent_datasubject SET limits = '{}'", "is not held or restricted as"),
        ('UPDATE consent_datasubject SET limits = \'{"newsletter": ["held"]}\'', "is not held or restricted as"),
        ("DELETE FROM privacy_holdmember WHERE hold_id IS NOT NULL", "the people under hold claim-17"),
        ("DELETE FROM privacy_holdmember WHERE hold_id IS NULL", "the people under restriction art18-1"),
        ("UPDATE privacy_holdmember SET ref = gen_random_uuid()", "the people under hold claim-17"),
        ("UPDATE privacy_holdmember SET purpose = 'newsletter' WHERE purpose = ''", "the people under hold claim-17"),
        ("UPDATE privacy_hold SET is_released = true", r"hold \d+ is not as the audit trail says"),
        ("UPDATE privacy_restriction SET purposes = '[]'", r"restriction \d+ is not as the audit trail says"),
    ],
)
def test_a_changed_hold_is_found(api, as_attacker, sealed, change, said):
    api.save("customer-1", "give")
    register = Register()
    register.place(hold())
    register.place(restriction(purposes=["recommendations"]))
    assert verified() == ""

    as_attacker(change)

    assert re.search(said, verified())
