"""Change the register of models. A change of status is a new bundle revision, in force at the next decision."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from audit import trail
from common import policy_data
from common.http.problems import Conflict, Problem
from consent.models import Purpose
from model_registry.models import Model, ModelVersion
from oversight import guard


class StatusNotPossible(Conflict):
    code = "status_not_possible"
    title = "The model cannot take this status"


class NoPurpose(Problem):
    status = HTTPStatus.CONFLICT
    code = "model_without_purpose"
    title = "A model needs a purpose before it can be approved"


@transaction.atomic
def register_model(slug: str, *, name: str, description: str) -> Model:
    """Return the entry of a model that is trained here, made where there is none."""
    with guard.writing("training"):
        return Model.objects.get_or_create(slug=slug, defaults={"name": name, "description": description})[0]


@transaction.atomic
def register_version(
    *,
    model: Model,
    purposes: Sequence[Purpose],
    actor: str,
    max_level: str = "individual",
    artifact: str = "",
    artifact_sha256: str = "",
    metrics: dict[str, Any] | None = None,
) -> ModelVersion:
    """Add the next version of ``model`` as a draft. Drafts are never served."""
    Model.objects.select_for_update().get(pk=model.pk)
    last = model.versions.aggregate(last=Max("version"))["last"] or 0
    with guard.writing("training"):
        version = ModelVersion.objects.create(
            model=model,
            version=last + 1,
            max_level=max_level,
            artifact=artifact,
            artifact_sha256=artifact_sha256,
            metrics=metrics or {},
        )
        version.purposes.set(purposes)
    trail.record(
        "model.registered",
        str(version),
        actor=actor,
        details={"purposes": sorted(p.slug for p in purposes), "artifact_sha256": artifact_sha256},
    )
    return version


@transaction.atomic
def change_status(*, version_id: int, status: str, actor: str) -> ModelVersion:
    """Move a version to ``status`` and publish the bundle that says so, in one transaction.

    Raises StatusNotPossible for a step the life cycle does not have, NoPurpose for an approval without purposes.
    """
    policy_data.take_turn()
    version = ModelVersion.objects.select_for_update(of=("self",)).select_related("model").get(pk=version_id)
    if not version.may_become(status):
        raise StatusNotPossible(f"A model that is {version.status} cannot become {status}.")
    if status == ModelVersion.Status.APPROVED and not version.purposes.exists():
        raise NoPurpose("Name at least one purpose this version may serve.")
    before, version.status = version.status, status
    version.status_changed_at = timezone.now()
    version.save(update_fields=["status", "status_changed_at"])
    trail.record(f"model.{status}", str(version), actor=actor, details={"before": before})
    policy_data.changed(reason=f"model {version} {status}", actor=actor)
    return version


def live_version(slug: str) -> ModelVersion | None:
    """Return the newest approved version of a model."""
    return (
        ModelVersion.objects.filter(model__slug=slug, status=ModelVersion.Status.APPROVED)
        .select_related("model")
        .order_by("-version")
        .first()
    )
