"""Documents as HTML and PDF: all they say, nothing that runs, and the same bytes each time."""

import re
from html.parser import HTMLParser
from io import BytesIO, TextIOWrapper
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from fontTools.ttLib import TTFont

from consent.models import Purpose
from model_registry import services
from model_registry.documents import keeping
from model_registry.documents.assessments import FRIA
from model_registry.documents.card import ModelCard
from model_registry.documents.datasheet import Answer, DataSheet
from model_registry.documents.models import Document
from model_registry.documents.printing import content, html, pdf, writing
from model_registry.models import GateExemption, ModelVersion
from oversight.guard import writing as letting
from tests.helpers import models

HOSTILE = "</p><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 }}{% load x %}\"'&"


@pytest.fixture
def version(register_in_force: None) -> ModelVersion:
    model = services.register_model("house", name="House", description="")
    purposes = [Purpose.objects.get(slug="recommendations")]
    return services.register_version(model=model, purposes=purposes, actor="job:training")


def kept(version: ModelVersion, kind: str, document: Any) -> Document:
    row = keeping.keep(version, kind, document, actor="officer:anna")
    return Document.objects.select_related("version__model").get(pk=row.pk)


class Page(HTMLParser):
    """Elements of a page, and its text."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(data.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


DOCUMENTS: dict[str, Any] = {
    "card": models.card(),
    "datasheet": DataSheet(name="events", answers={"composition.14": Answer(text="Nobody.", applies=False)}),
    "dpia": models.assessment(),
    "fria": models.assessment(FRIA),
    "runbook": models.runbook(),
}


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_every_kind_is_written_for_people(version: ModelVersion, kind: str) -> None:
    row = kept(version, kind, DOCUMENTS[kind])

    page, sheet = Page(html.write(row)), pdf.write(row)

    assert [tag for tag, _ in page.elements].count("h1") == 1
    said = content.of(row)
    assert all(section.title in page.text for section in said.sections)
    assert all(value in page.text for section in said.sections for _, value in section.facts)
    assert sheet.startswith(b"%PDF-1.")
    assert pdf.write(row) == sheet


def test_a_page_stands_alone_and_runs_nothing(version: ModelVersion) -> None:
    card = models.card(name=HOSTILE, overview=HOSTILE, body=HOSTILE, references=["javascript:alert(1)"])

    page = Page(html.write(kept(version, "card", card)))

    names = {tag for tag, _ in page.elements}
    assert not names & {"script", "img", "a", "iframe", "link", "form"}
    assert not {name for _, attributes in page.elements for name in attributes} & {"src", "href", "onerror", "style"}
    assert HOSTILE in page.text
    assert "javascript:alert(1)" in page.text


def test_a_page_can_be_read_by_a_screen_reader(version: ModelVersion) -> None:
    page = Page(html.write(kept(version, "card", models.card())))

    elements = dict(page.elements)
    assert elements["html"] == {"lang": "en"}
    assert {"title", "main", "h1", "h2", "caption"} <= elements.keys()
    heads = [attributes for tag, attributes in page.elements if tag == "th"]
    assert heads
    assert all(attributes.get("scope") == "col" for attributes in heads)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    named = [attributes["aria-labelledby"] for tag, attributes in page.elements if tag == "section"]
    assert sorted(ids) == sorted(named)


def test_what_the_fonts_lack_is_written_by_number(version: ModelVersion) -> None:
    letters = set(TTFont(pdf._FONTS / "DejaVuSans.ttf").getBestCmap())

    assert pdf._shown("Žluťoučký „Größe“ Ωμέγα Жук 100 €", letters) == "Žluťoučký „Größe“ Ωμέγα Жук 100 €"
    assert pdf._shown("中\u202e\x00a", letters) == "[U+4E2D][U+202E][U+0000]a"
    assert pdf.write(kept(version, "card", models.card(overview="中文 " * 500, body="x" * 30_000)))


def test_a_gate_that_does_not_apply_stands_on_the_card(version: ModelVersion) -> None:
    row = kept(version, "card", models.card())
    assert "Gates that do not apply" not in Page(html.write(row)).text

    with transaction.atomic(), letting("test"):
        GateExemption.objects.create(model=version.model, version=version.version, gate="segments", reason="None made.")

    assert "Gates that do not apply" in Page(html.write(row)).text
    assert "None made." in Page(html.write(row)).text
    assert "None made." not in Page(html.write(kept(version, "runbook", models.runbook()))).text


@pytest.mark.parametrize("form", ["html", "pdf"])
def test_the_command_writes_it(version: ModelVersion, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    row = kept(version, "dpia", models.assessment())
    out = TextIOWrapper(BytesIO())
    monkeypatch.setattr("sys.stdout", out)

    call_command("model", "export", str(version), "--kind", "dpia", "--form", form)

    assert out.buffer.getvalue() == writing.written(row, form)  # type: ignore[attr-defined]


def test_the_page_of_a_document_offers_its_forms(version: ModelVersion, admin_client: Client) -> None:
    kept(version, "card", ModelCard(name="First"))
    kept(version, "card", models.card())
    page = admin_client.get(f"/admin/models/{version.pk}/documents/card").content.decode()

    links = re.findall(rf'href="(/admin/models/{version.pk}/documents/card/[a-z-]+)"', page)
    assert [link.rsplit("/", 1)[1] for link in links] == [
        "huggingface", "model-card-toolkit", "cyclonedx", "json", "html", "pdf",
    ]  # fmt: skip
    for link in links:
        answer = admin_client.get(link)
        assert answer.status_code == 200
        assert answer["Content-Disposition"].startswith('attachment; filename="house-1-card-2.')
    first = admin_client.get(links[-2], {"revision": "1"}).content.decode()
    assert "First" in first


def test_a_form_of_another_kind_and_a_stranger_are_refused(version: ModelVersion, admin_client: Client) -> None:
    kept(version, "card", models.card())
    path = f"/admin/models/{version.pk}/documents/card"

    assert admin_client.get(f"{path}/croissant").status_code == 404
    assert admin_client.get(f"/admin/models/{version.pk}/documents/runbook/html").status_code == 404
    assert Client().get(f"{path}/html").status_code == 302


def test_a_cell_that_is_longer_than_a_page_is_written_whole(version: ModelVersion) -> None:
    said = "A risk that takes long to explain. " * 500
    described = models.card().considerations.ethical[0].model_copy(update={"mitigation": said[:20_000]})
    considerations = models.card().considerations.model_copy(update={"ethical": [described]})
    row = kept(version, "card", models.card(considerations=considerations))

    assert pdf.write(row).startswith(b"%PDF")


@pytest.mark.parametrize("said", ["W" * 257, "a\n" * 10 + "W" * 230, "\u4e2d" * 40])
def test_the_longest_cell_of_a_table_fits_a_page(version: ModelVersion, said: str) -> None:
    one = models.card().alternatives[0]
    wide = one.model_copy(update={name: said for name, value in one.model_dump().items() if isinstance(value, str)})
    row = kept(version, "card", models.card(alternatives=[wide]))

    assert pdf.write(row).startswith(b"%PDF")
