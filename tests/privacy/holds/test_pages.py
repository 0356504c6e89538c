"""Officers' pages of holds and restrictions: customer ids become pseudonyms, saving drafts a change set."""

import re

import pytest
from django.urls import reverse

from audit.models import AuditEvent
from consent.pseudonyms import subject_ref
from oversight.models import Change, ChangeSet
from privacy.models import Hold, Restriction
from tests.helpers.holds import Register, hold, refs
from tests.helpers.registers import second_newest

pytestmark = pytest.mark.django_db
ADD = reverse("admin:privacy_hold_add")
RESTRICT = reverse("admin:privacy_restriction_add")
FORM = {
    "slug": "claim-17", "matter": "Claim of a customer", "reason": "Counsel asked", "people": "customer-1\ncustomer-2",
    "regions": "", "starts_at_0": "2026-01-01", "starts_at_1": "00:00:00", "ends_at_0": "", "ends_at_1": "",
}  # fmt: skip


def _errors(answer):
    assert answer.status_code == 200
    return answer.context["adminform"].form.errors


def test_a_hold_is_drafted_with_pseudonyms_and_seconded(officer):
    answer = officer.post(ADD, FORM)
    page = officer.get(answer["Location"]).content.decode()

    assert not Hold.objects.exists()
    assert "People kept by" in page
    assert "2 people" in page
    assert str(subject_ref("customer-1")) not in page  # who reads change sets need not be one who reads people
    second_newest()
    assert Hold.objects.get().people == refs("customer-1", "customer-2")
    assert Hold.objects.get().members.count() == 2


def test_a_customer_id_is_kept_nowhere(officer):
    officer.post(ADD, {**FORM, "people": "jane.doe@example.org"})
    second_newest()

    kept = [*Change.objects.values_list("after", flat=True), *AuditEvent.objects.values_list("details", flat=True)]
    assert "jane.doe" not in str([*kept, *ChangeSet.objects.values()])


def test_a_pseudonym_is_taken_as_it_is(officer):
    officer.post(ADD, {**FORM, "people": str(subject_ref("customer-1")).upper()})
    second_newest()

    assert Hold.objects.get().people == refs("customer-1")


def test_a_missing_id_is_named_by_its_line_alone(officer):
    errors = _errors(officer.post(ADD, {**FORM, "people": "customer-1\nNULL"}))

    assert "Line 2" in str(errors["people"])
    assert "NULL" not in str(errors)


def test_a_hold_on_no_person_is_shown_as_a_mistake(officer):
    errors = _errors(officer.post(ADD, {**FORM, "people": ""}))

    assert "Name people" in str(errors)
    assert not ChangeSet.objects.exists()


def test_a_restriction_is_drafted_and_seconded(officer):
    officer.post(RESTRICT, {**FORM, "slug": "art18-1", "ground": "accuracy", "people": "customer-1", "informed_on": ""})
    second_newest()

    assert Restriction.objects.get().people == refs("customer-1")


def test_a_restriction_is_not_released_before_its_person_is_informed(officer):
    form = {**FORM, "slug": "art18-1", "ground": "accuracy", "informed_on": "", "is_released": "on"}

    assert "Inform the person" in str(_errors(officer.post(RESTRICT, form)))


def test_the_list_says_what_each_hold_keeps(officer):
    Register().place(hold(people=refs("customer-1", "customer-2"), purposes=["newsletter"]))

    page = officer.get(reverse("admin:privacy_hold_changelist")).content.decode()

    assert re.search(r"In force", page)
    assert re.search(r"field-people_kept[^>]*>\s*2\s*<", page)
    assert "newsletter" in page


def test_the_page_of_a_hold_lists_whom_it_keeps(officer):
    Register().place(hold(purposes=["newsletter"], data_sets=["events"]))

    page = officer.get(reverse("admin:privacy_hold_change", args=[Hold.objects.get().pk])).content.decode()

    assert str(subject_ref("customer-1")) in page
    assert "Person (1 in all)" in page


def test_a_hold_cannot_be_deleted(officer):
    Register().place(hold())

    answer = officer.post(reverse("admin:privacy_hold_delete", args=[Hold.objects.get().pk]), {"post": "yes"})

    assert answer.status_code == 403
    assert Hold.objects.exists()
