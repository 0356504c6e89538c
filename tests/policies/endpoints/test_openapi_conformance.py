"""Generated requests against every documented endpoint: each answer is one that the document describes."""

import json
from typing import Any

import pytest
import schemathesis
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from governance.wsgi import application
from tests.helpers.wsgi_calls import connection_kept

EXAMPLES = 25
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def _document() -> Any:
    answer = Client(SERVER_NAME="localhost").get("/api/schema", headers={"Accept": "application/vnd.oai.openapi+json"})
    schema = schemathesis.openapi.from_dict(json.loads(answer.content))
    schema.app = application
    return schema


DOCUMENT = _document()
OPERATIONS = [(path, method) for path, methods in DOCUMENT.raw_schema["paths"].items() for method in methods]


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_every_answer_is_described(standing_shop: str, path: str, method: str, data: st.DataObject) -> None:
    case = data.draw(DOCUMENT[path][method.upper()].as_strategy())

    with connection_kept(), transaction.atomic():
        answer = case.call(headers={"Authorization": f"Bearer {standing_shop}"})
        transaction.set_rollback(True)

    case.validate_response(answer, checks=CHECKS)
