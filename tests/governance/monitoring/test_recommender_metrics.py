"""Metrics of the recommender: what processes served, the breaker, versions in use, and what monitors found."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from common.counting.counts import Counts
from consent.models import Purpose
from model_registry import services
from model_registry.models import Model, ModelVersion
from personalization.monitors import tally
from personalization.monitors.models import MonitorResult
from tests.helpers import models

pytestmark = pytest.mark.django_db


@pytest.fixture
def own_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Counts:
    counts = Counts(tmp_path / "recommender", rows=64)
    monkeypatch.setattr(tally, "counts", lambda: counts)
    return counts


@pytest.fixture
def live(register_in_force: None) -> ModelVersion:
    purposes = list(Purpose.objects.filter(slug="recommendations"))
    entry = Model.objects.create(slug="basket", name="Basket")
    return models.go_live(services.register_version(model=entry, purposes=purposes, actor="test"))


def _samples(token: str) -> dict[tuple[str, ...], float]:
    answer = Client().get("/metrics", headers={"Authorization": f"Bearer {token}"})
    families = text_string_to_metric_families(answer.content.decode())
    return {(s.name, *sorted(s.labels.values())): s.value for family in families for s in family.samples}


def _answer(level: str, fallback: str | None, seconds: float, permitted: str = "individual") -> None:
    tally.answered(model="basket@1", permitted=permitted, level=level, fallback=fallback, seconds=seconds)


def test_answers_are_told_by_version_level_and_fallback_with_how_long_they_took(token: str, own_counts: Counts) -> None:
    _answer("individual", None, 0.003)
    _answer("individual", None, 0.02)
    _answer("none", "recommender_failed", 0.3)
    _answer("none", "recommender_failed", 0.3, permitted="segment")

    told = _samples(token)

    assert told["assent_recommendations_total", "basket@1", "individual", "none"] == 2
    assert told["assent_recommendations_total", "basket@1", "none", "recommender_failed"] == 2
    assert told["assent_recommendation_seconds_bucket", "0.005", "basket@1"] == 1
    assert told["assent_recommendation_seconds_bucket", "+Inf", "basket@1"] == 4
    assert told["assent_recommendation_seconds_count", "basket@1"] == 4
    assert told["assent_recommendation_seconds_sum", "basket@1"] == pytest.approx(0.623)


def test_an_open_breaker_is_told(token: str, own_counts: Counts) -> None:
    before = _samples(token)["assent_recommender_resting",]
    tally.resting(True)

    assert (before, _samples(token)["assent_recommender_resting",]) == (0, 1)


def test_versions_in_use_have_an_age_and_what_their_monitors_found(token: str, live: ModelVersion) -> None:
    today = timezone.now().date()
    row: dict[str, Any] = {"version": live, "monitor": "input_drift"}
    MonitorResult.objects.create(**row, part="kind", day=today, state="beyond", value=0.4)
    MonitorResult.objects.create(**row, part="rating", day=today, state="within", value=0.1)
    MonitorResult.objects.create(**row, part="kind", day=today - timedelta(days=1), state="within", value=9)
    MonitorResult.objects.create(version=live, monitor="gini", day=today, state="too_few")

    told = _samples(token)

    assert told["assent_model_serving", "basket@1"] == 1
    assert 0 <= told["assent_model_age_seconds", "basket@1"] < 600
    assert told["assent_monitor_value", "basket@1", "input_drift", "kind"] == 0.4
    assert told["assent_monitor_beyond", "basket@1", "input_drift"] == 1
    assert told["assent_monitor_beyond", "basket@1", "gini"] == 0
    assert not any(key[0] == "assent_monitor_value" and "gini" in key for key in told)
    assert 0 <= told["assent_monitor_age_seconds", "basket@1"] < 600


def test_a_retired_version_is_told_of_no_more(token: str, live: ModelVersion) -> None:
    models.take(live, "suspended")
    suspended = _samples(token)
    models.take(live, "retired")

    assert suspended["assent_model_serving", "basket@1"] == 0
    assert ("assent_model_serving", "basket@1") not in _samples(token)
