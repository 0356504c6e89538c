"""Train the bundled recommender on the events of people who allow it, and register the result as a draft."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from common import actors
from common.identifiers import uuid7
from common.suppression import smallest_group
from consent.models import Purpose
from model_registry import services
from model_registry.documents import keeping as documents
from model_registry.gates import recording
from model_registry.models import Evidence, ModelFile, ModelVersion
from personalization import engine
from personalization.creators import opt_outs
from personalization.features import definitions, snapshot
from personalization.general import also_bought, trending
from personalization.models import Event, Item, PopularItem
from personalization.monitors import references
from personalization.monitors.references import Reference
from personalization.recommender import interactions as rec
from personalization.recommender import storage
from personalization.recommender.groups import forming as groups
from personalization.recommender.groups.forming import Kind
from personalization.recommender.model import Model
from personalization.recommender.recipe import Lists, Recipe
from personalization.recommender.training import train
from personalization.recommender.validation import ratings
from personalization.recommender.validation.evaluation import Asked, ask, summed
from personalization.recommender.validation.tuning import choose
from personalization.registered import measured, own_card
from personalization.snapshots import keeping
from personalization.snapshots.files import Data, data_bytes, evaluation_bytes
from personalization.training_data.permission import permitted
from personalization.training_runs import without_profile
from personalization.training_sets import members, retraining
from policies.models import RankingRule

logger = logging.getLogger(__name__)
PURPOSE = "recommendations"
FEW_PEOPLE = 1_000
SUPPORT, SUPPORT_OF_FEW = 2, 5
"""So many people stand behind each number of a model. A model of few people would remember each of them: the gain of an
attacker over guessing, by people and support, is in docs/model-audits.md."""


@dataclass(frozen=True, eq=False)
class _Training:
    """What a training leaves: its artifact, its figures and what they can be recomputed from.

    ``findings``: what the gates of a release read of it: whether each passed, with its figures.
    """

    began: datetime
    manifest: storage.Manifest
    recipe: Recipe
    metrics: dict[str, Any]
    findings: dict[str, tuple[bool, dict[str, Any]]]
    people: list[UUID]
    data: Data
    asked: Asked
    reference: Reference
    features: bytes
    groups: keeping.Groups


# Parts of a training, as its progress names them.
STEPS = ("reading", "choosing", "training", "evaluating", "registering")
Progress = Callable[[str], None]


def _unseen(_step: str) -> None:
    """Report no progress."""


def train_recommender(*, actor: str, progress: Progress = _unseen) -> ModelVersion | None:
    """Train, evaluate, save and register a new draft version; None without anyone's permission to train.

    One ``train`` decision is asked and logged for every person; all data of people without a permit is left out.
    ``progress`` is called with each of STEPS as it begins.
    """
    version = _trained(actor, progress)
    retraining.mark_done(version)
    return version


def _trained(actor: str, progress: Progress) -> ModelVersion | None:
    from personalization.training_data import reading  # Arrow and an engine of queries, only in a job

    began = timezone.now()
    progress("reading")
    trending.refresh()
    useful = Event.objects.filter(purpose=PURPOSE, weight__gt=0).order_by()
    people = list(useful.values_list("subject_ref", flat=True).distinct())
    trained_on = permitted(people, purpose=PURPOSE, caller=actors.job("training"))
    k = smallest_group()
    also_bought.refresh(trained_on, purpose=PURPOSE, k=k)
    if not trained_on:
        return None
    catalogue = [
        rec.Item(item.slug, item.title, tuple(item.categories), item.description)
        for item in Item.objects.filter(~opt_outs.is_out(), is_active=True)
    ]
    with reading.tables(trained_on, [item.id for item in catalogue], purpose=PURPOSE) as tables:
        data, segments, inputs = tables.interactions(), tables.segments, tables.inputs()
        rated = tables.ratings(data)
        defined = definitions.in_force(PURPOSE)
        found = tables.features(defined, began)
        inside = [bytes(person) for person in data.people.distinct() if isinstance(person, bytes)]
        features = snapshot.made(found, [ref.bytes for ref in tables.people], inside, defined)
    if not len(data):
        return None
    progress("choosing")
    # Segments are counted, because the page about the ranking says so.
    support = SUPPORT_OF_FEW if len(data.people.distinct()) < FEW_PEOPLE else SUPPORT
    chosen = choose(data, catalogue, segments, lists=(Lists.COUNTS,), min_segment=k, min_people=support)
    progress("training")
    model = train(data, catalogue, segments, recipe=chosen.recipe, min_segment=k, min_people=support)
    grouped = groups.added(model, data, _kinds_of_groups())
    model = grouped.model
    manifest = storage.save(model, Path(settings.MODEL_DIR), engine.MODEL_SLUG, uuid7().hex)
    progress("evaluating")
    asked = ask(data, catalogue, segments, recipe=chosen.recipe, min_segment=k, min_people=support)
    figures = measured.of_evaluation(summed(asked, segments, min_segment=k), least=k)
    figures |= measured.of_ratings(ratings.measure(rated, data, asked, least=k))
    metrics = {**measured.of_data(data), **figures, **measured.of_choice(chosen)}
    reference = references.measure(model, data, inputs, features.documents)
    training = _Training(
        began,
        manifest,
        chosen.recipe,
        metrics,
        _findings(model, data),
        trained_on,
        Data(data, segments, rated),
        asked,
        reference,
        features.content,
        grouped.people,
    )
    progress("registering")
    version = _register(training, actor)
    logger.info("Trained %s on %s people", version, len(trained_on))
    return version


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


def _register(training: _Training, actor: str) -> ModelVersion:
    """Write the snapshot and register the version with it; without the version there are no files."""
    persons = len(training.data.interactions.people.distinct())
    kind = ModelFile.Kind
    contents = {
        kind.DATA: data_bytes(training.data),
        kind.EVALUATION: evaluation_bytes(training.asked),
        kind.FEATURES: training.features,
    }
    files = keeping.write(training.manifest.version, contents, persons)
    try:
        return _register_with(files, training, actor)
    except BaseException:
        keeping.discard(files)
        raise


@transaction.atomic
def _register_with(files: list[ModelFile], training: _Training, actor: str) -> ModelVersion:
    entry = services.register_model(
        engine.MODEL_SLUG, name="House recommender", description="Item to item, trained on people who agreed."
    )
    version = services.register_version(
        model=entry,
        purposes=list(Purpose.objects.filter(slug__in=_served_purposes())),
        actor=actor,
        artifact=f"{training.manifest.name}-{training.manifest.version}",
        artifact_sha256=training.manifest.digest,
        metrics=training.metrics,
        files=files,
    )
    for name, (is_passed, figures) in training.findings.items():
        recording.record_evidence(
            version, Evidence.Kind.TRAINING, name, is_passed=is_passed, figures=figures, actor=actor
        )
    documents.keep(version, "card", own_card.card(version, training.recipe), actor=actor)
    members.note(version, training.people)
    references.keep(version, training.reference)
    inside = [UUID(bytes=bytes(person)) for person in training.data.interactions.people.distinct()]
    keeping.note(version, inside, purpose=PURPOSE, since=training.began, actor=actor, groups=training.groups)
    members.let_erased_go(version, since=training.began, actor=actor)
    return version


def _kinds_of_groups() -> set[Kind]:
    """Return the kinds of groups that rules of ranking serve the lists of."""
    lists = RankingRule.objects.exclude(segment_list=RankingRule.SegmentList.REGION_AGE)
    return {Kind(each) for each in lists.values_list("segment_list", flat=True)}


def _served_purposes() -> set[str]:
    """Return the purposes that a version is registered for: its own, and those that serve visitors."""
    return {PURPOSE, *RankingRule.objects.filter(serves_visitors=True).values_list("purpose", flat=True)}
