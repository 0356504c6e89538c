"""Generated requests against every documented endpoint: the document and the software say the same.

What the document allows is not refused as invalid, and what it does not allow is; every answer is one it describes;
a credential is needed where it says so, with the scope it names. The long form sends many more requests.
"""

import re
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from common.http.strict_json import MAX_BODY_BYTES
from consent.models import Site
from governance.wsgi import application
from policies.endpoints import credentials
from policies.models import ServiceCredential
from tests.helpers.openapi_document import Operation, operations, read_document
from tests.helpers.spoilt_bodies import VALID, spoilt
from tests.helpers.wsgi_calls import WsgiResponse, call, connection_kept

FEW, MANY = 12, 100
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
DOCUMENT = read_document()
OPERATIONS = operations(DOCUMENT)
SITE = "demo-shop"
# Names in addresses: drawn ones would be of nothing, or nothing that an address can hold.
NAMES: dict[str, Any] = {"site": SITE, "slug": "elsewhere", "number": 1, "creator": "studio", "item": "kettle"}
_UUID = re.compile(r"/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(/|$|\?)")
INVALID = "invalid_request"
# Whether the host of an address is a public one, a time is over, and a purpose is in the register.
_SAID_BY_NO_SCHEMA = frozenset({"endpoint", "newest_data", "purposes", "states.newest_data"})
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
SCHEMA.app = application
# Without shrinking: it takes minutes, and the assertion names the request.
QUICK: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "derandomize": True,
    "database": None,
    "phases": [Phase.explicit, Phase.generate],
}
Tokens = dict[tuple[str, str], str | None]


@pytest.fixture(scope="module")
def tokens(standing_shop: str, django_db_blocker: Any) -> Iterator[Tokens]:
    """By kind and scope: a credential with this scope alone, one with all others, one that is not valid, none."""
    scopes = set(ServiceCredential.Scope.values)
    made: Tokens = {}
    with django_db_blocker.unblock(), transaction.atomic():
        for scope in scopes:
            for kind, held in (("right", {scope}), ("other scopes", scopes - {scope})):
                name = f"{kind} {scope}"
                made[kind, scope] = credentials.create_credential(name=name, scopes=sorted(held), actor="test")[0]
            made["junk", scope], made["none", scope] = "junk", None
        yield made
        transaction.set_rollback(True)


REFUSED = {"other scopes": (403, "forbidden"), "junk": (401, "unauthenticated"), "none": (401, "unauthenticated")}
# Most requests come from callers who may ask: only these learn what is wrong with a request.
CALLERS = st.sampled_from(["right"] * 6 + list(REFUSED))


def _requests(operation: Operation, kind: str) -> st.SearchStrategy[Any]:
    described = SCHEMA[operation.path][operation.method.upper()]
    if kind == "spoilt":
        return spoilt(VALID[operation.path]).map(lambda body: described.Case(body=body, media_type="application/json"))
    named = {name: value for name, value in NAMES.items() if f"{{{name}}}" in operation.path}
    return described.as_strategy(generation_mode=GenerationMode(kind), **({"path_parameters": named} if named else {}))


def _kinds(operation: Operation) -> list[str]:
    """Requests the document allows, others that it does not, and valid ones with parts replaced by anything."""
    kinds = ["positive"]
    kinds += ["negative"] if operation.takes_body or operation.takes_query else []
    return kinds + (["spoilt"] if operation.path in VALID else [])


REQUESTS = [pytest.param(each, kind, id=f"{each} {kind}") for each in OPERATIONS for kind in _kinds(each)]


def _send(operation: Operation, case: Any, token: str | None) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if "{site}" in operation.path:
        headers["Origin"] = Site.objects.get(slug=SITE).origins[0]
    with connection_kept(), transaction.atomic():
        answer = case.call(headers=headers)
        transaction.set_rollback(True)
    case.validate_response(answer, checks=CHECKS)
    return answer


