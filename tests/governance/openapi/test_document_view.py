"""The OpenAPI document is generated once a process, and not sent again to a caller that has it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.test import Client, RequestFactory
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView

from governance.openapi import views

pytestmark = pytest.mark.django_db
JSON, YAML = "application/vnd.oai.openapi+json", "application/vnd.oai.openapi"


@pytest.fixture
def generated(monkeypatch):
    """How often the document was generated, from a process that has none."""
    views._document.cache_clear()
    views._rendered.cache_clear()
    calls, generate = [], SchemaGenerator.get_schema

    def counting(self, *args, **options):
        calls.append(1)
        return generate(self, *args, **options)

    monkeypatch.setattr(SchemaGenerator, "get_schema", counting)
    return calls


def _get(accept=JSON, **headers):
    return Client().get("/api/schema", headers={"Accept": accept, **headers})


def test_second_request_generates_nothing(generated):
    answers = [_get(), _get(), _get("application/json"), _get(YAML)]

    assert [answer.status_code for answer in answers] == [200] * 4
    assert len(generated) == 1
    assert answers[0].content == answers[1].content
    assert answers[3].headers["Content-Type"] == YAML
    assert answers[3].headers["ETag"] != answers[0].headers["ETag"] == answers[1].headers["ETag"]


def test_requests_at_once_generate_one_document(generated):
    together = threading.Barrier(4)

    def ask(_number):
        together.wait()
        return _get().content

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(ask, range(4)))) == 1
    assert len(generated) == 1


@pytest.mark.parametrize("accept", [JSON, YAML, "*/*"])
def test_document_is_the_generators_own(accept):
    request = RequestFactory().get("/api/schema", headers={"Accept": accept})
    plain = SpectacularAPIView.as_view()(request).render()

    assert _get(accept).content == plain.content
    assert _get(accept, **{"Accept-Language": "de"}).content == plain.content


def test_caller_that_has_the_document_gets_304():
    first = _get()
    same, other = _get(**{"If-None-Match": first.headers["ETag"]}), _get(**{"If-None-Match": '"another"'})

    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["ETag"] == first.headers["ETag"]
    assert (other.status_code, other.content) == (200, first.content)


def test_document_in_another_form_is_refused():
    assert _get("image/png").status_code == 406
