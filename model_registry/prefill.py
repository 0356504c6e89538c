"""Documents begun out of what the registers and the training know of a version; the rest is left to officers."""

from datetime import timedelta
from math import log, sqrt
from typing import Any

from django.utils import timezone

from consent.models import Party, Purpose
from model_registry.documents.assessments import Assessment, Runbook
from model_registry.documents.card import (
    Contact,
    Dataset,
    Disparity,
    Evaluation,
    Governance,
    Interval,
    Metric,
    ModelCard,
    Training,
)
from model_registry.models import ModelVersion

REVIEW_AFTER = timedelta(days=365)
_METRIC = "ndcg@10"
_ERROR = 0.05


def card(version: ModelVersion) -> ModelCard:
    """Return a card with owners, purposes, data and figures; intervals hold for any distribution (Hoeffding)."""
    metrics = version.metrics
    data = Dataset(
        name=data_name(version), type="interactions", digest=metrics.get("data_sha256", ""),
        description=f"Events of {metrics['people']} people who allowed it." if "people" in metrics else "",
    )  # fmt: skip
    window = metrics.get("window", ["", ""])
    return ModelCard(
        name=version.model.name,
        overview=version.model.description,
        version=str(version.version),
        date=version.created_at.date().isoformat(),
        owners=_owners(version),
        training=Training(data=[data], from_day=window[0], to_day=window[1], privacy_level=version.max_level),
        evaluations=_evaluations(version, data),
        disparities=disparities(metrics),
        governance=Governance(intended_purposes=[purpose.slug for purpose in version.purposes.order_by("slug")]),
    )


def data_name(version: ModelVersion) -> str:
    """Return what the data of a version is called on its card."""
    return f"Training data of {version}"


def assessment(version: ModelVersion) -> Assessment:
    """Return an assessment that describes purposes, data and recipients, to be reviewed within a year."""
    described = "\n".join(_described(purpose) for purpose in version.purposes.order_by("slug"))
    measures = f"At most the level “{version.get_max_level_display()}”, and only as far as each person allows it."
    due = (timezone.now() + REVIEW_AFTER).date().isoformat()
    return Assessment(answers={"description": described, "measures": measures}, review_due=due)


def runbook(version: ModelVersion) -> Runbook:
    """Return a runbook with how a version is stopped, and whom to call."""
    stop = "Suspend it on its page under Model versions: from the next decision on, people get the general list."
    back = "Make the version before live again on its page: it takes over at the next decision."
    return Runbook(answers={"stop": stop, "back": back}, contacts=_owners(version))


def _owners(version: ModelVersion) -> list[Contact]:
    parties = Party.objects.filter(role__in=(Party.Role.CONTROLLER, Party.Role.OFFICER)).order_by("role", "name")
    owners = [Contact(name=party.name, contact=party.email or party.url) for party in parties]
    return [*([Contact(name=version.model.owner)] if version.model.owner else []), *owners]


def _described(purpose: Purpose) -> str:
    kinds = ", ".join(sorted(purpose.data_categories)) or "no data"
    recipients = ", ".join(sorted(purpose.recipients)) or "no recipient"
    return f"{purpose.name}: {purpose.benefit} Data: {kinds}. Legal basis: {purpose.legal_basis}. To: {recipients}."


def _evaluations(version: ModelVersion, data: Dataset) -> list[Evaluation]:
    metrics = version.metrics
    people = metrics.get("measured_on", 0)
    figures = [
        _figure(figure, people, f"level={level}") for level, figure in metrics.get("ndcg_at_10_per_mille", {}).items()
    ]
    figures += [_figure(figure, count, group) for group, (count, figure) in metrics.get("by_segment", {}).items()]
    return [Evaluation(task="recommendation", dataset=data, metrics=figures)] if figures else []


def _figure(per_mille: int, people: int, group: str) -> Metric:
    return Metric(type=_METRIC, value=per_mille / 1000, slice=group, interval=interval(per_mille / 1000, people))


def interval(mean: float, people: int) -> Interval | None:
    """Return the interval that holds the mean with 95 %, whatever its distribution in 0..1 is."""
    if not people:
        return None
    width = sqrt(log(2 / _ERROR) / (2 * people))
    return Interval(lower=round(max(0.0, mean - width), 3), upper=round(min(1.0, mean + width), 3))


def disparities(metrics: dict[str, Any]) -> list[Disparity]:
    """Return how far the quality for each group is from that for all."""
    groups = metrics.get("by_segment", {})
    people = sum(count for count, _ in groups.values())
    if not people:
        return []
    overall = sum(count * figure for count, figure in groups.values()) / people
    return [
        Disparity(metric=_METRIC, group=group, value=round((figure - overall) / 1000, 3))
        for group, (_, figure) in groups.items()
    ]
