"""Garbage, sent to every endpoint of the APIs through the web server's entry: refused or answered, never a 5xx."""

import json
from typing import Any

import pytest
from django.db import transaction
from hypothesis import strategies as st

from consent import urls as consent_urls
from personalization import urls as personalization_urls
from personalization.intake import endpoint as events
from policies.endpoints import authzen, native
from tests.helpers.scale import property_test
from tests.helpers.spoilt_bodies import ANYTHING, METHODS, VALID, spoilt
from tests.helpers.wsgi_calls import WsgiResponse, call

# Takes no body, or has a name in its address: the tests of the OpenAPI document send these.
TAKING_NOTHING = {
    "/api/v1/recommender/parameters",
    "/api/v1/recommendations/general",
    "/api/v1/creators/<str:creator>",
    "/api/v1/items/<str:item>",
}


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

    assert routes - TAKING_NOTHING | set(authzen.ENDPOINTS) | {native.PATH, events.PATH} == set(VALID)


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
@property_test(60, 2_000, data=st.data())
def test_a_spoilt_body_is_answered_or_refused(standing_shop: str, path: str, data: st.DataObject) -> None:
    body = data.draw(spoilt(VALID[path]))

    _assert_answered_or_refused(_send(standing_shop, path, json.dumps(body).encode()))


@pytest.mark.parametrize("path", VALID)
@property_test(40, 2_000, body=st.binary(max_size=60) | ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_garbage_is_refused(standing_shop: str, path: str, body: bytes) -> None:
    answer = _send(standing_shop, path, body)

    _assert_answered_or_refused(answer)
    assert answer.status == 400


HEADERS = st.text(alphabet=st.characters(max_codepoint=255), max_size=40)


@pytest.mark.parametrize("path", VALID)
@property_test(
    30,
    2_000,
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
