"""A rule of review is a duty of the next decision, in both engines."""

from collections.abc import Callable
from typing import Any

import pytest

from policies import engines
from tests.helpers import reviews
from tests.helpers.wsgi_calls import call, changed

ASKED = changed("resource.properties.data_categories", ["views"])
Duties = Callable[[], list[dict[str, Any]]]


@pytest.fixture(params=["embedded", "opa"])
def duties(request: pytest.FixtureRequest, shop_token: str, monkeypatch: pytest.MonkeyPatch) -> Duties:
    if request.param == "opa":
        opa = request.getfixturevalue("opa_engine")
        monkeypatch.setattr(engines, "for_revision", lambda *_: opa)

    def asked() -> list[dict[str, Any]]:
        context = call(ASKED, shop_token).json()["context"]
        return [each["properties"] for each in context["obligations"] if each["type"] == "human_review"]

    return asked


def test_a_rule_is_a_duty_from_the_next_decision_on_in_both_engines(duties: Duties) -> None:
    assert duties() == []

    reviews.rule("all", purpose="recommendations", four_eyes=True)
    assert duties() == [
        {
            "rule": "all", "confidence_below": None, "share": 100, "four_eyes": True, "due_hours": 72,
            "serve_hours": 720,
        }
    ]  # fmt: skip

    reviews.rule("all", purpose="recommendations", is_active=False)
    assert duties() == []
