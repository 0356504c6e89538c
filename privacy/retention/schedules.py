"""Data sets under retention, what can be done with each, and how old their data may become.

The apps that store personal data register each table with ``add_store`` (``AppConfig.ready``); this package deletes
through it and knows nothing of what is stored.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from privacy.models import RetentionSchedule
from privacy.retention.data_sets import terms
from privacy.retention.tables import Table

Trigger, Action = RetentionSchedule.Trigger, RetentionSchedule.Action
Way = tuple[str, str]  # a trigger and an action
_more: list[str] = []


@dataclass(frozen=True)
class DataSet:
    """A table, what can be done with it, and why the rest cannot; ``kinds`` are rows that a law can name."""

    table: Table
    ways: Mapping[Way, Table]
    refusals: Mapping[str, str] = field(default_factory=dict)  # by action or trigger
    kinds: tuple[str, ...] = ()


_stores: dict[str, DataSet] = {}


def add_store(
    store: Table,
    *,
    ways: Mapping[Way, Table] | None = None,
    refusals: Mapping[str, str] | None = None,
    kinds: Iterable[str] = (),
) -> None:
    """Register a table. Without ``ways`` it is deleted from by age."""
    possible: Mapping[Way, Table] = {(Trigger.RECEIVED, Action.DELETE): store} if ways is None else ways
    _stores[store.name] = DataSet(store, possible, refusals or {}, tuple(kinds))


def stores() -> Iterable[Table]:
    """Return the tables whose rows stand under a purpose: what a withdrawal deletes."""
    return tuple(each.table for each in _stores.values() if each.table.purpose)


def data_sets() -> Mapping[str, DataSet]:
    """Return every data set by its name."""
    return dict(_stores)


def find(name: str) -> DataSet | None:
    return _stores.get(name)


def way(data_set: str, trigger: str, action: str) -> Table | None:
    """Return what carries a trigger and an action out on a data set; None where it cannot."""
    found = find(data_set)
    return None if found is None else found.ways.get((trigger, action))


def way_of(schedule: RetentionSchedule) -> Table | None:
    return way(schedule.data_set, schedule.trigger, schedule.action)


def ending() -> QuerySet[RetentionSchedule]:
    """Return the schedules in use that end the keeping of data: all but legal minimums."""
    return RetentionSchedule.objects.filter(is_active=True).exclude(action=Action.KEEP).select_related("purpose")


def add_data_set(name: str) -> None:
    """Register data that a hold may name and that ends by another way than deletion runs."""
    if name not in _more:
        _more.append(name)


def names_for_holds() -> list[str]:
    """Return what a hold may name: every data set, and what was registered besides."""
    return [*_stores, *_more]


@dataclass(frozen=True)
class Due:
    """Rows that a retention run would remove for one schedule."""

    schedule: RetentionSchedule
    before: datetime
    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def due(*, now: datetime | None = None) -> list[Due]:
    """Count, per active schedule, the rows older than it allows. Reads only: this is the dry run."""
    now = now or timezone.now()
    return [due_of(schedule, now) for schedule in ending()]


def due_of(schedule: RetentionSchedule, now: datetime) -> Due:
    """Count what one schedule would remove; nothing where its data set is gone or cannot do it."""
    found, before = way_of(schedule), terms.before_of(schedule, now)
    counts = {found.name: found.count(terms.extent(schedule, now))} if found is not None else {}
    return Due(schedule, before, counts)
