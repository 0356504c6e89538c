"""The catalogue: items added, changed, and switched on and off."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from personalization.models import Item

_TEXTS = ("title", "categories")


@dataclass(frozen=True)
class Entry:
    """Item as a service states it; None keeps what was stated before, by an officer perhaps."""

    item: Item
    offered: bool | None = None
    creator: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        stated = {"is_active": self.offered, "creator": self.creator}
        return (*_TEXTS, *(name for name, value in stated.items() if value is not None))

    def stated(self) -> Item:
        """Return the item with what is stated of it."""
        if self.offered is not None:
            self.item.is_active = self.offered
        self.item.creator = self.creator or ""
        return self.item


@transaction.atomic
def put(entries: Iterable[Entry]) -> None:
    """Store items, each with what is stated of it; no more than four statements."""
    by_columns: dict[tuple[str, ...], list[Item]] = {}
    for entry in entries:
        by_columns.setdefault(entry.columns, []).append(entry.stated())
    for columns, items in by_columns.items():
        Item.objects.bulk_create(items, update_conflicts=True, unique_fields=["slug"], update_fields=columns)
