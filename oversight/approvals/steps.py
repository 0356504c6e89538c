"""Record a step of a subject: its row and its audit event together."""

from collections.abc import Mapping
from typing import Any

from audit import trail
from common import actors
from oversight.approvals.subjects import Subject
from oversight.models import Step


def record(
    subject: Subject,
    kind: str,
    *,
    actor: str,
    note: str = "",
    action: str = "",
    details: Mapping[str, Any] | None = None,
    is_alone: bool = False,
) -> None:
    """Write a step's row and its audit event, ``KIND OF SUBJECT.STEP`` where ``action`` does not say otherwise."""
    Step.objects.create(
        subject=subject.kind,
        object=subject.key,
        kind=kind,
        actor=str(actor)[:160],
        account=actors.account_of(actor),
        is_alone=is_alone,
        note=note[:500],
    )
    said = {"digest": subject.digest, **({"reason": note[:500]} if note else {}), **(details or {})}
    trail.record(action or f"{subject.kind}.{kind}", subject.trail_object or subject.key, actor=actor, details=said)


def last(subject: Subject, *kinds: str) -> Step | None:
    """Return the newest step of a subject, of one of these kinds where any are named."""
    found = Step.objects.filter(subject=subject.kind, object=subject.key)
    return (found.filter(kind__in=kinds) if kinds else found).last()
