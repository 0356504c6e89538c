"""Data sets under retention, and how old their data may become.

The apps that store personal data register each table with ``add_store`` (``AppConfig.ready``); this package deletes
through it and knows nothing of what is stored.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from privacy.models import RetentionSchedule
from privacy.retention.tables import Extent, Table

_stores: dict[str, Table] = {}
_more: list[str] = []


def add_store(store: Table) -> None:
    _stores[store.name] = store


def stores() -> Iterable[Table]:
    return tuple(_stores.values())


def add_data_set(name: str) -> None:
    """Register data that a hold may name and that ends by another way than deletion runs."""
    if name not in _more:
        _more.append(name)


def data_sets() -> list[str]:
    """Return what a hold may name: every store, and what was registered besides."""
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
    return [
        _due(schedule, now - schedule.retain_for)
        for schedule in RetentionSchedule.objects.filter(is_active=True).select_related("purpose")
    ]


def _due(schedule: RetentionSchedule, before: datetime) -> Due:
    extent = Extent(before, schedule.purpose.slug)
    return Due(schedule, before, {store.name: store.count(extent) for store in stores()})
