"""The OpenAPI document: valid, complete, and readable without trying."""

import json

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver
from drf_spectacular.validation import validate_schema

from policies.endpoints import authzen, native
from policies.endpoints.authzen import metadata

pytestmark = pytest.mark.django_db
METHODS = {"get", "post", "put", "patch", "delete"}

PUBLIC = {metadata.PATH, "/api/v1/recommender/parameters"}


@pytest.fixture
def document():
    answer = Client().get("/api/schema", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert answer.status_code == 200
    return json.loads(answer.content)


def _operations(document):
    return [
        (path, method, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]


def _served():
    """Every path of the API and its methods, as the views have them."""
    for resolver in get_resolver().url_patterns:
        if str(resolver.pattern) == "api/v1/":
            for pattern in resolver.url_patterns:
                assert isinstance(pattern, URLPattern)
                for method in METHODS & set(dir(pattern.callback.view_class)):
                    yield f"/api/v1/{pattern.pattern}", method


def test_the_document_is_valid_openapi(document):
    validate_schema(document)


def test_every_endpoint_is_described_and_nothing_else(document):
    described = {(path, method) for path, method, _ in _operations(document)}

    beside_django = {*((path, "post") for path in (native.PATH, *authzen.ENDPOINTS)), (metadata.PATH, "get")}
    assert described == {*_served(), *beside_django}
    assert len(described) >= 8


def test_every_operation_says_what_it_does_and_where_it_belongs(document):
    sections = {tag["name"] for tag in document["tags"]}

    for path, method, operation in _operations(document):
        assert operation["summary"], (path, method)
        assert set(operation["tags"]) <= sections, (path, method)
        assert operation["security"] == ([] if path in PUBLIC else [{"service_credential": []}]), (path, method)


def test_every_error_is_described_as_a_problem_document(document):
    for path, method, operation in _operations(document):
        errors = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert path in PUBLIC or {"400", "401", "403"} <= errors.keys(), (path, method)
        for answer in errors.values():
            assert answer["description"]
            assert answer["content"] == {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            }


def test_the_document_is_the_same_each_time(document):
    again = Client().get("/api/schema", headers={"Accept": "application/vnd.oai.openapi+json"})

    assert json.loads(again.content) == document


@pytest.mark.parametrize("path", [native.PATH, *authzen.ENDPOINTS])
def test_the_example_in_the_document_is_answered(document, api, path):
    operation = document["paths"][path]["post"]
    example = operation["requestBody"]["content"]["application/json"]["example"]

    status, answer, _headers = api.evaluate(example, PATH_INFO=path)

    assert status == 200
    required = {
        native.PATH: "rules",
        "/access/v1/evaluation": "decision",
        "/access/v1/evaluations": "evaluations",
    }.get(path, "results")
    assert required in answer
