"""Form of a document: what is shown is what is kept, blanks go, and a refusal names the entry and keeps the text."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from consent.models import Purpose
from model_registry import prefill, services
from model_registry.documents import assessments, datasheet, keeping
from model_registry.documents.kinds import KINDS
from model_registry.models import Document, ModelVersion
from model_registry.pages import document_form
from model_registry.pages.entries import FORMS
from tests.helpers import models
from tests.helpers.officers import signed_in
from tests.helpers.registers import make_account

WHOLE = {
    "card": models.card(),
    "dpia": models.assessment(),
    "fria": models.assessment(assessments.FRIA),
    "runbook": models.runbook(),
    "datasheet": datasheet.DataSheet(
        name="Events", licence="none", answers={"uses.5": datasheet.Answer(text="All are.", applies=False)}
    ),
}


def fields_of(kind: str, content: Any) -> dict[str, str]:
    """What a browser sends of the form of a document."""
    sent: dict[str, str] = {}
    for part in (part for section in document_form.shown(kind, content) for part in section["parts"]):
        for field in [field for row in part["rows"] for field in row] if "rows" in part else [part]:
            if field["widget"] not in ("flag", "unless"):
                sent[field["name"]] = str(field["value"])
            elif field["is_ticked"]:
                sent[field["name"]] = "yes"
    return sent


@pytest.mark.parametrize("kind", WHOLE)
def test_a_document_sent_as_it_was_shown_is_the_same(kind: str) -> None:
    content = WHOLE[kind].model_dump(mode="json")

    typed = document_form.typed(kind, content, fields_of(kind, content))

    assert document_form.document(kind, typed) == WHOLE[kind]


def test_every_kind_has_a_form() -> None:
    assert set(FORMS) == set(KINDS)


def test_every_question_and_member_of_an_empty_document_can_be_answered() -> None:
    for kind in ("dpia", "fria", "runbook", "datasheet"):
        empty = KINDS[kind].model().model_dump(mode="json")
        sent = {name: "low" if name.rpartition("/")[2] in _DEGREES else "Said." for name in fields_of(kind, empty)}
        sent.update({"review_due": "2030-01-01"} if kind in ("dpia", "fria") else {})

        document = document_form.document(kind, document_form.typed(kind, empty, sent))

        assert KINDS[kind].missing(document) == [], kind


_DEGREES = ("likelihood", "severity", "remaining")


def test_rows_left_blank_go_and_members_without_an_entry_stay() -> None:
    content = models.card().model_dump(mode="json")
    content["owners"] = [{"name": "Shop", "contact": "a@example.org"}, {"name": "Lab", "contact": "b@example.org"}]
    content["training"]["data"][0]["url"] = "https://example.org/events"
    sent = {**fields_of("card", content), "owners/1/name": "", "owners/1/contact": " "}

    typed = document_form.typed("card", content, sent)

    assert typed["owners"] == [{"name": "Lab", "contact": "b@example.org"}]
    assert typed["training"]["data"][0]["url"] == "https://example.org/events"
    assert typed["evaluations"] == content["evaluations"]


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


@pytest.mark.django_db
def test_what_was_begun_out_of_the_registers_is_completed_in_the_form(author: Client, version: ModelVersion) -> None:
    content = prefill.dpia(version).model_dump(mode="json")
    sent = {name: value or "Answered." for name, value in fields_of("dpia", content).items()}
    sent |= {f"risks/1/{name}": "low" for name in _DEGREES}

    assert author.post(page(version), {**sent, "over": "0"}).status_code == 302

    row = Document.objects.get()
    assert row.score == 100
    assert row.content["answers"]["description"] == content["answers"]["description"]


@pytest.mark.django_db
def test_a_refused_entry_is_named_and_the_text_stays(author: Client, version: ModelVersion) -> None:
    content = prefill.dpia(version).model_dump(mode="json")
    sent = {**fields_of("dpia", content), "risks/1/risk": "Singled out.", "over": "0"}

    shown = unescape(author.post(page(version), sent).content.decode())

    assert re.search(r"Risk 1, Likelihood: Input should be 'low', 'medium' or 'high'", shown)
    assert "Singled out.</textarea>" in shown
    assert not Document.objects.exists()


@pytest.mark.django_db
def test_a_form_over_an_older_revision_is_refused(author: Client, version: ModelVersion) -> None:
    keeping.keep(version, "runbook", models.runbook(), actor="officer:other")
    sent = {**fields_of("runbook", {}), "answers/start": "My own way.", "over": "0"}

    shown = author.post(page(version, "runbook"), sent).content.decode()

    assert "Another revision was kept meanwhile." in shown
    assert "My own way.</textarea>" in shown
    assert Document.objects.count() == 1
