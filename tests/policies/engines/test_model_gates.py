"""Release gates decide in both engines: evidence that goes, or ends by the clock, is a denial at the next decision."""

import time
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from consent.models import Purpose
from model_registry import services
from model_registry.gates import recording
from model_registry.models import ModelVersion
from policies import engines
from policies.engines.opa import OpaEngine
from policies.models import ActiveBundle
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


def test_evidence_that_fails_is_a_denial_at_the_next_decision(decide: Decide, live: ModelVersion) -> None:
    assert decide() == (True, [])

    models.evidence(live, "fallback", is_passed=False)
    assert decide() == (False, ["gate_failed"])

    models.evidence(live, "fallback")
    assert decide() == (True, [])


def test_evidence_that_ended_is_a_denial_by_the_clock(
    decide: Decide, live: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = timezone.now() + timedelta(hours=1)
    recording.record_evidence(live, "audit", "fallback", is_passed=True, actor="job:audit", valid_until=end)
    revision = ActiveBundle.objects.get().bundle_id
    assert decide() == (True, [])

    clock = SimpleNamespace(**{**vars(time), "time": end.timestamp})
    monkeypatch.setattr("policies.decisions.evaluate.time", clock)

    assert decide() == (False, ["gate_failed"])
    assert ActiveBundle.objects.get().bundle_id == revision
