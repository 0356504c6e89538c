"""Data of people under purposes, for what retention and withdrawal remove."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from consent.ledger import ledger
from consent.pseudonyms import subject_ref
from personalization.models import Event, Item


def ref_of(person: str | UUID) -> UUID:
    return person if isinstance(person, UUID) else subject_ref(person)


@pytest.fixture
def choose(register_in_force: None) -> Callable[..., UUID]:
    """Save a choice for recommendations and return the record's id."""

    def save(person: str, choice: str, purpose: str = "recommendations", **described: Any) -> UUID:
        saved = ledger.save_choices(
            ledger.Request(
                subject_ref=subject_ref(person),
                choices=[ledger.Choice(purpose=purpose, choice=choice)],
                source="api",
                **{"actor": "service:shop", "region": "DE", "age_band": "adult", **described},
            )
        )
        return UUID(saved.records[0]["id"])

    return save


@pytest.fixture
def remember(register_in_force: None) -> Callable[..., list[str]]:
    """Store events of a person, received ``days`` ago; return their keys."""

    def store(person: str, count: int, *, days: float = 0, purpose: str = "recommendations") -> list[str]:
        Item.objects.get_or_create(slug="kettle", defaults={"title": "Kettle"})
        received: datetime = timezone.now() - timedelta(days=days)
        events = Event.objects.bulk_create(
            Event(
                id=uuid4(),
                subject_ref=ref_of(person),
                purpose=purpose,
                kind="view",
                item_id="kettle",
                weight=1.0,
                occurred_at=received,
                received_at=received,
            )
            for _ in range(count)
        )
        return [str(event.pk) for event in events]

    return store