def _assert_as_documented(operation: Operation, answer: Any, caller: str) -> None:
    code = answer.json()["code"] if answer.status_code >= 400 and answer.content else ""
    if "%00" in answer.request.url and answer.status_code == 400:  # no database holds it: nothing is looked up
        assert code == INVALID
    elif "{request_id}" in operation.path and not _UUID.search(str(answer.request.url)):  # an address of nothing
        assert (answer.status_code, code) == (404, "not_found")
    elif operation.scope and caller in REFUSED:
        assert (answer.status_code, code) == REFUSED[caller]
    elif answer.status_code == 413:  # no schema says how long a whole body may be
        assert len(answer.request.body) > MAX_BODY_BYTES
    elif "{site}" in operation.path and answer.status_code == 403:  # where the request comes from is looked at first
        assert code == "forbidden"
    elif "{number}" in operation.path and answer.status_code == 404:  # what it is about is looked for first
        assert code == "not_found"
    elif code == INVALID and answer.json().get("errors", {"": None}).keys() <= _SAID_BY_NO_SCHEMA:
        assert "/models/" in operation.path
    else:
        assert (code == INVALID) is not operation.is_well_formed(answer.request), (answer.request.body, answer.content)


def _compare(operation: Operation, kind: str, tokens: Tokens, count: int) -> Counter[int]:
    """Send ``count`` requests of a kind; return how often each status came."""
    statuses: Counter[int] = Counter()
    requests = _requests(operation, kind)

    @settings(max_examples=count, **QUICK)
    @given(caller=CALLERS, case=requests)
    def compare(caller: str, case: Any) -> None:
        answer = _send(operation, case, tokens[caller, operation.scope] if operation.scope else None)
        statuses[answer.status_code] += 1
        # A request may be drawn to be invalid by going without its credential.
        is_sent = "Authorization" in answer.request.headers
        _assert_as_documented(operation, answer, caller if is_sent else "none")

    compare()
    return statuses


@pytest.mark.parametrize(("operation", "kind"), REQUESTS)
def test_document_and_endpoint_agree(tokens: Tokens, operation: Operation, kind: str) -> None:
    assert _compare(operation, kind, tokens, FEW)


@pytest.mark.long
@pytest.mark.parametrize(("operation", "kind"), REQUESTS)
def test_document_and_endpoint_agree_at_length(
    tokens: Tokens, operation: Operation, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    statuses = _compare(operation, kind, tokens, MANY)

    with capsys.disabled():
        answered = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
        print(f"\n{operation}, {kind}: {statuses.total()} requests ({answered}), 0 differences")


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.scope], ids=str)
def test_a_scope_is_enough_and_no_other_is(tokens: Tokens, operation: Operation) -> None:
    statuses = {
        kind: _call(operation, VALID.get(operation.path, {}), tokens[kind, operation.scope or ""]).status
        for kind in ("right", *REFUSED)
    }

    assert statuses.pop("right") not in (401, 403)
    assert statuses == {kind: status for kind, (status, _) in REFUSED.items()}


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.takes_body], ids=str)
def test_a_body_that_is_not_sent_as_json_is_refused(tokens: Tokens, operation: Operation) -> None:
    token = tokens["right", operation.scope] if operation.scope else None
    answer = _call(operation, VALID.get(operation.path, {}), token, CONTENT_TYPE="text/csv")

    assert str(answer.status) in operation.described["responses"]
    # OPA names no type of its own: what it sends is read as it is.
    assert answer.status in ((400, 415) if not operation.path.startswith("/api/v1/opa/") else (200, 400))


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_method_the_document_lacks_is_refused(tokens: Tokens, operation: Operation) -> None:
    known = {*DOCUMENT["paths"][operation.path], "head", "options"}
    token = tokens["right", operation.scope] if operation.scope else None

    for method in {"get", "post", "put", "patch", "delete"} - known:
        answer = _call(operation, {}, token, method=method.upper())
        assert (method, answer.status) == (method, 405)
        assert set(known) >= {allowed.strip().lower() for allowed in answer.headers["Allow"].split(",")}


def _call(operation: Operation, body: Any, token: str | None, *, method: str = "", **environ: str) -> WsgiResponse:
    path = operation.path.format(**NAMES, key_id="none", request_id=uuid.UUID(int=0), release=uuid.UUID(int=0))
    if "{site}" in operation.path:
        environ["HTTP_ORIGIN"] = Site.objects.get(slug=SITE).origins[0]
    with transaction.atomic():
        answer = call(body, token, path=path, method=method or operation.method.upper(), **environ)
        transaction.set_rollback(True)
    return answer
