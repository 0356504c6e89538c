"""Descriptor of retention schedules, and what a change of one would delete.

No change of a schedule is protective: a shorter one destroys, a longer one keeps what was promised to go.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.utils import timezone

from oversight.changes.documents import Compared
from oversight.changes.figures import Measured
from oversight.registers import Register
from privacy.models import RetentionSchedule
from privacy.retention import schedules
from privacy.retention.tables import Extent, Table

_SAMPLE = 5

RETENTION_SCHEDULE = Register(
    name="retention_schedule",
    title="Retention schedule",
    model=RetentionSchedule,
    key=("purpose",),
)


def rows_due(changes: Sequence[Compared]) -> Iterator[Measured]:
    """Return how many rows each changed schedule would delete the next night, by store."""
    keys = sorted(change.key for change in changes if change.register == RETENTION_SCHEDULE.name)
    if not keys:
        return
    active = RetentionSchedule.objects.filter(purpose__slug__in=keys, is_active=True)
    periods = dict(active.values_list("purpose__slug", "retain_for"))
    now = timezone.now()
    for key in keys:
        for store in schedules.stores():
            due = store.count(Extent(now - periods[key], key)) if key in periods else 0
            label = f"Entries of {store.name} under “{key}” deleted the next night, for good"
            yield Measured(f"due/{key}/{store.name}", label, due, "Counted: rows older than the schedule allows.")
            yield from _dated(key, store, now - periods[key] if key in periods else None)


def _dated(key: str, store: Table, before: datetime | None) -> Iterator[Measured]:
    """Return how old the rows are that would be deleted: the oldest of them, and a few more by their days."""
    sample = store.oldest_due(Extent(before, key), _SAMPLE) if before else []
    days = [f"{moment:%Y-%m-%d}" for moment in sample]
    oldest = f"Oldest of the entries of {store.name} under “{key}” to be deleted"
    yield Measured(f"due/{key}/{store.name}/oldest", oldest, days[0] if days else "", "Read: the oldest row.")
    label = f"Days of the first entries of {store.name} under “{key}” to be deleted"
    method = f"Sample: the {_SAMPLE} oldest rows, by their day alone."
    yield Measured(f"due/{key}/{store.name}/sample", label, ", ".join(dict.fromkeys(days)), method)
