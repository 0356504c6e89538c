"""What the front remembers of a question is no answer under other terms, on a connection that stays open."""

from typing import Any

import pytest

from consent.models import Purpose
from consent.register import register
from policies import engines
from tests.governance.front.test_front_decisions import front, post  # noqa: F401 (a fixture)
from tests.helpers.front_server import Client
from tests.helpers.wsgi_calls import EVALUATIONS, call, question
from tests.policies.conftest import opa_engine, opa_url  # noqa: F401 (fixtures)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["embedded", "opa"], autouse=True)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "opa":
        opa = request.getfixturevalue("opa_engine")
        monkeypatch.setattr(engines, "for_revision", lambda *_: opa)


def _about_location(person: str) -> dict[str, Any]:
    resource = {"type": "personalization", "id": "feed", "properties": {"data_categories": ["location"]}}
    return question(person, resource=resource)


def _agree(person: str, token: str) -> None:
    body = {
        "subject": {"id": person, "region": "DE", "age_band": "adult"},
        "choices": [{"purpose": "recommendations", "choice": "give"}],
    }
    assert call(body, token, path="/api/v1/consents").status == 201


def test_a_remembered_answer_is_none_under_other_terms(front: Any, token: str) -> None:  # noqa: F811
    for person in ("earlier-1", "earlier-2"):
        _agree(person, token)
    with Client(front) as client:

        def asked(person: str) -> tuple[bool, list[tuple[str, str | None]]]:
            client.socket.sendall(post(_about_location(person), token))
            document = client.response().document()
            return document["decision"], [(r["code"], r.get("detail")) for r in document["context"]["reasons"]]

        def in_batch(*people: str) -> list[bool]:
            body = {"evaluations": [_about_location(person) for person in people]}
            client.socket.sendall(post(body, token, EVALUATIONS))
            return [each["decision"] for each in client.response().document()["evaluations"]]

        before = [asked(person) for person in ("earlier-1", "earlier-2", "earlier-1")]
        assert before == [(False, [("category_not_allowed", "unknown")])] * 3, "no register names it yet"
        assert in_batch("earlier-1", "earlier-2") == [False, False]
        _widen()
        _agree("new-1", token)

        answers = {person: asked(person) for person in ("earlier-1", "new-1", "earlier-2", "new-1", "earlier-1")}

        assert answers == {
            "earlier-1": (False, [("renewal_required", "location")]),
            "earlier-2": (False, [("renewal_required", "location")]),
            "new-1": (True, []),
        }
        assert in_batch("earlier-1", "new-1", "earlier-2") == [False, True, False]


def _widen() -> None:
    purpose = Purpose.objects.get(slug="recommendations")
    purpose.data_categories = [*purpose.data_categories, "location"]
    register.save_purpose(purpose, actor="officer:test")
    register.publish_notice(purpose=purpose, text="And where you are.", actor="officer:test", is_material=False)
