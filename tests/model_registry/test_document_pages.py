"""Page of a document: edit, upload, review by another officer, compare; refused with the line."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from consent.models import Purpose
from model_registry import services
from model_registry.models import Document, DocumentReview, ModelVersion
from tests.helpers import models
from tests.helpers.officers import signed_in, with_role
from tests.helpers.registers import make_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(register_in_force: None) -> ModelVersion:
    model = services.register_model("house", name="House", description="Item to item.")
    purposes = [Purpose.objects.get(slug="recommendations")]
    return services.register_version(model=model, purposes=purposes, actor="job:training")


@pytest.fixture
def author() -> Client:
    return signed_in(make_account("author"))


def page(version: ModelVersion, kind: str = "dpia") -> str:
    return f"/admin/models/{version.pk}/documents/{kind}"


def test_a_document_is_begun_out_of_the_registers(author: Client, version: ModelVersion) -> None:
    shown = author.get(page(version)).content.decode()

    assert "Begun out of the registers" in shown
    assert "Recommendations: You see things that fit" in shown
    assert not Document.objects.exists()


def test_what_is_written_is_kept_as_a_revision(author: Client, version: ModelVersion) -> None:
    content = models.assessment().model_dump_json()

    assert author.post(page(version), {"content": content}).status_code == 302

    row = Document.objects.get()
    assert (row.revision, row.score, row.made_by, row.author.username) == (1, 100, "officer:author", "author")  # type: ignore[union-attr]


def test_a_wrong_member_is_named_and_the_text_stays(author: Client, version: ModelVersion) -> None:
    shown = author.post(page(version), {"content": '{"answers": {},\n "risk": []}'}).content.decode()

    assert "line 2, risk" in shown
    assert "&quot;risk&quot;: []" in shown
    assert not Document.objects.exists()


def test_a_file_is_taken_in(author: Client, version: ModelVersion) -> None:
    file = SimpleUploadedFile("card.json", json.dumps(models.card().model_dump(mode="json")).encode())

    author.post(page(version, "card"), {"file": file})

    assert Document.objects.get().score == 100


def test_an_assessment_is_approved_by_another_officer(author: Client, version: ModelVersion) -> None:
    author.post(page(version), {"content": models.assessment().model_dump_json()})
    verdict = {"verdict": "approved", "role": "privacy", "revision": "1", "comment": ""}

    own = author.post(page(version), verdict).content.decode()
    assert "Another officer has to approve it." in own
    assert not DocumentReview.objects.exists()

    signed_in(make_account("second")).post(page(version), verdict)
    assert DocumentReview.objects.get().actor == "officer:second"


def test_a_refusal_says_why(author: Client, version: ModelVersion) -> None:
    author.post(page(version), {"content": models.assessment().model_dump_json()})
    verdict = {"verdict": "refused", "role": "legal", "revision": "1"}

    assert "Say why" in author.post(page(version), verdict).content.decode()
    author.post(page(version), {**verdict, "comment": "The views of people are missing."})

    assert "The views of people are missing." in author.get(page(version)).content.decode()


def test_revisions_are_compared(author: Client, version: ModelVersion) -> None:
    author.post(page(version), {"content": models.assessment().model_dump_json()})
    author.post(page(version), {"content": models.assessment(review_due="2031-01-01").model_dump_json()})

    assert "+ &quot;review_due&quot;: &quot;2031-01-01&quot;" in author.get(page(version)).content.decode()


def test_who_only_reads_writes_and_approves_nothing(version: ModelVersion) -> None:
    reader = signed_in(with_role("reader", "auditor"))

    assert "Keep as a new revision" not in reader.get(page(version)).content.decode()
    assert reader.post(page(version), {"content": "{}"}).status_code == 403
    assert reader.get(page(version, "novel")).status_code == 404
