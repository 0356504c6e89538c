"""Stores of personal data and retention: where data of a purpose lies, and how old it may become.

The apps that store personal data register a ``Store`` for it (``AppConfig.ready``); this package deletes through it and
knows nothing of what is stored.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.utils import timezone

from privacy.models import RetentionSchedule

BATCH = 1_000


@dataclass(frozen=True)
class Stored:
    """Rows about one person under one purpose, and when the oldest and the newest were received."""

    purpose: str
    rows: int
    oldest: datetime
    newest: datetime


class Store(Protocol):
    """A table of personal data kept under purposes."""

    name: str  # shown to people: "interactions"

    def count(self, *, purpose: str, subject_ref: UUID | None, before: datetime) -> int:
        """Count the rows a disposal would remove."""
        ...

    def stored(self, subject_ref: UUID) -> list["Stored"]:
        """Return what is stored about one person, by purpose."""
        ...

    def delete_batch(self, *, purpose: str, subject_ref: UUID | None, before: datetime, limit: int) -> list[str]:
        """Delete up to ``limit`` rows in key order and return their keys; an empty list when none are left."""
        ...

    def oldest(self, *, purpose: str, before: datetime, limit: int) -> list[datetime]:
        """Return the moments of the oldest rows that a retention run would remove, oldest first."""
        ...


_stores: dict[str, Store] = {}


def add_store(store: Store) -> None:
    _stores[store.name] = store


def stores() -> Iterable[Store]:
    return tuple(_stores.values())


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
    counts = {
        store.name: store.count(purpose=schedule.purpose.slug, subject_ref=None, before=before) for store in stores()
    }
    return Due(schedule, before, counts)
