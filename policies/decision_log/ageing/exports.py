"""Files that logs were exported to: held against what was signed or sealed of them, and deleted with age.

Days of the decision log stand in their checkpoints; what OPA servers reported, in the events of the trail that say up
to where it was deleted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from audit import trail
from audit.models import AuditEvent
from common import actors
from policies.decision_log.ageing import days, files
from policies.models import LogCheckpoint
from privacy.retention.own_records import record_periods

REPORTED = "external_decisions.forgotten"


@dataclass(frozen=True)
class Export:
    """A file that was written before its decisions were deleted."""

    name: str
    rows: int
    sha256: str
    made_at: datetime

    def state(self, folder: Path) -> str | None:
        """Return what is wrong with the file, or None."""
        try:
            return None if files.digest(folder / self.name) == self.sha256 else "changed"
        except FileNotFoundError:
            return "gone"


def every() -> Iterator[Export]:
    """Yield every file there should be, or was before its period ended."""
    checkpoints = LogCheckpoint.objects.filter(document__export__file__isnull=False).order_by("number")
    for document in checkpoints.values_list("document", flat=True).iterator(chunk_size=500):
        yield _export(document["export"], datetime.fromisoformat(document["made_at"]))
    events = AuditEvent.objects.filter(action=REPORTED, details__has_key="export").order_by("position")
    for details, moment in events.values_list("details", "occurred_at").iterator(chunk_size=500):
        yield _export(details["export"], moment)


def _export(said: dict[str, str], made_at: datetime) -> Export:
    return Export(said["file"], int(said["rows"]), said["sha256"], made_at)


def due(period: timedelta, *, now: datetime | None = None) -> list[Export]:
    """Return the files older than the period."""
    before = (now or days.earlier_clock()) - period
    return [export for export in every() if export.made_at < before]


def forget_old(*, now: datetime | None = None) -> int:
    """Delete the files that are older than exports are kept; return their number. Idempotent."""
    folder = files.folder()
    if folder is None:
        return 0
    deleted = 0
    for export in due(record_periods.period("log_exports"), now=now):
        path = folder / export.name
        if path.is_file():
            path.unlink()
            details = {"sha256": export.sha256}
            trail.record("decision_log.export_deleted", export.name, actor=actors.job("retention"), details=details)
            deleted += 1
    return deleted
