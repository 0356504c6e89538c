"""Train the bundled recommender on the events of people who allow it, and register the result as a draft."""

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import transaction

from common import actors
from common.canonical import sha256
from common.identifiers import uuid7
from consent.models import DataSubject, Purpose
from model_registry import services
from model_registry.gates import recording
from model_registry.models import Evidence, ModelVersion
from personalization import engine, events, without_profile
from personalization.models import Item, PopularItem
from personalization.recommender import interactions as rec
from personalization.recommender import storage
from personalization.recommender.model import Model
from personalization.recommender.recipe import Lists
from personalization.recommender.training import train
from personalization.recommender.validation.evaluation import Evaluation, Figures, evaluate
from personalization.recommender.validation.tuning import Chosen, choose
from personalization.training_sets import members, retraining
from policies.bundles.building import SEGMENT_MIN_SIZE
from policies.decisions.evaluate import Decision, decide
from policies.decisions.questions import Question

logger = logging.getLogger(__name__)
PURPOSE = "recommendations"
_POPULAR_FROM_PEOPLE = 2


@dataclass(frozen=True)
class _Measured:
    """Figures of a training, and what the gates of a release read of it: whether each passed, with its figures."""

    metrics: dict[str, Any]
    findings: dict[str, tuple[bool, dict[str, Any]]]


def train_recommender(*, actor: str) -> ModelVersion | None:
    """Train, evaluate, save and register a new draft version; None without anyone's permission to train.

    One ``train`` decision is asked and logged for every person; all data of people without a permit is left out.
    """
    version = _trained(actor)
    retraining.mark_done()
    return version


def _trained(actor: str) -> ModelVersion | None:
    refresh_popular_items()
    useful = events.positive().filter(purpose=PURPOSE)
    people = list(useful.order_by().values_list("subject_ref", flat=True).distinct())
    trained_on = permitted(people, caller=actors.job("training"))
    if not trained_on:
        return None
    data = _interactions(trained_on)
    catalogue = [
        rec.Item(item.slug, item.title, tuple(item.categories)) for item in Item.objects.filter(is_active=True)
    ]
    segments = _segments(trained_on)
    # Segments are counted, because the page about the ranking says so.
    chosen = choose(data, catalogue, segments, lists=(Lists.COUNTS,))
    model = train(data, catalogue, segments, recipe=chosen.recipe)
    manifest = storage.save(model, Path(settings.MODEL_DIR), engine.MODEL_SLUG, uuid7().hex)
    evaluation = evaluate(data, catalogue, segments, recipe=chosen.recipe)
    metrics = {**_metrics(data, evaluation, len(trained_on)), **_protocols(chosen, evaluation)}
    measured = _Measured(metrics, _findings(model, data))
    version = _register(manifest, measured, trained_on, actor)
    logger.info("Trained %s on %s people", version, len(trained_on))
    return version


def permitted(people: Iterable[UUID], *, caller: str) -> list[UUID]:
    """Return the people who may be trained on: one logged decision each."""
    return [ref for ref in people if _is_permitted(decide(_question(ref), caller=caller))]


def _is_permitted(decision: Decision) -> bool:
    """Return whether all the data may be used: a model learns from all of a person's kinds of data or from none."""
    duties = decision.rendered.verdict.obligations
    return decision.permitted and not any(duty.type == "exclude_categories" for duty in duties)


def _question(ref: UUID) -> Question:
    return Question(
        subject_ref=ref,
        action="train",
        purpose=PURPOSE,
        data_categories=("purchases", "ratings", "views"),
        processing_region=settings.PROCESSING_REGION,
    )


def _interactions(people: list[UUID]) -> rec.Interactions:
    rows = list(
        events.positive()
        .filter(purpose=PURPOSE, subject_ref__in=people, item__is_active=True)
        .order_by("occurred_at", "id")
        .values_list("subject_ref", "item_id", "weight", "occurred_at")
    )
    return rec.Interactions(
        person=[row[0].bytes for row in rows],
        item=[row[1] for row in rows],
        weight=np.array([row[2] for row in rows], dtype=np.float64),
        time=np.array([row[3].timestamp() for row in rows], dtype=np.float64),
    )


def _segments(people: list[UUID]) -> dict[rec.Person, str]:
    rows = DataSubject.objects.filter(ref__in=people).values_list("ref", "region", "age_band")
    return {ref.bytes: engine.segment_key(region, age_band) for ref, region, age_band in rows}


