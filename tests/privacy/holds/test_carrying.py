"""Holds that were set by SQL before their register: taken over once, kept, and from then on under verification."""

import pytest
from django.db import connection

from consent.models import DataSubject
from governance.evidence import registers
from oversight.models import ChangeSet
from privacy.holds import carrying, evidence
from privacy.models import Hold, Restriction
from tests.helpers.holds import Register, hold, refs
from tests.helpers.registers import without_writer

pytestmark = pytest.mark.django_db


@pytest.fixture
def older(choose):
    for number in (1, 2, 3):
        choose(f"customer-{number}", "give")
    DataSubject.objects.filter(ref__in=refs("customer-1")).update(held=True)
    DataSubject.objects.filter(ref__in=refs("customer-2")).update(restricted=True)


def _marked():
    return set(DataSubject.objects.values_list("held", "restricted"))


def test_holds_of_an_older_release_are_taken_over(older):
    before = _marked()

    with without_writer():
        registers.seal_existing(actor="system")

    assert (Hold.objects.get().people, Restriction.objects.get().people) == (refs("customer-1"), refs("customer-2"))
    assert _marked() == before
    assert (evidence.broken(), registers.broken()) == (None, None)
    assert ChangeSet.objects.get().kind == ChangeSet.Kind.SHIPPED


def test_holds_are_taken_over_once(older):
    registers.seal_existing(actor="system")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE consent_datasubject SET held = true")

    registers.seal_existing(actor="system")

    assert Hold.objects.get().people == refs("customer-1")
    assert "is not held or restricted" in str(registers.broken())


def test_an_installation_without_holds_gets_none(choose):
    choose("customer-1", "give")

    carrying.carry_over(actor="system")

    assert not Hold.objects.exists()
    assert not Restriction.objects.exists()


def test_a_later_hold_leaves_the_older_ones_in_force(older):
    registers.seal_existing(actor="system")
    Register().place(hold(people=refs("customer-3")))

    assert _marked() == {(True, False), (False, True)}
