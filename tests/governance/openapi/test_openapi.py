"""The OpenAPI document: valid, complete, and readable without trying."""

import json
import re

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver
from drf_spectacular.validation import validate_schema

from personalization.intake import endpoint as events
from policies.endpoints import authzen, native
from policies.endpoints.authzen import metadata
from policies.models import ServiceCredential

pytestmark = pytest.mark.django_db
METHODS = {"get", "post", "put", "patch", "delete"}

PUBLIC = {
    metadata.PATH,
    "/api/v1/recommender/parameters",
    *("/health/live", "/health/ready", "/.well-known/jwks.json", "/.well-known/gpc.json"),
    *("/api/v1/banner/{site}", "/api/v1/banner/{site}/choices", "/api/v1/banner/{site}/state"),
}


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


# What people look at in a browser, the banner's script, the document itself, and another protocol (docs/rights.md).
PAGES = ("/privacy/", "/admin/", "/shop/", "/assent.js", "/api/schema", "/api/docs", "/drp/")
CONVERTERS = re.compile(r"<(?:\w+:)?(\w+)>")


def _served(patterns=None, prefix="/"):
    """Every path that programs call and its methods, as the views have them."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + CONVERTERS.sub(r"{\1}", str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from _served(pattern.url_patterns, path)
        elif path != "/" and not path.removeprefix("/^").startswith("privacy/") and not path.startswith(PAGES):
            view = getattr(pattern.callback, "view_class", None)
            yield from ((path, method) for method in (METHODS & set(dir(view)) if view else {"get"}))


def test_the_document_is_valid_openapi(document):
    validate_schema(document)


def test_every_endpoint_is_described_and_nothing_else(document):
    described = {(path, method) for path, method, _ in _operations(document)}

    beside_django = {
        *((path, "post") for path in (native.PATH, events.PATH, *authzen.ENDPOINTS)),
        (metadata.PATH, "get"),
    }
    assert described == {*_served(), *beside_django}
    assert len(described) >= 35


def test_every_operation_says_what_it_does_and_where_it_belongs(document):
    sections = {tag["name"] for tag in document["tags"]}

    for path, method, operation in _operations(document):
        assert operation["summary"], (path, method)
        assert set(operation["tags"]) <= sections, (path, method)
        scopes = [scope for needed in operation["security"] for scope in needed["service_credential"]]
        assert len(scopes) == (0 if path in PUBLIC else 1), (path, method)
        assert set(scopes) <= set(ServiceCredential.Scope.values), (path, method)


def test_every_error_is_described_as_a_problem_document(document):
    for path, method, operation in _operations(document):
        errors = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert path in PUBLIC or {"401", "403"} <= errors.keys(), (path, method)
        assert "requestBody" not in operation or "400" in errors, (path, method)
        for status, answer in errors.items():
            assert answer["description"]
            if (path, status) == ("/health/ready", "503"):
                continue  # answered in full, to say what is missing
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
