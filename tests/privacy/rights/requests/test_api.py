"""The requests API: open, list, show, cancel, download."""

import io
import json
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from policies.endpoints import credentials
from privacy.retention.own_records import record_periods
from privacy.rights.models import RightsRequest
from tests.helpers.holds import Register, hold
from tests.privacy.rights.erasure.conftest import choose, home, remember  # noqa: F401 (fixtures)

PERSON = {"id": "customer-1", "region": "DE"}
OTHER = {"id": "customer-2", "region": "DE"}
Call = Callable[..., Any]


@pytest.fixture
def client(register_in_force: None) -> Client:
    return Client()


@pytest.fixture
def post(client: Client) -> Call:
    token, _row = credentials.create_credential(name="desk", scopes=["requests"], actor="test")

    def send(path: str, body: dict[str, Any], **headers: str) -> Any:
        return client.post(
            f"/api/v1/requests{path}", json.dumps(body), content_type="application/json",
            headers={"Authorization": f"Bearer {token}", **headers},
        )  # fmt: skip

    return send


def test_an_access_request_is_answered_at_once(post: Call, client: Client) -> None:
    answer = post("", {"subject": PERSON, "right": "access"})

    assert answer.status_code == 201
    assert (answer.json()["state"], answer.json()["law"]) == ("done", "gdpr")
    assert "12(3)" in answer.json()["section"]
    link = post(f"/{answer.json()['id']}/download", {"subject": PERSON}).json()["url"]
    path = link.removeprefix("http://localhost:8000").removeprefix("http://testserver")
    path = "/" + path.split("/", 3)[-1] if "://" in path else path
    assert client.get(path).status_code == 200
    files = zipfile.ZipFile(io.BytesIO(client.post(path).content))
    assert {"data.json", "schema.json", "index.html", "manifest.jws", "consents.csv", "events.csv"} <= set(
        files.namelist()
    )
    # Once, and no more.
    assert client.post(path).status_code == 410


def test_a_request_is_opened_once_for_a_key_and_for_a_person(post: Call) -> None:
    body = {"subject": PERSON, "right": "complaint"}
    first = post("", body, **{"Idempotency-Key": "k1"})
    same_key = post("", body, **{"Idempotency-Key": "k1"})
    same_right = post("", body, **{"Idempotency-Key": "k2"})

    assert (first.status_code, same_key.status_code, same_right.status_code) == (201, 200, 200)
    assert first.json()["id"] == same_key.json()["id"] == same_right.json()["id"]
    reused = post("", {**body, "right": "human_review"}, **{"Idempotency-Key": "k1"})
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")


def test_another_persons_request_is_as_one_that_does_not_exist(post: Call) -> None:
    pk = post("", {"subject": PERSON, "right": "complaint"}).json()["id"]

    for path in (f"/{pk}", f"/{pk}/cancel", f"/{pk}/download"):
        theirs = post(path, {"subject": OTHER})
        none = post(path.replace(pk, str(uuid.uuid4())), {"subject": OTHER})
        assert (theirs.status_code, theirs.json()) == (404, none.json())
        assert theirs.json()["code"] == "request_unknown"
    assert post("/list", {"subject": OTHER}).json() == {"requests": []}
    assert [each["id"] for each in post("/list", {"subject": PERSON}).json()["requests"]] == [pk]


def test_a_request_is_cancelled_before_its_work_has_begun(post: Call) -> None:
    pk = post("", {"subject": PERSON, "right": "complaint"}).json()["id"]

    assert post(f"/{pk}/cancel", {"subject": PERSON}).json()["state"] == "cancelled"
    again = post(f"/{pk}/cancel", {"subject": PERSON})
    assert (again.status_code, again.json()["code"]) == (409, "request_state")


