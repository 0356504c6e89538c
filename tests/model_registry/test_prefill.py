"""Documents begun out of the registers: all that they know is there, and what they do not know is empty."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from consent.models import Party, Purpose, PurposeData
from model_registry import prefill, services
from model_registry.documents.kinds import KINDS
from model_registry.models import ModelVersion
from oversight.guard import writing
from privacy.models import RetentionSchedule

pytestmark = pytest.mark.django_db
METRICS = {"people": 41, "window": ["2026-01-01", "2026-10-31"], "by_segment": {"region=DE": [30, 200]}}


@pytest.fixture
def version(register_in_force: None) -> ModelVersion:
    purpose = Purpose.objects.get(slug="recommendations")
    with transaction.atomic(), writing("test"):
        Party.objects.create(
            slug="mailer", role="recipient", name="Mailer Inc", address="Street 1", country="US",
            transfer_basis="standard_clauses",
        )  # fmt: skip
        Party.objects.create(slug="dpo", role="dpo", name="Dora", address="x", country="DE", email="dpo@example.org")
        Party.objects.create(slug="authority", role="authority", name="The Authority", address="x", country="DE")
        Purpose.objects.filter(pk=purpose.pk).update(recipients=["mailer"], kept_for="Two years")
        events = RetentionSchedule.objects.filter(purpose=purpose, data_set="events", trigger="received")
        events.update(retain_for=timedelta(days=365))
    model = services.register_model("house", name="House", description="")
    return services.register_version(model=model, purposes=[purpose], actor="job:training", metrics=METRICS)


def test_an_impact_assessment_opens_with_what_the_registers_know(version: ModelVersion) -> None:
    answers = prefill.dpia(version).answers
    purpose = version.purposes.get()

    for text in (
        purpose.name, purpose.benefit, "Consent", "Mailer Inc (recipient, US, transfer: standard contractual clauses)",
        "Kept: Recommendations: Two years", "events of Recommendations: 365 days", "eu-", "41 people",
    ):  # fmt: skip
        assert text in answers["description"], text
    reasons = PurposeData.objects.filter(purpose=purpose, locale="en").values_list("reason", flat=True)
    assert all(reason in answers["necessity"] for reason in reasons)
    assert "At most the level “Individual”" in answers["measures"]
    assert not {"officer", "views", "consultation"} & answers.keys()


def test_a_category_without_a_reason_says_so(version: ModelVersion) -> None:
    with transaction.atomic(), writing("test"):
        PurposeData.objects.filter(purpose=version.purposes.get()).delete()

    assert "no reason is registered" in prefill.dpia(version).answers["necessity"]


def test_a_fundamental_rights_assessment_names_groups_oversight_and_complaints(version: ModelVersion) -> None:
    answers = prefill.fria(version).answers

    assert "region=DE" in answers["groups"]
    assert "Dora, dpo@example.org" in answers["oversight"]
    assert "Complaints: The Authority" in answers["measures"]
    assert "harms" not in answers


def test_a_runbook_names_whom_to_call(version: ModelVersion) -> None:
    runbook = prefill.runbook(version)

    assert set(runbook.answers) == {"start", "watch", "stop", "back", "incident"}
    assert "Dora" in {contact.name for contact in runbook.contacts}


def test_a_data_sheet_answers_what_is_known_and_nothing_else(version: ModelVersion) -> None:
    sheet = prefill.datasheet(version)

    assert sheet.answers["composition.2"].text == "41 people."
    assert sheet.answers["collection.5"].text == "2026-01-01 to 2026-10-31"
    assert "Mailer Inc" in sheet.answers["distribution.1"].text
    assert "365 days" in sheet.answers["maintenance.5"].text
    assert "collection.6" not in sheet.answers


@pytest.mark.parametrize("kind", ["card", "datasheet", "dpia", "fria", "runbook"])
def test_a_begun_document_lacks_less_than_an_empty_one_and_is_not_whole(version: ModelVersion, kind: str) -> None:
    begun: Any = getattr(prefill, kind)(version)

    assert KINDS[kind].score(type(begun)()) < KINDS[kind].score(begun)
    assert KINDS[kind].score(begun) < 100 or kind == "runbook"


def test_a_version_that_nothing_is_known_of_gets_no_invented_answers(register_in_force: None) -> None:
    model = services.register_model("bare", name="Bare", description="")
    bare = services.register_version(model=model, purposes=[], actor="service:shop")

    assert "necessity" not in prefill.dpia(bare).answers
    assert "composition.2" not in prefill.datasheet(bare).answers
