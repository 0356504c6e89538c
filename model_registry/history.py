"""Which versions served on a day, from the audit trail: the register only knows what serves now."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from audit.models import AuditEvent
from model_registry.models import Model, ModelVersion

Status = ModelVersion.Status
# Steps that end what was before; a change of what a version may do sends it back to review.
_STEPS = {f"model.{status}": str(status) for status in Status.values} | {"model.sent_to_review": Status.IN_REVIEW.value}
_SERVING = ("canary", "live")


@dataclass(frozen=True)
class Served:
    """A time in which a version could serve: as what, from when and until when, and by whom it was brought into use."""

    version: str
    status: str
    begin: datetime
    end: datetime | None
    by: str


def on_day(model: Model, day: date) -> list[Served]:
    """Return what served on a day (UTC), in the order in which it began."""
    start = datetime.combine(day, time(), UTC)
    over = start + timedelta(days=1)
    found = [each for each in _times(model) if each.begin < over and (each.end is None or each.end > start)]
    return sorted(found, key=lambda each: (each.begin, each.version))


def _times(model: Model) -> Iterator[Served]:
    """Yield the times in which versions of a model served, version by version."""
    known = {str(version): version for version in model.versions.select_related("model")}
    named = re.escape(model.slug)
    events = AuditEvent.objects.filter(action__in=_STEPS, object__regex=rf"^{named}@[0-9]+$").order_by("position")
    steps: dict[str, list[AuditEvent]] = {name: [] for name in known}
    for event in events:
        steps.setdefault(event.object, []).append(event)
    for name, of_version in steps.items():
        yield from _of_version(name, of_version)
        version = known.get(name)
        if version is not None and version.is_live and not any(each.action == "model.live" for each in of_version):
            # Brought into use by an upgrade from a release that had no such step.
            yield Served(name, Status.LIVE, version.status_changed_at, None, "upgrade")


def _of_version(name: str, events: list[AuditEvent]) -> Iterator[Served]:
    for number, event in enumerate(events):
        status = _STEPS[event.action]
        if status in _SERVING:
            after = events[number + 1].occurred_at if number + 1 < len(events) else None
            yield Served(name, status, event.occurred_at, after, event.actor)
