"""AuthZEN 1.0, requirement by requirement, for the single evaluation endpoint.

The numbers count the requirements of the specification and of the OpenID certification scenario in the order of both:
1-8 the information model, 9-12 single evaluation, 38-44 transport, 45-47 security. 13-22 are in ``test_authzen_batch``,
23-31 in ``test_authzen_search``, 32-37 in ``test_authzen_metadata``; ``test_authzen_transport`` asks 38-45 everywhere.
"""

from typing import Any

import pytest

from tests.helpers.wsgi_calls import EVALUATION, assert_problem, call, changed, question


def _without(place: str) -> dict[str, Any]:
    document = changed(place, None)
    *parents, last = place.split(".")
    part = document
    for parent in parents:
        part = part[parent]
    del part[last]
    return document


PERMITTED = {
    "1 subject without properties": question(),
    "1 subject with properties": changed("subject.properties", {"region": "DE", "age_band": "adult"}),
    "2 resource without properties": _without("resource.properties"),
    "4 no context": _without("context"),
    "4 empty context": changed("context", {}),
    "8 unknown members at the top": changed("session", {"id": [1, 2, {"three": None}]}),
    "8 unknown subject property": changed("subject.properties", {"department": "sales", "nested": {"a": [1]}}),
    "8 unknown action property": changed(
        "action.properties", {**question()["action"]["properties"], "mood": "good", "decision": True}
    ),
    "8 unknown resource property": changed("resource.properties", {"data_categories": ["views"], "colour": "red"}),
    "8 unknown context key": changed("context", {"processing_region": "eu-central", "time": "2026-01-01T00:00:00Z"}),
    "40 unknown members of the entities": {
        **question(),
        "subject": {**question()["subject"], "name": "x"},
        "action": {**question()["action"], "verb": 1},
        "resource": {**question()["resource"], "owner": None},
    },
    "40 members in another order": dict(reversed(list(question().items()))),
    "43 nulls for optional members": {
        **question(),
        "subject": {**question()["subject"], "properties": None},
        "context": None,
    },
}


@pytest.mark.parametrize("body", PERMITTED.values(), ids=PERMITTED)
def test_a_valid_question_is_answered_with_a_decision(shop_token: str, body: dict[str, Any]) -> None:
    answer = call(body, shop_token)

    assert (answer.status, answer.content_type) == (200, "application/json")
    document = answer.json()
    assert document["decision"] is True
    assert isinstance(document["context"], dict)
    assert set(document) == {"decision", "context"}


DENIED = {
    "7 property of the action": changed("action.properties.purpose", "unheard_of"),
    "7 property of the resource": changed("resource.properties.model", "nobody@1"),
    "7 property of the subject": changed("subject.properties", {"region": "XX"}),
    "7 context": changed("context.processing_region", "us-east"),
    "6 another subject": changed("subject.id", "customer-2"),
    "6 another action": changed("action.name", "share"),
    "6 another type of subject": changed("subject.type", "device"),
}


@pytest.mark.parametrize("body", DENIED.values(), ids=DENIED)
def test_a_denial_is_200_with_false(shop_token: str, body: dict[str, Any]) -> None:
    answer = call(body, shop_token)

    assert (answer.status, answer.content_type) == (200, "application/json")
    assert answer.json()["decision"] is False
    assert answer.json()["context"]["reasons"]


INVALID = {
    **{
        f"10 {place} is missing": _without(place)
        for place in (
            "subject", "subject.type", "subject.id", "action", "action.name",
            "resource", "resource.type", "resource.id",
        )
    },
    **{
        f"11 {place} is {value!r}": changed(place, value)
        for place in ("subject", "subject.type", "subject.id", "action", "action.name", "resource", "resource.id")
        for value in (None, 1, True, ["customer-1"])
    },
    **{
        f"11 {place} is a string": changed(place, "text")
        for place in ("subject", "action", "resource", "context", "subject.properties", "action.properties")
    },
    "11 properties are a list": changed("resource.properties", []),
    "11 a purpose is a number": changed("action.properties.purpose", 7),
    "11 categories are one string": changed("resource.properties.data_categories", "views"),
    "11 a category is a number": changed("resource.properties.data_categories", ["views", 3]),
    "11 a signal is a string": changed("context.signals", {"gpc": "true"}),
    "11 a revision is a string": changed("context.min_revision", "12"),
    "11 a revision is a fraction": changed("context.min_revision", 1.5),
    "11 a revision is negative": changed("context.min_revision", -1),
    "39 the top level is a list": [question()],
    "39 the top level is a string": "question",
    "39 the top level is null": None,
    "39 malformed JSON": b'{"subject": ',
    "39 an empty body": b"",
}  # fmt: skip


