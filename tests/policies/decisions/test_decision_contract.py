"""The answer to a service has the shape of the decision contract: its names are public API."""

import json
from uuid import UUID

from tests.helpers.wsgi_calls import call, changed, question


def test_the_answer_has_the_shape_of_the_decision_contract(shop_token: str) -> None:
    document = call(question(), shop_token).json()
    context = document["context"]

    assert document["decision"] is True
    assert set(context) == {
        "decision_id", "level", "reasons", "obligations", "legal_basis", "bundle_revision", "subject_revision",
        "valid_until",
    }  # fmt: skip
    assert UUID(context["decision_id"]).version == 7
    assert context["level"] == "individual"
    assert context["reasons"] == []
    assert context["obligations"] == [{"id": "o1", "type": "max_level", "properties": {"level": "individual"}}]
    assert context["legal_basis"] == "consent"
    assert context["bundle_revision"].startswith("sha256:")
    assert context["subject_revision"] == 1
    assert context["valid_until"].endswith("Z")


def test_reasons_and_obligations_have_the_shape_of_the_decision_contract(shop_token: str) -> None:
    body = changed("context", {"processing_region": "eu-central", "signals": {"gpc": True}})

    context = call(body, shop_token).json()["context"]

    assert context["level"] == "behavioral"
    assert context["reasons"] == [{"code": "level_capped_by_signal", "detail": "gpc"}]


def test_only_questions_about_personalizing_are_answered_with_a_level(shop_token: str) -> None:
    collect = changed("action", {"name": "collect", "properties": {"purpose": "recommendations"}})

    document = call(collect, shop_token).json()

    assert document["decision"] is True
    assert "level" not in document["context"]


def test_answers_are_kept_by_no_cache(shop_token: str) -> None:
    for body in (question(), b"nonsense"):
        assert call(body, shop_token).headers["Cache-Control"] == "no-store"


def test_the_length_of_an_answer_is_stated(shop_token: str) -> None:
    for body in (question(), b"nonsense"):
        answer = call(body, shop_token)
        assert answer.headers["Content-Length"] == str(len(answer.body))
        assert json.loads(answer.body)
