"""A model that is live, and the answer of either engine about it."""

from collections.abc import Callable
from typing import Any

import pytest

from consent.models import Purpose
from model_registry import services
from model_registry.models import ModelVersion
from policies import engines
from policies.engines.opa import OpaEngine
from tests.helpers import models
from tests.helpers.wsgi_calls import call, changed

MODEL = changed("resource.properties.model", "basket@1")
Decide = Callable[[], tuple[bool, list[str]]]


@pytest.fixture(params=["embedded", "opa"])
def decide(request: pytest.FixtureRequest, shop_token: str, monkeypatch: pytest.MonkeyPatch) -> Decide:
    if request.param == "opa":
        opa: OpaEngine = request.getfixturevalue("opa_engine")
        monkeypatch.setattr(engines, "for_revision", lambda *_: opa)

    def decided() -> tuple[bool, list[str]]:
        answer: dict[str, Any] = call(MODEL, shop_token).json()
        return answer["decision"], [reason["code"] for reason in answer["context"]["reasons"]]

    return decided


@pytest.fixture
def live(shop_token: str) -> ModelVersion:
    version = services.register_version(
        model=services.register_model("basket", name="Basket", description=""),
        purposes=[Purpose.objects.get(slug="recommendations")],
        actor="test",
    )
    return models.go_live(version)