def _metrics(data: rec.Interactions, evaluation: Evaluation, people: int) -> dict[str, Any]:
    """Return the figures of a training: quality per level and group, and the data it comes from."""
    ndcg = {str(level): round(quality * 1000) for level, quality in evaluation.ndcg.items()}
    days = [datetime.fromtimestamp(float(moment), tz=UTC).date() for moment in (data.time.min(), data.time.max())]
    return {
        "ndcg_at_10_per_mille": ndcg,
        "people": people,
        "measured_on": evaluation.people,
        "by_segment": _large_groups(evaluation),
        "window": [day.isoformat() for day in days],
        "data_sha256": _digest(data),
    }


def _protocols(chosen: Chosen, evaluation: Evaluation) -> dict[str, Any]:
    """Return every level's figures by protocol, and what was compared to choose: all in thousandths."""
    return {
        "protocols": {
            str(protocol): {str(level): _figures(figures) for level, figures in levels.items()}
            for protocol, levels in evaluation.levels.items()
        },
        "groups": {
            key: {
                "people": group.people,
                "ndcg": round(1000 * group.ndcg),
                "interval": [round(1000 * end) for end in group.interval],
            }
            for key, group in evaluation.groups.items()
        },
        "validation": {
            "asked": chosen.people,
            "ndcg_at_10_per_mille": {name: round(1000 * figure) for name, figure in chosen.ndcg.items()},
        },
    }


def _figures(figures: Figures) -> dict[str, Any]:
    given = asdict(figures)
    interval = given.pop("interval")
    return {
        **{name: None if value is None else round(1000 * value) for name, value in given.items()},
        "interval": [round(1000 * end) for end in interval],
    }


def _large_groups(evaluation: Evaluation) -> dict[str, list[int]]:
    """Return how many people of a group were asked about, and the quality for them; small groups are taken together."""
    small = [figures for figures in evaluation.by_segment.values() if figures[0] < SEGMENT_MIN_SIZE]
    groups = {name: figures for name, figures in evaluation.by_segment.items() if figures[0] >= SEGMENT_MIN_SIZE}
    people = sum(count for count, _ in small)
    if people >= SEGMENT_MIN_SIZE or (people and not groups):
        groups["all others"] = (people, sum(count * quality for count, quality in small) / people)
    return {name: [count, round(quality * 1000)] for name, (count, quality) in groups.items()}


def _digest(data: rec.Interactions) -> str:
    rows = zip(data.person, data.item, data.weight, data.time, strict=True)
    lines = [f"{bytes(who).hex()},{item},{weight},{at}\n" for who, item, weight, at in rows]
    return sha256("".join(lines).encode()).hex()


def _findings(model: Model, data: rec.Interactions) -> dict[str, tuple[bool, dict[str, Any]]]:
    """Return what the gates of a release read of a training: by name, whether it passed, and its figures."""
    people = [segment.people for segment in model.segments.values()]
    popular = PopularItem.objects.count()
    newest = datetime.fromtimestamp(float(data.time.max()), tz=UTC)
    return {
        "segments": (True, {"segments": len(people), "smallest": min(people, default=0)}),
        "fallback": (popular > 0, {"popular_items": popular}),
        "freshness": (True, {"newest": newest.isoformat()}),
        "opted_out": without_profile.compare(model),
    }


@transaction.atomic
def _register(manifest: storage.Manifest, measured: _Measured, people: list[UUID], actor: str) -> ModelVersion:
    entry = services.register_model(
        engine.MODEL_SLUG, name="House recommender", description="Item to item, trained on people who agreed."
    )
    version = services.register_version(
        model=entry,
        purposes=list(Purpose.objects.filter(slug=PURPOSE)),
        actor=actor,
        artifact=f"{manifest.name}-{manifest.version}",
        artifact_sha256=manifest.digest,
        metrics=measured.metrics,
    )
    for name, (is_passed, figures) in measured.findings.items():
        recording.record_evidence(
            version, Evidence.Kind.TRAINING, name, is_passed=is_passed, figures=figures, actor=actor
        )
    members.note(version, people)
    return version


@transaction.atomic
def refresh_popular_items() -> None:
    """Write the general list: items by distinct people; an item of a single person is left out."""
    useful = events.positive().filter(item__is_active=True)
    pairs = useful.order_by().values_list("item_id", "subject_ref").distinct()
    people = Counter(item for item, _ in pairs)
    ranked = sorted(((count, item) for item, count in people.items()), key=lambda pair: (-pair[0], pair[1]))
    PopularItem.objects.all().delete()
    PopularItem.objects.bulk_create(
        PopularItem(rank=rank, item_id=item, people=count)
        for rank, (count, item) in enumerate(ranked, start=1)
        if count >= _POPULAR_FROM_PEOPLE
    )
