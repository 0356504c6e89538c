"""Model card of what the registers and the training know of a version."""

from math import log, sqrt
from typing import Any

from model_registry.documents.card import (
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
from model_registry.prefill import register_texts

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
        owners=register_texts.contacts(version),
        training=Training(data=[data], from_day=window[0], to_day=window[1], privacy_level=version.max_level),
        evaluations=_evaluations(version, data),
        disparities=disparities(metrics),
        governance=Governance(intended_purposes=[purpose.slug for purpose in version.purposes.order_by("slug")]),
    )


def data_name(version: ModelVersion) -> str:
    """Return what the data of a version is called on its card."""
    return f"Training data of {version}"


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
    """Return the interval that holds the mean with 95 %, for any distribution in 0..1."""
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
