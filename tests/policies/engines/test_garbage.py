"""Garbage, sent to every endpoint of the APIs through the web server's entry: refused or answered, never a 5xx."""

import copy
import json
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent import urls as consent_urls
from personalization import urls as personalization_urls
from policies.endpoints import authzen, native
from tests.helpers.certification_cases import ALICE, READ, RECORD, SEARCHES
from tests.helpers.wsgi_calls import EVALUATION, EVALUATIONS, WsgiResponse, call, question

PERSON = {"id": "customer-1"}
VALID: dict[str, dict[str, Any]] = {
    EVALUATION: question(),
    EVALUATIONS: {
        **question(),
        "options": {"evaluations_semantic": "deny_on_first_deny"},
        "evaluations": [{}, {"subject": ALICE, "action": READ, "resource": RECORD, "context": {}}],
    },
    native.PATH: {"decisions": [question(), {"subject": ALICE, "action": READ, "resource": RECORD}], "explain": True},
    **{path: {**search, "page": {"limit": 1, "properties": {}}} for path, search in SEARCHES.items()},
    "/api/v1/consents": {
        "subject": {**PERSON, "region": "DE", "age_band": "adult"},
        "choices": [{"purpose": "newsletter", "choice": "give", "explicit": True, "notice_version": 1}],
        "source": "api",
    },
    "/api/v1/consents/state": {"subject": PERSON},
    "/api/v1/consents/history": {"subject": PERSON},
    "/api/v1/consents/receipts": {"subject": PERSON, "subject_revision": 1},
    "/api/v1/dashboard-links": {"subject": PERSON},
    "/api/v1/dashboard-links/revoke": {"subject": PERSON},
    "/api/v1/events": {
        "event_id": "e-1",
        "subject": PERSON,
        "type": "rating",
        "item": "kettle",
        "value": 3,
        "occurred_at": "2026-01-05T10:00:00+01:00",
    },
    "/api/v1/recommendations": {"subject": PERSON, "count": 3, "session": ["kettle"], "signals": {"gpc": True}},
    "/api/v1/items": {"items": [{"id": "kettle", "title": "Kettle", "categories": ["kitchen"]}]},
}
TAKING_NOTHING = {"/api/v1/recommender/parameters"}
METHODS = {"/api/v1/items": "PUT"}

NASTY = st.sampled_from(
    [None, True, -1, 0, 2**31, 2**53 - 1, 1.5, 1e308, "", " ", "\x00", "\ud83d\ude00", "a" * 5_000, "%s", "../..",
     "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+14:00", "2026-01-05T10:00:00", "none", [], [[]], {}, {"": ""}]
)  # fmt: skip
ANYTHING = st.recursive(
    NASTY | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=6,
).map(copy.deepcopy)  # the empty ones above are filled by later changes


def _places(document: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    return [at, *(place for key, value in inner for place in _places(value, (*at, key)))]


@st.composite
def spoilt(draw: st.DrawFn, document: dict[str, Any]) -> Any:
    """A valid body with one to three of its parts replaced, removed or joined by others."""
    body: Any = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(_places(body)))
        if not place:
            return draw(ANYTHING)
        part = body
        for key in place[:-1]:
            part = part[key]
        change = draw(st.sampled_from(["replace", "remove", "add"]))
        if change == "replace":
            part[place[-1]] = draw(ANYTHING)
        elif change == "remove":
            del part[place[-1]]
        elif isinstance(part, dict):
            part[draw(st.text(max_size=8))] = draw(ANYTHING)
        else:
            part.append(draw(ANYTHING))
        if not isinstance(body, dict | list) or not body:
            return body
    return body


def _send(token: str, path: str, body: Any, **environ: str) -> WsgiResponse:
    with transaction.atomic():
        answer = call(body, token, path=path, method=METHODS.get(path, "POST"), **environ)
        transaction.set_rollback(True)
    return answer


def _assert_answered_or_refused(answer: WsgiResponse) -> None:
    assert answer.status < 500, answer.body
    if answer.status >= 400:
        assert answer.content_type == "application/problem+json"
        assert answer.json()["status"] == answer.status
    elif answer.status != 204:
        assert answer.content_type.startswith("application/json")


def test_every_endpoint_is_sent_garbage() -> None:
    routes = {
        f"/api/v1/{pattern.pattern}" for urls in (consent_urls, personalization_urls) for pattern in urls.urlpatterns
    }

    assert routes - TAKING_NOTHING | set(authzen.ENDPOINTS) | {native.PATH} == set(VALID)


@pytest.mark.parametrize("path", VALID)
def test_the_bodies_that_are_spoilt_are_valid(standing_shop: str, path: str) -> None:
    with transaction.atomic():
        _send_items(standing_shop)
        answer = call(VALID[path], standing_shop, path=path, method=METHODS.get(path, "POST"))
        transaction.set_rollback(True)

    assert answer.status < 300, answer.body


def _send_items(token: str) -> None:
    assert call(VALID["/api/v1/items"], token, path="/api/v1/items", method="PUT").status == 204


@pytest.mark.parametrize("path", VALID)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_spoilt_body_is_answered_or_refused(standing_shop: str, path: str, data: st.DataObject) -> None:
    body = data.draw(spoilt(VALID[path]))

    _assert_answered_or_refused(_send(standing_shop, path, json.dumps(body).encode()))


@pytest.mark.parametrize("path", VALID)
@settings(max_examples=40, deadline=None)
@given(body=st.binary(max_size=60) | ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_garbage_is_refused(standing_shop: str, path: str, body: bytes) -> None:
    answer = _send(standing_shop, path, body)

    _assert_answered_or_refused(answer)
    assert answer.status == 400


HEADERS = st.text(alphabet=st.characters(max_codepoint=255), max_size=40)


@pytest.mark.parametrize("path", VALID)
@settings(max_examples=30, deadline=None)
@given(
    authorization=st.none() | HEADERS | HEADERS.map(lambda text: f"Bearer {text}"),
    content_type=HEADERS | st.just("application/json; charset=klingon"),
    request_id=HEADERS,
    key=HEADERS,
    length=st.sampled_from(["", "0", "x", "²", "-5", "9" * 4_400]),
)
def test_garbage_in_headers_is_answered_or_refused(
    standing_shop: str, path: str, authorization: str | None, content_type: str, request_id: str, key: str, length: str
) -> None:
    answer = _send(
        standing_shop,
        path,
        VALID[path],
        CONTENT_TYPE=content_type,
        CONTENT_LENGTH=length,
        HTTP_X_REQUEST_ID=request_id,
        HTTP_IDEMPOTENCY_KEY=key,
        **({} if authorization is None else {"HTTP_AUTHORIZATION": authorization}),
    )

    _assert_answered_or_refused(answer)


@pytest.mark.parametrize("path", VALID)
@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH", "HEAD", "TRACE", "NONSENSE"])
def test_other_methods_are_refused(standing_shop: str, path: str, method: str) -> None:
    assert call(VALID[path], standing_shop, path=path, method=method).status == 405
