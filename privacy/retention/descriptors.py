"""Descriptor of retention schedules, and what a change of one would delete.

No change of a schedule is protective: a shorter one destroys, a longer one keeps what was promised to go.
"""

from collections.abc import Iterator, Sequence

from django.utils import timezone

from oversight.changes.documents import Compared
from oversight.changes.figures import Measured
from oversight.problems import ChangeRefused
from oversight.registers import Register
from privacy.models import RetentionSchedule
from privacy.retention import schedules
from privacy.retention.data_sets import refusals, terms

_NAME = "retention_schedule"
_SAMPLE = 5
Action = RetentionSchedule.Action


def save(schedule: RetentionSchedule, _created: bool) -> None:
    """Write a schedule that can be carried out; one that is switched off may say anything. Raises ChangeRefused."""
    if schedule.is_active and (reason := refusals.why_not(schedule)):
        raise ChangeRefused(reason)
    schedule.save()


RETENTION_SCHEDULE = Register(
    name=_NAME,
    title="Retention schedule",
    model=RetentionSchedule,
    key=("slug",),
    save=save,
)


def rows_due(changes: Sequence[Compared]) -> Iterator[Measured]:
    """Return how many rows each changed schedule would end the next night, and how old they are."""
    said = {change.key: change.after or change.before or {} for change in changes if change.register == _NAME}
    active = {schedule.slug: schedule for schedule in schedules.ending().filter(slug__in=said)}
    for key, document in sorted(said.items()):
        if document.get("action") != Action.KEEP:
            yield from _measured(key, document.get("data_set", "events"), active.get(key))


def _measured(key: str, name: str, schedule: RetentionSchedule | None) -> Iterator[Measured]:
    found, now = (schedules.way_of(schedule), timezone.now()) if schedule else (None, timezone.now())
    extent = terms.extent(schedule, now) if schedule and found else None
    due = found.count(extent) if found and extent else 0
    label = f"Entries of {name} under “{key}” that go the next night, for good"
    yield Measured(f"due/{key}/{name}", label, due, "Counted: rows older than the schedule allows.")
    sample = found.oldest_due(extent, _SAMPLE) if found and extent else []
    days = [f"{moment:%Y-%m-%d}" for moment in sample]
    oldest = f"Oldest of the entries of {name} under “{key}” to go"
    yield Measured(f"due/{key}/{name}/oldest", oldest, days[0] if days else "", "Read: the oldest row.")
    label = f"Days of the first entries of {name} under “{key}” to go"
    method = f"Sample: the {_SAMPLE} oldest rows, by their day alone."
    yield Measured(f"due/{key}/{name}/sample", label, ", ".join(dict.fromkeys(days)), method)