@pytest.mark.parametrize("body", INVALID.values(), ids=INVALID)
def test_what_is_not_a_question_is_400(shop_token: str, body: Any) -> None:
    assert_problem(call(body, shop_token), 400, "invalid_request")


def test_12_the_same_question_gets_the_same_decision(shop_token: str) -> None:
    answers = [call(question(), shop_token).json() for _ in range(3)]

    ids = {answer["context"].pop("decision_id") for answer in answers}
    assert len(ids) == 3
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "post"])
def test_38_only_post_asks(shop_token: str, method: str) -> None:
    answer = call(question(), shop_token, method=method)

    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize("written", ["application/json; charset=utf-8", "Application/JSON", "application/json ;x=1"])
def test_38_the_content_type_may_have_parameters(shop_token: str, written: str) -> None:
    assert call(question(), shop_token, CONTENT_TYPE=written).json()["decision"] is True


@pytest.mark.parametrize(
    "written", [None, "", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json", "text/json"]
)
def test_39_any_other_content_type_is_400(shop_token: str, written: str | None) -> None:
    assert_problem(call(question(), shop_token, CONTENT_TYPE=written), 400, "invalid_request")


CALLS = {
    "a permit": (200, {}),
    "a refusal of the body": (400, {"CONTENT_TYPE": "text/plain"}),
    "no credential": (401, {"HTTP_AUTHORIZATION": None}),
    "no such endpoint": (404, {"PATH_INFO": "/access/v1/nothing"}),
    "another method": (405, {"REQUEST_METHOD": "GET"}),
    "too large": (413, {"CONTENT_LENGTH": "999999"}),
}


@pytest.mark.parametrize("request_id", ["bfe9eb29-ab87-4ca3-be83-a1d5d8305716", "x", "a b;c=d/é~"])
@pytest.mark.parametrize(("status", "environ"), CALLS.values(), ids=CALLS)
def test_41_every_answer_repeats_the_request_id(
    shop_token: str, status: int, environ: dict[str, str], request_id: str
) -> None:
    answer = call(question(), shop_token, HTTP_X_REQUEST_ID=request_id, **environ)

    assert (answer.status, answer.headers["X-Request-ID"]) == (status, request_id)


def test_41_an_answer_nobody_foresaw_repeats_the_request_id_too(
    shop_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from policies.endpoints.authzen import single

    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(single, "conclude", fail)

    answer = call(question(), shop_token, HTTP_X_REQUEST_ID="r-1")

    assert_problem(answer, 500, "internal_error")
    assert answer.headers["X-Request-ID"] == "r-1"


def test_41_a_request_id_is_not_needed(shop_token: str) -> None:
    assert "X-Request-ID" not in call(question(), shop_token).headers


@pytest.mark.parametrize("request_id", ["a\r\nSet-Cookie: b=c", "a\nb", "\x00", "x" * 5_000])
def test_41_a_request_id_cannot_write_headers(shop_token: str, request_id: str) -> None:
    answer = call(question(), shop_token, HTTP_X_REQUEST_ID=request_id)

    assert answer.json()["decision"] is True
    assert "X-Request-ID" not in answer.headers


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer é", "Bearer unheard-of"]
)
def test_45_without_a_valid_credential_the_answer_is_401(shop_token: str, authorization: str | None) -> None:
    answer = call(question(), None, HTTP_AUTHORIZATION=authorization)

    assert_problem(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_45_whoever_may_not_ask_is_not_told_what_is_wrong_with_the_question(shop_token: str) -> None:
    assert_problem(call({}, "unheard-of"), 401, "unauthenticated")


def test_47_unknown_endpoints_are_404(shop_token: str) -> None:
    for path in (EVALUATION + "/", EVALUATION + "s/", "/access/v1/", "/access/v1/search/subjects"):
        assert_problem(call(question(), shop_token, path=path), 404, "not_found")
