"""Draft the steps of a version that take two officers."""

from datetime import date
from typing import Any

from model_registry.models import ModelVersion
from oversight.admin.forms import draft_of
from oversight.changes.documents import Proposed
from oversight.models import ChangeSet

REGISTER = "model_status"


def draft_status(version: ModelVersion, status: str, *, until: date, actor: str) -> ChangeSet:
    """Draft a change set that moves a version to ``status``, approved until a day. Raises as a change set's draft."""
    after: dict[str, Any] = {
        "model": version.model.slug,
        "version": version.version,
        "status": status,
        "approved_until": until.isoformat(),
    }
    label = ModelVersion.Status(status).label.lower()
    proposed = [Proposed(REGISTER, f"{version.model.slug}/{version.version}", after)]
    return draft_of(proposed, title=f"Model {version}: {label}", actor=actor)
