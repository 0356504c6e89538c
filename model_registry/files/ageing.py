"""Artifacts of versions that nothing leads back to, deleted by the record period ``model_files``.

What serves, is suspended, waits for a verdict or is approved keeps its artifact: a roll-back finds it. Digests stay in
the register.
"""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit import trail
from common import actors
from model_registry.models import ModelFile, ModelVersion
from privacy.retention.own_records import record_periods

KIND = "model_files"
# A draft counts from its registration, a retired version from its retirement.
_ENDED = (ModelVersion.Status.DRAFT, ModelVersion.Status.RETIRED)


def due(period: timedelta) -> Iterator[tuple[str, int | str]]:
    """Return how many artifacts are older than a period."""
    yield "Artifacts of drafts and retired versions deleted the next night, for good", _older(period).count()


def forget_old() -> int:
    """Delete the artifacts that are older than they are kept; return their number. Idempotent."""
    old = list(_older(record_periods.period(KIND)).values_list("pk", flat=True))
    return sum(_forget(pk) for pk in old)


def _older(period: timedelta) -> QuerySet[ModelFile]:
    before = timezone.now() - period
    return ModelFile.objects.filter(
        kind=ModelFile.Kind.ARTIFACT, gone_at=None, version__status__in=_ENDED, version__status_changed_at__lt=before
    )


@transaction.atomic
def _forget(pk: int) -> bool:
    """Delete one artifact, unless its version came into use again."""
    file = ModelFile.objects.select_for_update(of=("self",)).get(pk=pk)
    version = ModelVersion.objects.select_for_update(of=("self",)).select_related("model").get(pk=file.version_id)
    if file.gone_at is not None or version.status not in _ENDED:
        return False
    folder = Path(settings.MODEL_DIR).resolve() / file.path
    if folder.parent == Path(settings.MODEL_DIR).resolve() and folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)
    file.gone_at = timezone.now()
    file.save(update_fields=["gone_at"])
    details = {"kind": file.kind, "sha256": file.sha256}
    trail.record("model.file_deleted", str(version), actor=actors.job("retention"), details=details)
    return True
