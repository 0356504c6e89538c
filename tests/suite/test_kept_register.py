"""The register that is copied is the register that is laid."""

import re
from typing import Any

import pytest
from django.db import connection, transaction

from audit import trail
from audit.models import AuditEvent
from consent.models import Purpose, Site
from governance.demo.register import SHOP
from policies.models import Activation, ActiveBundle
from tests.helpers.kept_register import lay_register
from tests.helpers.row_copies import LEFT_OUT, RowCopy

# Moments, random codes and the digests over them differ; so do numbers that a sequence gave.
_COMPARED = """
SELECT table_name, string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) FROM information_schema.columns
WHERE table_schema = 'public' AND data_type NOT IN ('timestamp with time zone', 'uuid', 'bytea', 'bigint')
  AND NOT (column_name = 'id' AND data_type = 'integer')
GROUP BY table_name ORDER BY table_name
"""


# The same within JSON: numbers of rows, digests over moments, and moments.
_NUMBERED = re.compile(r"\bchanges \d+")
_OWN = re.compile(r'("+(?:key|digest|id|sha256|valid_from|\w+_at|\w+_id)"+: ?"*)[^",}]*')


def _rows() -> dict[str, list[str]]:
    """Every row of every table as text, table by table."""
    with connection.cursor() as cursor:
        cursor.execute(_COMPARED)
        found = {}
        for table, columns in cursor.fetchall():
            cursor.execute(f"SELECT ({columns})::text FROM public.{table} ORDER BY 1")
            found[table] = sorted(_OWN.sub(r"\1*", _NUMBERED.sub("changes *", row)) for (row,) in cursor.fetchall())
    return {table: rows for table, rows in found.items() if rows}


def _undone(lay: Any) -> dict[str, list[str]]:
    with transaction.atomic():
        lay()
        rows = _rows()
        transaction.set_rollback(True)
    return rows


@pytest.fixture
def no_laying(kept_register, monkeypatch):
    """Fail where the register is laid instead of copied."""
    monkeypatch.setattr(kept_register, "_lay", lambda: pytest.fail("The register was laid anew."))


def test_copied_rows_are_the_laid_ones(db, kept_register, no_laying):
    copied, laid = _undone(kept_register.lay), _undone(lay_register)

    # The copying of purposes, texts and notices writes snapshots of its own: those laid are among them.
    assert set(laid.pop("consent_registersnapshot")) <= set(copied.pop("consent_registersnapshot"))
    # The sets of what was laid are not copied: their triggers insist on every step of theirs.
    assert {table for table in laid if table.startswith("oversight_")} == set(LEFT_OUT)
    assert copied == {table: rows for table, rows in laid.items() if table not in LEFT_OUT}
    assert {"consent_purpose", "policies_bundle", "policies_region", "audit_auditevent"} <= set(copied)


def test_what_is_written_after_the_copy_finds_free_numbers(db, kept_register, no_laying):
    kept_register.lay()
    newest = AuditEvent.objects.first().position

    trail.record("purpose.changed", "newsletter", actor="test", details={})
    lay_register()  # finds nothing missing

    assert AuditEvent.objects.first().position > newest
    assert Purpose.objects.count() == 5


def test_the_copied_bundle_came_into_force_now(db, kept_register, no_laying):
    kept_register.lay()

    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        (now,) = cursor.fetchone()
    assert ActiveBundle.objects.get().activated_at == now
    assert Activation.objects.latest("id").activated_at == now
    assert Activation.objects.earliest("id").activated_at < now


def test_over_rows_of_the_test_the_register_is_laid(db, kept_register):
    trail.record("purpose.changed", "newsletter", actor="test", details={})

    kept_register.lay()

    assert Purpose.objects.count() == 5
    assert ActiveBundle.objects.exists()


def test_under_other_settings_the_register_is_laid(db, kept_register, settings):
    settings.PUBLIC_URL = "https://privacy.example.org"

    kept_register.lay()

    assert Site.objects.get(slug=SHOP).origins == ["https://privacy.example.org"]


def test_a_second_copy_is_refused(db, kept_register):
    kept_register.lay()
    events = AuditEvent.objects.count()

    assert kept_register._rows.put() is False

    assert AuditEvent.objects.count() == events


def test_changed_rows_are_copied_over_those_they_changed(db, kept_register, no_laying):
    rename = Purpose.objects.filter(slug="newsletter").update
    changed = RowCopy("changed", lambda: rename(name="Letters"), over=kept_register.lay)

    assert changed.put() is False, "nothing is there to be changed"
    kept_register.lay()
    assert Purpose.objects.get(slug="newsletter").name == "Newsletter"
    assert changed.put() is True
    assert Purpose.objects.get(slug="newsletter").name == "Letters"


def test_where_it_stands_for_a_file_nothing_is_laid_again(db, kept_register, no_laying):
    with kept_register.standing():
        laid = _rows()
        kept_register.lay()
        assert _rows() == laid
    with pytest.raises(pytest.fail.Exception):
        kept_register.lay()
