"""Files of an answer: JSON as it is, CSV without formulas, a page, and a link that opens once for its person."""

import csv
import io
import json
import uuid
import zipfile
from datetime import timedelta
from typing import Any

import jsonschema
import pytest
from cryptography.fernet import InvalidToken
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from privacy.rights.answers import files, packages
from privacy.rights.answers.files import Section
from privacy.rights.clocks.laws import Right
from privacy.rights.models import AnswerPackage, RightsRequest
from privacy.rights.requests import fulfilling, requests
from privacy.rights.requests.states import State
from privacy.rights.stores import seam
from privacy.rights.stores.seam import Description, Member

NOTES = Description(
    name="notes", title="Notes", origin="from you", kept="a year", is_provided=True, tables=(),
    members=(Member("text", "string", "text"), Member("count", "integer", "count"), Member("more", "object", "more")),
)  # fmt: skip
DANGEROUS = ["=cmd()", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1"]


def section(*texts: str) -> Section:
    return Section(NOTES, [{"text": text, "count": -3, "more": {"a": None}} for text in texts])


@pytest.mark.parametrize("text", DANGEROUS)
def test_a_cell_that_a_spreadsheet_would_run_is_text(text: str) -> None:
    [_head, row] = csv.reader(io.StringIO(files.section_csv(section(text)).decode(), newline=""))

    assert row == [f"'{text}", "-3", '{"a": null}']
    assert json.loads(files.data_json([section(text)], {}))["data"]["notes"][0]["text"] == text


def test_the_data_is_as_its_schema_says() -> None:
    head = {"right": "access", "law": "gdpr", "made_at": "2026-03-02T00:00:00+00:00", "business": "Shop"}
    schema = json.loads(files.schema_json([section("a")]))
    document = json.loads(files.data_json([section("a")], head))

    jsonschema.validate(document, schema)
    document["data"]["notes"][0]["secret"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema)


def test_the_page_shows_each_row_and_runs_nothing() -> None:
    page = files.page_html([section("<script>alert(1)</script>")], {"business": "Shop"}).decode()

    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "from you" in page


def answered(right: Right = Right.ACCESS) -> RightsRequest:
    opening = requests.Opening(
        right=right, subject_ref=uuid.uuid4(), region="DE", door="api", actor="service:shop", is_identified=True
    )
    return fulfilling.run(requests.open_request(opening).request.pk)


@pytest.mark.django_db
def test_an_answer_takes_at_most_22_statements(register_in_force: Any) -> None:
    request = answered()
    with CaptureQueriesContext(
        connection,
    ) as seen:
        made = packages.make(request, now=timezone.now())
    assert len(seen) <= 22
    with CaptureQueriesContext(connection) as seen:
        assert packages.verify(request, made.counts) == []
    assert len(seen) <= 2


@pytest.mark.django_db
def test_portability_leaves_out_what_the_person_did_not_provide(register_in_force: Any) -> None:
    [access, portability] = [answered(Right.ACCESS), answered(Right.PORTABILITY)]

    assert set(_data(access)) > set(_data(portability))
    assert set(_data(portability)) == {each.description.name for each in seam.registered(provided_only=True)}


def _data(request: RightsRequest) -> dict[str, Any]:
    content = packages.open_link(packages.issue_link(request.package, actor="test"))
    assert content is not None
    document: dict[str, Any] = json.loads(zipfile.ZipFile(io.BytesIO(content)).read("data.json"))
    return dict(document["data"])


@pytest.mark.django_db
def test_a_store_that_holds_more_than_the_answer_sends_it_back(register_in_force: Any, monkeypatch: Any) -> None:
    store = next(iter(seam.registered()))
    counted = packages.count_all
    monkeypatch.setattr(packages, "count_all", lambda *asked: {**counted(*asked), store.description.name: 7})

    request = answered()

    assert request.state == State.IN_PROGRESS
    assert store.description.name in request.steps.last().reason


@pytest.mark.django_db
def test_files_are_encrypted_at_rest_and_for_their_request_only(register_in_force: Any) -> None:
    request, other = answered(), answered()
    sealed = bytes(request.package.sealed)
    assert b"PK" not in sealed[:4]
    AnswerPackage.objects.filter(pk=other.package.pk).update(sealed=sealed)
    other.package.refresh_from_db()

    with pytest.raises(InvalidToken):
        packages.open_link(packages.issue_link(other.package, actor="test"))


@pytest.mark.django_db
def test_a_link_opens_once_in_time_and_for_its_person(register_in_force: Any) -> None:
    request = answered()
    token = packages.issue_link(request.package, actor="test")

    assert packages.open_link(token, subject_ref=uuid.uuid4()) is None
    assert packages.open_link(token, now=timezone.now() + timedelta(hours=2)) is None
    assert packages.open_link(token, subject_ref=request.subject_ref) is not None
    assert packages.open_link(token, subject_ref=request.subject_ref) is None
    assert packages.open_link("never-issued") is None


@pytest.mark.django_db
def test_files_that_have_expired_are_deleted_with_their_links(register_in_force: Any) -> None:
    request = answered()
    packages.issue_link(request.package, actor="test")

    assert packages.forget_expired(timezone.now()) == 0
    assert packages.forget_expired(timezone.now() + timedelta(days=31)) == 1
    assert not AnswerPackage.objects.exists()
