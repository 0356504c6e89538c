"""A second officer for every register; a setting, itself changed by two, lets one officer change one of them."""

import pytest

from consent.models import Party
from oversight import registers, rows
from oversight.admin import pages
from oversight.changes import applying, approval, undoing
from oversight.changes.documents import Proposed
from oversight.models import RelaxedRegister, WorkItem
from oversight.problems import ChangeRefused, SecondOfficerNeeded
from tests.helpers.registers import drafted, in_force, widened

pytestmark = pytest.mark.django_db


def _relax(register: str) -> Proposed:
    document = {"register": register, "reason": "Addresses of parties change every week."}
    return Proposed("relaxed_register", register, document)


def _new_party(slug: str) -> Proposed:
    party = registers.find("party")
    row = Party.objects.filter(role=Party.Role.PROCESSOR).first() or Party.objects.first()
    assert row is not None
    return Proposed("party", slug, {**rows.document_of(party, row), "slug": slug, "name": slug})


def test_a_relaxed_register_takes_one_officer_and_is_reviewed(anna, ben):
    in_force(anna, ben, _relax("party"))

    applied = applying.apply_relaxed(drafted(anna, _new_party("printer")), actor=anna, reason="a new printer")

    assert Party.objects.filter(slug="printer").exists()
    assert (applied.kind, applied.is_unreviewed) == ("relaxed", True)
    assert WorkItem.objects.get(kind="changes-review", object=str(applied.pk)).state == "open"
    with pytest.raises(SecondOfficerNeeded):
        approval.review(applied, actor=anna)
    approval.review(applied, actor=ben)
    applied.refresh_from_db()
    assert not applied.is_unreviewed


def test_every_register_needs_two_until_a_setting_says_otherwise(anna, ben):
    with pytest.raises(ChangeRefused, match="Not all of these registers"):
        applying.apply_relaxed(drafted(anna, _new_party("printer")), actor=anna, reason="")


def test_a_set_of_a_relaxed_and_another_register_needs_two(anna, ben):
    in_force(anna, ben, _relax("party"))
    mixed = drafted(anna, _new_party("printer"), *widened("recommendations", recipients=["printer"]))

    with pytest.raises(ChangeRefused, match="Not all of these registers"):
        applying.apply_relaxed(mixed, actor=anna, reason="")
    assert not Party.objects.filter(slug="printer").exists()


def test_a_claim_that_a_text_says_no_more_still_needs_two(anna, ben):
    in_force(anna, ben, _relax("notice"))
    _purpose, notice = widened("recommendations", is_material=False)

    with pytest.raises(ChangeRefused, match="Only a second officer can confirm"):
        applying.apply_relaxed(drafted(anna, notice), actor=anna, reason="")


@pytest.mark.parametrize("register", ["officer_rights", "relaxed_register"])
def test_what_needs_two_in_an_emergency_is_never_relaxed(anna, ben, register):
    with pytest.raises(ChangeRefused, match="needs two officers, always"):
        in_force(anna, ben, _relax(register))


def test_the_setting_itself_is_changed_by_two(anna, ben):
    with pytest.raises(ChangeRefused):
        applying.apply_relaxed(drafted(anna, _relax("party")), actor=anna, reason="")
    with pytest.raises(ChangeRefused, match="two officers"):
        applying.apply_in_emergency(drafted(anna, _relax("party")), actor=anna, reason="now")
    with pytest.raises(ChangeRefused, match="only take permission away"):
        applying.apply_protectively(drafted(anna, _relax("party")), actor=anna, reason="")
    assert not RelaxedRegister.objects.exists()


def test_one_officer_makes_a_register_need_two_again(anna, ben):
    setting = in_force(anna, ben, _relax("party"))

    applying.apply_protectively(undoing.undo(setting, actor=ben), actor=ben, reason="a wrong party")

    assert not RelaxedRegister.objects.exists()
    with pytest.raises(ChangeRefused):
        applying.apply_relaxed(drafted(anna, _new_party("printer")), actor=anna, reason="")


def test_an_unknown_register_is_refused(anna, ben):
    with pytest.raises(ChangeRefused, match="There is no register"):
        in_force(anna, ben, _relax("partys"))


def test_the_page_of_a_draft_offers_it_where_the_register_is_relaxed(anna, ben):
    before = drafted(anna, _new_party("printer"))
    in_force(anna, ben, _relax("party"))

    choice = pages._BY_NAME["relaxed"]
    assert pages._is_open(choice, before)
    assert not pages._is_open(choice, drafted(anna, *widened("recommendations", recipients=["printer"])))
