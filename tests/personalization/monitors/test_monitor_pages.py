"""Monitors on the page of a version: results, their course, and distributions then and now."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from model_registry.models import ModelVersion
from personalization.monitors.models import MonitorResult

pytestmark = pytest.mark.django_db
TODAY = timezone.now().date()


def _page(officer: Any, version: ModelVersion) -> str:
    answer = officer.get(f"/admin/model_registry/modelversion/{version.pk}/change/")
    assert answer.status_code == 200
    return str(answer.content.decode())


def _drift(version: ModelVersion, days_ago: int, value: float | None, state: str = "within") -> None:
    figures = {"labels": ["like", "other"], "reference": [150, 0], "now": [30, 120]}
    MonitorResult.objects.create(
        version=version, day=TODAY - timedelta(days=days_ago), monitor="input_drift", part="kind", state=state,
        value=value, samples=150, limit=0.25, figures=figures,
    )  # fmt: skip


def test_results_are_told_in_words_with_their_objectives_and_plots(officer: Any, draft: ModelVersion) -> None:
    _drift(draft, 2, 0.1)
    _drift(draft, 1, None, "unknown")
    _drift(draft, 0, 1.7, "beyond")
    MonitorResult.objects.create(
        version=draft, day=TODAY, monitor="coverage", state="too_few", value=0.5, samples=12, limit=0.01
    )

    MonitorResult.objects.create(
        version=draft, day=TODAY, monitor="model_age", state="within", value=3.5, samples=1, limit=90
    )

    page = _page(officer, draft)

    assert 'id="panel-monitors"' in page
    assert "3.5 days" in page
    assert 'data-label="Out of">1<' not in page
    for said in ("Input drift: kind", "1.7 PSI", "at most 0.25 PSI", "at least 1.0 %", "Too few to say", "Beyond"):
        assert said in page
    assert page.count("<svg") >= 2
    assert "Drift over days" in page
    assert "Input drift: kind, then and now" in page


def test_a_version_never_measured_has_no_panel(officer: Any, draft: ModelVersion) -> None:
    assert "panel-monitors" not in _page(officer, draft)


def test_days_long_past_are_not_drawn(officer: Any, draft: ModelVersion) -> None:
    _drift(draft, 0, 0.1)
    _drift(draft, 200, 0.9)

    assert f"{TODAY - timedelta(days=200):%d %b}" not in _page(officer, draft)
