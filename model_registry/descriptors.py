"""Descriptors of the models' registers: their entries, and what each version may do.

Status is a life cycle of its own (``services``): suspending takes one officer and waits for nobody.
"""

from typing import Any

from django.utils import timezone

from audit import trail
from common import actors
from common.levels import LEVELS
from model_registry.models import Model, ModelVersion
from oversight.changes.writing import set_in_force
from oversight.problems import ChangeRefused
from oversight.registers import Document, Register

Status = ModelVersion.Status


def permissions_narrow(before: Document | None, after: Document | None) -> bool:
    """Return whether a version may serve fewer purposes, or at a lower level, and nothing more."""
    if before is None or after is None:
        return False
    fewer = set(after["purposes"]) <= set(before["purposes"])
    return fewer and LEVELS[after["max_level"]] <= LEVELS[before["max_level"]]


def _save_permissions(version: Any, created: bool) -> None:
    """Save what a version may do, and send it back to review: what was approved was another version of it."""
    if created:
        raise ChangeRefused("A version of a model is registered by its training, not by a change set.")
    before = version.status
    if before in (Status.APPROVED, Status.SUSPENDED):
        version.status, version.status_changed_at = Status.DRAFT, timezone.now()
        details = {"before": before, "set": set_in_force()}
        trail.record("model.sent_to_review", str(version), actor=actors.job("changes"), details=details)
    version.save(update_fields=["max_level", "status", "status_changed_at"])


MODEL = Register(name="model", title="Model", model=Model, key=("slug",), keeps=True, is_local=True)
MODEL_PERMISSIONS = Register(
    name="model_permissions",
    title="Permissions of model version",
    model=ModelVersion,
    key=("model", "version"),
    omits=("status", "artifact", "artifact_sha256", "metrics", "created_at", "status_changed_at"),
    keeps=True,
    is_local=True,
    narrows=permissions_narrow,
    save=_save_permissions,
)
