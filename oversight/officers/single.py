"""An installation with one officer: said by its operator, read from the audit trail, shown wherever it matters."""

from pathlib import Path
from typing import Any

from audit import trail
from audit.models import AuditEvent
from common import actors

ON, OFF = "oversight.single_officer_on", "oversight.single_officer_off"
PREFIX = "single-officer-"  # of the names of files that officers and the operator take out
SENTENCE = "Single officer: no second person approves what is changed in this installation."
_OBJECT = "oversight"


def is_single() -> bool:
    """Return whether the operator has said that this installation has one officer."""
    return AuditEvent.objects.filter(action__in=(ON, OFF)).values_list("action", flat=True).first() == ON


def marked(path: Path) -> Path:
    """Return where a file is exported to: under a name that says so, where the installation has one officer."""
    return path.with_name(PREFIX + path.name) if is_single() else path


def member() -> dict[str, Any]:
    """Return what a signed export says in its head, where the installation has one officer."""
    return {"single_officer": True} if is_single() else {}


def switch(*, on: bool) -> None:
    """Say so, or take it back. For the operator's shell only."""
    if is_single() != on:
        trail.record(ON if on else OFF, _OBJECT, actor=actors.job("shell"))
