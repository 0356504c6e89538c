"""The people a version was trained on: written with the version, kept until it is retired."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef

from model_registry.models import ModelVersion
from personalization.models import SnapshotPerson, TrainingMember
from personalization.snapshots import keeping
from personalization.training_sets import retraining

_AT_ONCE = 10_000


def note(version: ModelVersion, people: Iterable[UUID]) -> None:
    """Note whom a version learnt from, and forget it of retired versions whose files are gone.

    In the transaction of the registration.
    """
    in_files = SnapshotPerson.objects.filter(version=OuterRef("version"), subject_ref=OuterRef("subject_ref"))
    retired = TrainingMember.objects.filter(version__status=ModelVersion.Status.RETIRED)
    retired.filter(~Exists(in_files)).delete()
    rows = (TrainingMember(version=version, subject_ref=ref) for ref in people)
    TrainingMember.objects.bulk_create(rows, batch_size=_AT_ONCE)


def let_erased_go(version: ModelVersion, *, since: datetime, actor: str) -> None:
    """Forget who was erased while a version was trained, and make another training due: it learnt from them.

    Their erasure found no row of it. In the transaction of the registration.
    """
    rows = TrainingMember.objects.filter(version=version, subject_ref__in=keeping.erased(since).values("ref"))
    count, _by_model = rows.delete()
    retraining.make_due([version] * count, actor=actor)
