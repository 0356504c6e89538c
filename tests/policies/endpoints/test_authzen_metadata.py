"""AuthZEN 1.0, requirements 32-37: the metadata anybody may read."""

import json
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from policies.endpoints import authzen
from policies.endpoints.authzen.metadata import PATH
from tests.helpers.certification_cases import RULES
from tests.helpers.wsgi_calls import WsgiResponse, assert_problem, call


def _get(path: str = PATH, **environ: str | None) -> WsgiResponse:
    return call(b"", None, path=path, method="GET", **{"CONTENT_TYPE": None, **environ})


def test_33_34_it_names_the_installation_and_every_endpoint(shop_token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "PUBLIC_URL", "https://privacy.example.org")

    answer = _get()

    assert (answer.status, answer.content_type) == (200, "application/json")
    document = answer.json()
    assert document.pop("policy_decision_point") == "https://privacy.example.org"
    assert set(document.values()) == {f"https://privacy.example.org{path}" for path in authzen.ENDPOINTS}
    assert set(document) == {
        "access_evaluation_endpoint", "access_evaluations_endpoint", "search_subject_endpoint",
        "search_resource_endpoint", "search_action_endpoint",
    }  # fmt: skip


def test_34_what_is_named_exists(records_token: str) -> None:
    body, _ = next(iter(RULES.values()))
    for name, url in _get().json().items():
        if name.endswith("_endpoint"):
            assert call(body, records_token, path=urlsplit(url).path).status == 200


def test_35_nothing_without_a_value_is_in_it() -> None:
    assert all(isinstance(value, str) and value for value in _get().json().values())


def test_37_it_may_be_kept_for_a_while_and_is_not_taken_from_the_request() -> None:
    answer = _get(HTTP_HOST="attacker.example", HTTP_X_FORWARDED_HOST="attacker.example")

    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert "attacker" not in json.dumps(answer.json())


@pytest.mark.parametrize("host", ["127.0.0.1:8690", "localhost:8690", "[::1]:8690", "127.0.0.1"])
def test_33_it_is_identical_to_the_name_it_was_discovered_by(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setattr(settings, "PUBLIC_URL", "http://localhost:8690")
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])

    document = _get(HTTP_HOST=host).json()

    assert document.pop("policy_decision_point") == f"http://{host}"
    assert set(document.values()) == {f"http://{host}{path}" for path in authzen.ENDPOINTS}


@pytest.mark.parametrize(
    ("public", "allowed", "host"),
    [
        ("http://localhost:8690", ["localhost", "127.0.0.1"], "attacker.example"),
        ("http://localhost:8690", ["localhost"], "localhost@attacker.example"),
        ("http://localhost:8690", ["localhost"], "localhost/attacker"),
        ("http://localhost:8690", ["localhost"], "localhost:80:80"),
        ("http://localhost:8690", ["localhost"], ""),
        ("http://localhost:8690", ["*"], "attacker.example"),
        ("http://localhost:8690", [".example.org"], "attacker.example.org"),
        ("https://privacy.example.org", ["privacy.example.org", "127.0.0.1"], "127.0.0.1:8000"),
    ],
)
def test_37_any_other_name_is_answered_with_the_public_one(
    monkeypatch: pytest.MonkeyPatch, public: str, allowed: list[str], host: str
) -> None:
    monkeypatch.setattr(settings, "PUBLIC_URL", public)
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", allowed)

    document = _get(HTTP_HOST=host).json()

    assert document.pop("policy_decision_point") == public
    assert all(url.startswith(f"{public}/") for url in document.values())


def test_37_no_tenant_is_answered_with_anothers_document() -> None:
    assert _get(f"{PATH}/tenant1").status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_it_is_only_read(method: str) -> None:
    answer = call({}, None, path=PATH, method=method)

    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD"


def test_its_headers_can_be_asked_alone() -> None:
    answer = call(b"", None, path=PATH, method="HEAD")

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(_get().body))


def test_41_it_repeats_the_request_id() -> None:
    assert _get(HTTP_X_REQUEST_ID="r-1").headers["X-Request-ID"] == "r-1"
