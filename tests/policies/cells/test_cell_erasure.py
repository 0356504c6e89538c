"""An erasure reaches the other cells by the id that was shown, once each, and waits for a cell that does not answer."""

import json
from typing import Any

import pytest
from django.conf import settings

from consent.ledger import ledger
from consent.models import DataSubject
from consent.pseudonyms import subject_ref
from policies.cells import erasures
from privacy.rights.models import RightsRequest
from privacy.rights.requests import fulfilling, other_cells, statements
from privacy.rights.requests.states import State
from tests.helpers.wsgi_calls import WsgiClient

pytestmark = pytest.mark.django_db
BODY = {"subject": {"id": "customer-1", "region": "US-CA"}, "right": "erasure"}


@pytest.fixture(autouse=True)
def others(monkeypatch: Any, tmp_path: Any) -> None:
    monkeypatch.setattr(other_cells, "_others", [erasures.OTHERS])
    monkeypatch.setattr(settings, "ASSENT_HOME", tmp_path)


def post(token: str, body: Any, **headers: str) -> Any:
    return WsgiClient().post(
        "/api/v1/requests", data=json.dumps(body).encode(), content_type="application/json",
        headers={"Authorization": f"Bearer {token}", **headers},
    )  # fmt: skip


def known(region: str) -> None:
    choice = ledger.Choice(purpose="recommendations", choice="give")
    ledger.save_choices(
        ledger.Request(
            subject_ref=subject_ref("customer-1"), choices=[choice], source="api", actor="test", region=region,
            age_band="adult",
        )
    )  # fmt: skip


@pytest.mark.parametrize(("status", "answer"), [(201, {"state": "done"}), (421, {"code": "not_this_cell"})])
def test_the_other_cells_are_asked_by_the_id(us: str, eu: Any, status: int, answer: Any) -> None:
    known("US-CA")
    eu.status, eu.answer = status, answer

    said = post(us, BODY)

    assert (said.status_code, said.json()["state"]) == (201, "done"), said.json()
    [asked] = [each for each in eu.asked if each.path == "/api/v1/requests"]
    assert asked.body == {"subject": {"id": "customer-1", "type": "data_subject"}, "right": "erasure"}
    assert asked.headers["Idempotency-Key"] == said.json()["id"]
    assert asked.headers["X-Assent-Cell"] == "us"
    request = RightsRequest.objects.get()
    assert request.erasure_steps.filter(store="cell eu").count() == 1
    assert statements.unseal(request.statement, request.statement_salt) == statements.NOTHING


@pytest.mark.parametrize(("status", "answer"), [(503, {}), (200, {"state": "blocked"}), (403, {}), (200, b"no json")])
def test_a_cell_that_is_not_done_is_asked_again(us: str, eu: Any, status: int, answer: Any) -> None:
    known("US-CA")
    eu.status, eu.answer = status, answer

    said = post(us, BODY)

    assert said.json()["state"] == "in_progress"
    assert DataSubject.objects.get().is_erased  # here it is in force
    request = RightsRequest.objects.get()
    assert b"customer-1" not in bytes(request.statement or b"")
    assert statements.unseal(request.statement, request.statement_salt).subject["id"] == "customer-1"
    eu.status, eu.answer = 200, {"state": "done"}
    fulfilling.sweep()
    request.refresh_from_db()
    assert (request.state, request.statement) == (State.DONE, None)
    assert request.steps.filter(move="rework").count() == 0


def test_a_cell_that_was_asked_erases_and_asks_no_other(as_us: dict[str, Any], eu: Any) -> None:
    known("DE")
    token = as_us["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    headers = {"X-Assent-Cell": "us", "X-Assent-Caller": "erasure", "Idempotency-Key": "k"}
    body = {"subject": {"id": "customer-1", "type": "data_subject"}, "right": "erasure"}

    said = post(token, body, **headers)

    assert (said.status_code, said.json()["state"]) == (201, "done"), said.json()
    assert DataSubject.objects.get().is_erased
    assert eu.asked == []
    again = post(token, body, **headers)
    assert (again.status_code, again.json()["id"]) == (200, said.json()["id"])


def test_a_cell_that_does_not_know_the_person_says_so(as_us: dict[str, Any]) -> None:
    token = as_us["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    headers = {"X-Assent-Cell": "us", "X-Assent-Caller": "erasure"}

    said = post(token, {"subject": {"id": "stranger", "type": "data_subject"}, "right": "erasure"}, **headers)

    assert said.status_code == 421
    assert not RightsRequest.objects.exists()


def test_who_was_erased_here_may_begin_anew_elsewhere(us: str, eu: Any) -> None:
    known("US-CA")
    eu.status, eu.answer = 201, {"state": "done"}
    post(us, BODY)
    eu.answer = {"subject_revision": 1, "records": []}

    saved = WsgiClient().post(
        "/api/v1/consents", content_type="application/json", headers={"Authorization": f"Bearer {us}"},
        data=b'{"subject": {"id": "customer-1", "region": "DE"},'
             b' "choices": [{"purpose": "recommendations", "choice": "give", "notice_version": 1}]}',
    )  # fmt: skip

    assert saved.status_code == 201, saved.json()
    assert eu.asked[-1].path == "/api/v1/consents"
