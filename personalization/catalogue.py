"""The catalogue: items added, changed, and switched on and off."""

from collections.abc import Mapping

from django.db import transaction

from personalization.models import Item

_TEXTS = ["title", "categories"]


@transaction.atomic
def put(items: Mapping[Item, bool | None]) -> None:
    """Store ``items``, each with whether it is offered; None keeps what was stated, by an officer perhaps."""
    stated = [item for item, offered in items.items() if offered is not None]
    for item in stated:
        item.is_active = bool(items[item])
    _store(stated, [*_TEXTS, "is_active"])
    _store([item for item, offered in items.items() if offered is None], _TEXTS)


def _store(items: list[Item], columns: list[str]) -> None:
    Item.objects.bulk_create(items, update_conflicts=True, unique_fields=["slug"], update_fields=columns)
