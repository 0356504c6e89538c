"""Retraining after erasures: what is due, the job that does it, and the work it gives an officer.

A newly trained version is a draft. Until an officer approves it the old one serves, so the work stays open until the
old one is retired or suspended.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from audit import trail
from common import actors
from model_registry.models import ModelVersion
from oversight.work import items
from oversight.work.kinds import Kind
from personalization.models import RetrainingDue

JOB = actors.job("training")


def _describe(object_name: str) -> str:
    due = RetrainingDue.objects.select_related("version__model").get(version_id=int(object_name))
    trained = "A new draft is trained" if due.done_at else "A new draft is being trained"
    return f"{due.version} learnt from {due.erased} who were erased since. {trained}: approve it, and retire this one."


RETRAIN = Kind(
    slug="model-after-erasure",
    title="Model that learnt from erased people",
    due=timedelta(days=30),
    permission="model_registry.change_modelversion",
    url=lambda name: reverse("admin:model_registry_modelversion_change", args=[name]),
    describe=_describe,
)


def make_due(versions: Iterable[ModelVersion], *, actor: str) -> None:
    """Note that versions learnt from one person more who was erased. In the erasure's transaction."""
    for version in versions:
        due, is_new = RetrainingDue.objects.get_or_create(version=version)
        RetrainingDue.objects.filter(pk=due.pk).update(erased=F("erased") + 1, done_at=None)
        if is_new:
            trail.record("model.retraining_due", str(version), actor=actor)
        if version.serves:
            items.open_item(RETRAIN.slug, str(version.pk), actor=actor)


def is_due() -> bool:
    """Return whether a version that may serve learnt from people who were erased after the newest training."""
    return RetrainingDue.objects.filter(done_at=None).exclude(version__status=ModelVersion.Status.RETIRED).exists()


def mark_done(trained: ModelVersion | None) -> None:
    """Note that a training without the erased has ended; not of the version it made: it may have learnt from some."""
    RetrainingDue.objects.filter(done_at=None).exclude(version=trained).update(done_at=timezone.now())


def close_work() -> None:
    """Finish the work of versions that serve no longer."""
    for item in items.all_open(RETRAIN.slug):
        version = ModelVersion.objects.get(pk=item.object)
        if not version.serves:
            items.finish(item, actor=JOB, outcome=version.status)
