"""Rows that an installation kept through an upgrade are compared with the packs, and taken over only when told to."""

import pytest
from django.core.management import CommandError, call_command

from audit.models import AuditEvent
from consent.register.jurisdictions import match
from oversight.changes import approval
from oversight.models import ChangeSet
from policies.models import ActiveBundle, Jurisdiction
from policies.registers import jurisdiction_rows
from tests.helpers.registers import make_officer, second_newest

pytestmark = pytest.mark.django_db


@pytest.fixture
def old_california(register_in_force):
    """A row of before packs: everything the strictest."""
    Jurisdiction.objects.filter(slug="us-ca").update(
        consent_default="opt_in", consent_days=180, binding_signals=[], unasked_max_level="segment"
    )


def test_a_new_installation_differs_nowhere(register_in_force):
    assert jurisdiction_rows.differing() == []


def test_each_field_that_differs_is_named_with_both_values(old_california):
    (found,) = jurisdiction_rows.differing()

    assert found.law.slug == "us-ca"
    assert {(each.field, str(each.here), str(each.pack)) for each in found.differences} == {
        ("consent_default", "opt_in", "opt_out"),
        ("consent_days", "180", "730"),
        ("binding_signals", "[]", "['gpc', 'gpp']"),
    }


def test_taking_over_is_seconded_and_leaves_the_unasked_alone(old_california):
    jurisdiction_rows.propose_takeover(["us-ca"], actor=make_officer("anna"))
    assert jurisdiction_rows.differing()
    second_newest()

    law = Jurisdiction.objects.get(slug="us-ca")
    data = ActiveBundle.objects.get().bundle.data
    event = AuditEvent.objects.get(action="changes.applied")
    assert jurisdiction_rows.differing() == []
    assert (law.consent_days, law.unasked_max_level) == (match("US-CA").pack.consent_days, "segment")
    assert '"consent_days":730' in data
    change = event.details["changes"][0]
    assert (event.details["author"], change["register"], change["key"]) == ("officer:anna", "jurisdiction", "us-ca")
    assert change["fields"].keys() >= {"consent_default", "consent_days", "binding_signals"}


def test_a_law_without_a_pack_is_not_compared_and_not_taken_over(register_in_force):
    Jurisdiction.objects.create(slug="atlantis", name="Atlantis")

    assert jurisdiction_rows.differing() == []
    with pytest.raises(CommandError, match="no pack"):
        call_command("jurisdictions", "adopt", "atlantis")


def test_the_command_lists_first_and_proposes(old_california, capsys):
    call_command("jurisdictions", "adopt")
    listed = capsys.readouterr().out
    assert "us-ca: consent_default" in listed
    assert jurisdiction_rows.differing()

    call_command("jurisdictions", "adopt", "--all")

    assert "waits for an officer: us-ca." in capsys.readouterr().out
    change_set = ChangeSet.objects.get()
    approval.approve(change_set, actor=make_officer("anna"), seen=change_set.digest)
    assert not jurisdiction_rows.differing()
