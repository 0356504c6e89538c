"""An installation with one officer: said by its operator, read from the audit trail, shown wherever it matters."""

from audit import trail
from audit.models import AuditEvent
from common import actors

ON, OFF = "oversight.single_officer_on", "oversight.single_officer_off"
_OBJECT = "oversight"


def is_single() -> bool:
    """Return whether the operator has said that this installation has one officer."""
    return AuditEvent.objects.filter(action__in=(ON, OFF)).values_list("action", flat=True).first() == ON


def switch(*, on: bool) -> None:
    """Say so, or take it back. For the operator's shell only."""
    if is_single() != on:
        trail.record(ON if on else OFF, _OBJECT, actor=actors.job("shell"))
