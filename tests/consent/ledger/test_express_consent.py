"""Sensitive data wants a yes of its own, given expressly (GDPR Article 9(2)(a)); a no needs nothing."""

import pytest

from consent.models import ConsentRecord, Purpose
from consent.problems import ExplicitConsentNeeded

pytestmark = pytest.mark.django_db


@pytest.fixture
def sensitive(register_in_force):
    Purpose.objects.filter(slug="recommendations").update(explicit_consent=True)


def test_a_yes_in_passing_is_refused(sensitive, choose):
    with pytest.raises(ExplicitConsentNeeded):
        choose("customer-1", "give")

    assert not ConsentRecord.objects.exists()


@pytest.mark.parametrize(
    ("purpose", "choice", "explicit", "state"),
    [
        ("recommendations", "give", True, "given"),
        ("recommendations", "refuse", False, "refused"),
        ("newsletter", "give", False, "given"),
    ],
)
def test_an_express_yes_and_every_no_are_taken(sensitive, choose, purpose, choice, explicit, state):
    choose("customer-1", choice, purpose, explicit=explicit)

    record = ConsentRecord.objects.get()
    assert (record.state, record.explicit) == (state, explicit)


def test_the_api_says_what_is_missing(sensitive, api):
    answer = api.post(
        "/api/v1/consents",
        {"subject": {"id": "customer-1"}, "choices": [{"purpose": "recommendations", "choice": "give"}]},
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "explicit_consent_needed")
    assert "explicit: true" in answer.json()["detail"]
