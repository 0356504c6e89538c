"""AuthZEN 1.0, requirements 38-45, at every endpoint: transport is the same wherever one asks."""

import json
from typing import Any

import pytest

from policies.endpoints import authzen, credentials
from tests.helpers.certification_cases import ALICE, READ, RECORD, SEARCHES, asked
from tests.helpers.wsgi_calls import EVALUATION, EVALUATIONS, assert_problem, call

COMPLETE = asked(ALICE, READ, RECORD)
VALID: dict[str, dict[str, Any]] = {EVALUATION: COMPLETE, EVALUATIONS: {**COMPLETE, "evaluations": [{}]}, **SEARCHES}
endpoints = pytest.mark.parametrize("path", VALID)


def test_every_endpoint_is_here() -> None:
    assert set(VALID) == set(authzen.ENDPOINTS)


@endpoints
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_38_only_post_asks(records_token: str, path: str, method: str) -> None:
    answer = call(VALID[path], records_token, path=path, method=method)

    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "POST"


@endpoints
@pytest.mark.parametrize("written", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_38_json_is_taken_and_given(records_token: str, path: str, written: str) -> None:
    answer = call(VALID[path], records_token, path=path, CONTENT_TYPE=written)

    assert (answer.status, answer.content_type) == (200, "application/json")


@endpoints
@pytest.mark.parametrize("written", [None, "", "text/plain", "application/x-www-form-urlencoded", "text/json"])
def test_39_any_other_content_type_is_400(records_token: str, path: str, written: str | None) -> None:
    assert_problem(call(VALID[path], records_token, path=path, CONTENT_TYPE=written), 400, "invalid_request")


@endpoints
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"x"', b"null", b"5", b"{} {}", b"\xff", b'{"a": NaN}', b'{"a": "\\ud800"}', b"[" * 100_000],
)
def test_39_43_what_is_no_json_object_is_400(records_token: str, path: str, body: bytes) -> None:
    assert_problem(call(body, records_token, path=path), 400, "invalid_request")


@endpoints
def test_40_members_may_come_in_any_order_and_number(records_token: str, path: str) -> None:
    body = {"unheard_of": {"a": [None]}, **dict(reversed(VALID[path].items())), "more": 1}

    asked_plainly, answer = (call(document, records_token, path=path).json() for document in (VALID[path], body))

    assert str(answer.keys()) == str(asked_plainly.keys())
    assert answer.get("results") == asked_plainly.get("results")
    assert answer.get("decision") == asked_plainly.get("decision")


@endpoints
@pytest.mark.parametrize(
    ("status", "environ"),
    [(200, {}), (400, {"CONTENT_TYPE": "x"}), (401, {"HTTP_AUTHORIZATION": None}), (405, {"REQUEST_METHOD": "GET"})],
)
def test_41_every_answer_repeats_the_request_id(
    records_token: str, path: str, status: int, environ: dict[str, str | None]
) -> None:
    answer = call(VALID[path], records_token, path=path, HTTP_X_REQUEST_ID="a b;c=d/é~", **environ)

    assert (answer.status, answer.headers["X-Request-ID"]) == (status, "a b;c=d/é~")
    assert "X-Request-ID" not in call(VALID[path], records_token, path=path, **environ).headers


@endpoints
@pytest.mark.parametrize("twice", [True, False])
def test_43_a_member_named_twice_is_400(records_token: str, path: str, twice: bool) -> None:
    body = json.dumps(VALID[path])
    again = body[:-1] + ', "subject": {"type": "user", "id": "bob"}}' if twice else body

    assert call(again.encode(), records_token, path=path).status == (400 if twice else 200)


@endpoints
def test_44_a_body_has_a_limit(records_token: str, path: str) -> None:
    body = {**VALID[path], "x": "a" * 300_000}

    assert_problem(call(body, records_token, path=path), 413, "body_too_large")
    assert_problem(call(body, records_token, path=path, CONTENT_LENGTH=None), 413, "body_too_large")


@endpoints
def test_45_whoever_may_not_ask_is_refused(records_token: str, path: str) -> None:
    narrow = credentials.create_credential(name="narrow", scopes=["consents"], actor="test")[0]

    for token in (None, "unheard-of"):
        answer = call(VALID[path], token, path=path)
        assert_problem(answer, 401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert_problem(call(VALID[path], narrow, path=path), 403, "forbidden")


@pytest.mark.parametrize("path", ["/access/v1/", "/access/v1/nothing", "/access/v1/evaluations/", "/access/v1/search/"])
def test_45_what_does_not_exist_needs_a_credential_too(records_token: str, path: str) -> None:
    assert_problem(call(COMPLETE, None, path=path), 401, "unauthenticated")
    assert_problem(call(COMPLETE, "unheard-of", path=path), 401, "unauthenticated")
    assert_problem(call(COMPLETE, records_token, path=path), 404, "not_found")