@pytest.mark.parametrize(
    "body",
    [
        {"subject": PERSON, "right": "oblivion"},
        {"subject": {"id": "a\u0000b"}, "right": "access"},
        {"subject": PERSON, "right": "access", "statement": "x" * 4001},
        {"right": "access"},
    ],
)
def test_a_body_that_is_no_request_is_refused(post: Call, body: dict[str, Any]) -> None:
    answer = post("", body)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert not RightsRequest.objects.exists()


def test_a_credential_without_the_scope_is_refused(client: Client) -> None:
    token, _row = credentials.create_credential(name="shop", scopes=["consents"], actor="test")

    answer = client.post(
        "/api/v1/requests", json.dumps({"subject": PERSON, "right": "access"}), content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip

    assert answer.status_code == 403


def test_an_objection_is_carried_out_and_verified(post: Call) -> None:
    answer = post("", {"subject": PERSON, "right": "objection"}).json()

    assert answer["state"] == "done"


def test_no_id_of_a_person_is_kept(post: Call) -> None:
    post(
        "", {"subject": {"id": "very-secret-id", "region": "DE"}, "right": "rectification", "statement": "hidden words"}
    )

    row = RightsRequest.objects.values().get()
    assert "very-secret-id" not in str(row)
    assert "hidden words" not in str(row)


def test_an_erasure_answers_with_what_is_kept_and_until_when(post: Call, home: Any, choose: Any, remember: Any) -> None:  # noqa: F811
    choose("customer-1", "give")
    remember("customer-1", 2)

    answer = post("", {"subject": PERSON, "right": "erasure"}, **{"Idempotency-Key": "e1"})

    assert answer.status_code == 201
    said = answer.json()
    assert (said["state"], said["erased"]["events"], said["models"]) == ("done", 2, [])
    until = timezone.now().date() + record_periods.period("consent_proof")
    proof = next(part for part in said["kept"] if part["store"] == "consents")
    assert (proof["rows"], "17(3)" in proof["ground"], proof["until"]) == (2, True, str(until))
    # The same call again is the same answer, and nothing is erased twice.
    again = post("", {"subject": PERSON, "right": "erasure"}, **{"Idempotency-Key": "e1"})
    assert (again.status_code, again.json()["id"]) == (200, said["id"])
    shown = post(f"/{said['id']}", {"subject": PERSON})
    assert shown.json()["kept"] == said["kept"]


def test_an_erasure_under_a_hold_says_so_and_is_done_later(post: Call, home: Any, choose: Any) -> None:  # noqa: F811
    choose("customer-1", "give")
    Register().place(hold())

    said = post("", {"subject": PERSON, "right": "erasure"}).json()

    assert (said["state"], said["kept"]) == ("blocked", [])
    assert "must be kept for now" in said["reason"]


def test_a_repeat_without_a_region_is_the_same_request(post: Call, home: Any, choose: Any) -> None:  # noqa: F811
    choose("customer-1", "give")
    body = {"subject": {"id": "customer-1"}, "right": "erasure"}

    first, again = (post("", body, **{"Idempotency-Key": "e2"}) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()


def test_who_acts_for_another_waits_for_an_officer_and_a_mandate_ends_at_once(post: Call) -> None:
    answer = post("", {"subject": PERSON, "right": "access", "acting": "agent", "mandate_until": "2099-01-01"})
    assert (answer.status_code, answer.json()["state"]) == (201, "received")

    pk = answer.json()["id"]
    assert post(f"/{pk}/end-mandate", {"subject": OTHER}).status_code == 404
    assert post(f"/{pk}/end-mandate", {"subject": PERSON}).json()["state"] == "cancelled"
    own = post("", {"subject": PERSON, "right": "complaint"}).json()["id"]
    refused = post(f"/{own}/end-mandate", {"subject": PERSON})
    assert (refused.status_code, refused.json()["code"]) == (409, "request_state")
    assert post("", {"subject": PERSON, "right": "access", "mandate_until": "2099-01-01"}).status_code == 400
