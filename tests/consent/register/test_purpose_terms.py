"""Terms that an officer gives a purpose: only those that DPV has, since each receipt carries them."""

import json

import pytest
from django.urls import reverse

from consent.models import Purpose
from consent.receipts import terms
from oversight.models import ChangeSet
from tests.helpers.paths import CHECKOUT
from tests.helpers.registers import second_newest

DPV = json.loads((CHECKOUT / "tests/data/dpv-2.3-terms.json").read_text())


def test_every_term_that_may_be_given_is_one_of_dpv_2_3():
    assert set(DPV["dpv"]) >= terms.PURPOSES
    assert not terms.PURPOSES & {"DataController", "ConsentGiven", "PersonalData", "Location", "Process"}


@pytest.mark.django_db
@pytest.mark.parametrize("term", ["DirectMarketing", "ServiceUsageAnalytics"])
def test_a_term_of_the_vocabulary_is_saved(send, term):
    purpose = Purpose.objects.get(slug="newsletter")

    assert send(reverse("admin:consent_purpose_change", args=[purpose.pk]), dpv_purpose=term).status_code == 302
    if ChangeSet.objects.exists():
        second_newest()

    purpose.refresh_from_db()
    assert purpose.dpv_purpose == term


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("term", "hint"),
    [
        ("ServicePersonalization", "Did you mean ServicePersonalisation?"),
        ("directmarketing", "Did you mean DirectMarketing?"),
        ("dpv:DirectMarketing", "Did you mean DirectMarketing?"),
        ("DataController", "Examples: DirectMarketing"),
        ("Newsletter things", "Examples: DirectMarketing"),
    ],
)
def test_another_term_is_an_error_at_the_field(send, term, hint):
    purpose = Purpose.objects.get(slug="newsletter")

    answer = send(reverse("admin:consent_purpose_change", args=[purpose.pk]), dpv_purpose=term)

    assert answer.status_code == 200
    assert hint in answer.context["adminform"].form.errors["dpv_purpose"][0]
    before = purpose.dpv_purpose
    purpose.refresh_from_db()
    assert purpose.dpv_purpose == before
