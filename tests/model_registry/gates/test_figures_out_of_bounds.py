"""Evidence with a day or a figure that nothing can be made of: its gate fails, and nothing breaks off."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pydantic import ValidationError

from consent.models import Purpose
from model_registry import services
from model_registry.documents.assessments import Assessment
from model_registry.external.bodies import Stated
from model_registry.gates import outcome
from model_registry.models import GateDemand, ModelVersion
from tests.helpers import models

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(register_in_force: None) -> ModelVersion:
    model = services.register_model("house", name="House", description="")
    purposes = [Purpose.objects.get(slug="recommendations")]
    return models.with_evidence(services.register_version(model=model, purposes=purposes, actor="job:training"))


def _state(version: ModelVersion, slug: str) -> str:
    found = outcome.of(ModelVersion.objects.get(pk=version.pk))
    return next(line.finding.state for line in found.lines if line.slug == slug)


def _demand(slug: str, **fields: Any) -> None:
    GateDemand.objects.filter(slug=slug).update(is_active=True, **fields)


@pytest.mark.parametrize(
    "day", ["2026-02-31", "2026-13-01", "0000-01-01", "9999-12-31", "\u0662\u0660\u0662\u0666-01-01", "2026-01-01\n"]
)
def test_a_day_of_review_is_a_day(day: str) -> None:
    with pytest.raises(ValidationError):
        Assessment(review_due=day)


def test_an_assessment_without_a_day_of_review_fails_however_low_the_threshold(version: ModelVersion) -> None:
    _demand("dpia", threshold=50)
    row = version.documents.get(kind="dpia")
    content = models.assessment(review_due="")
    models.approved(models.keeping.keep(version, "dpia", content, actor="officer:first"))

    assert row.score == 100
    assert _state(version, "dpia") == "failed"


def test_an_approval_for_ever_is_one(version: ModelVersion) -> None:
    ModelVersion.objects.filter(pk=version.pk).update(approved_until=date.max)

    assert _state(version, "approval") == "passed"


@pytest.mark.parametrize("newest", ["9999-12-31T23:00:00+00:00", "2999-01-01T00:00:00+00:00", None])
def test_data_of_the_future_is_not_fresh(version: ModelVersion, newest: str | None) -> None:
    _demand("freshness")
    models.evidence(version, "freshness", **({"newest": newest} if newest else {}))

    assert _state(version, "freshness") == "failed"


def test_an_operator_states_no_data_of_the_future() -> None:
    Stated(newest_data=timezone.now())
    with pytest.raises(ValidationError):
        Stated(newest_data=timezone.now() + timedelta(days=2))


@pytest.mark.parametrize(
    ("demand", "name", "figures"),
    [
        ("bias-audit", "bias", {}),
        ("bias-audit", "bias", {"worst_at_most": None, "worst": "region=DE", "slices": 2}),
        ("leak-audit", "leak", {"advantage_at_most": None, "probing_at_most": 20}),
        ("leak-audit", "leak", {"advantage_at_most": 20}),
        ("adversarial-audit", "adversarial", {"gained": None}),
        ("regression-audit", "regression", {}),
        ("ageing-audit", "ageing", {"months": 3, "lost": None}),
    ],
)
def test_an_audit_without_the_figure_that_is_compared_is_no_evidence(
    version: ModelVersion, demand: str, name: str, figures: dict[str, Any]
) -> None:
    _demand(demand)
    models.evidence(version, name, kind="audit", **figures)

    assert _state(version, demand.replace("-", "_")) == "failed"
