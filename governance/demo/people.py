"""Fill the instance with people and their choices, and with the events of those who agreed; no others are stored."""

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid5

from django.conf import settings
from django.utils import timezone

from consent import residence
from consent.ledger import ledger
from consent.pseudonyms import subject_ref
from governance.demo.datasets import Dataset, demo_shop, restaurants
from governance.demo.shop_rules import rules
from personalization.models import Event, Item
from policies.decisions import evaluate
from policies.decisions.questions import Question
from policies.models import Region

_NAMESPACE = UUID("6d0e7c34-6f0f-5d0b-9a4e-3f3f1c1b8a10")
_BATCH = 2_000
# What share of the people said yes or no to recommendations; the rest was never asked.
_YES, _NO = 0.80, 0.12


def load_dataset(folder: Path | None) -> Dataset:
    return restaurants(folder) if folder else demo_shop(until=timezone.now().timestamp())


def seed(dataset: Dataset, *, name: str, left_out: int) -> dict[str, int]:
    """Store items, choices and events; return counts. ``left_out`` is the person the story is about.

    Safe to run again: people who have chosen keep their choice, events keep their ids.
    """
    _put_items(dataset, is_shop=name == "shop")
    chance = random.Random(name)  # noqa: S311 (who says yes in a demonstration)
    drawn = {person: _choice(chance.random()) for person in dataset.people if person != left_out}
    choices = {person: choice for person, choice in drawn.items() if _belongs_here(dataset.attributes[person])}
    refs = {person: subject_ref(f"{name}-{person}") for person in choices}
    asked = [person for person, choice in choices.items() if choice]
    for person in asked:
        _choose(refs[person], choices[person], dataset.attributes[person], name, person)
    permitted = {person for person in asked if _may_collect(refs[person])}
    stored = _store_events(dataset, {person: refs[person] for person in permitted})
    return {"people": len(asked), "consenting": len(permitted), "events": stored, "items": len(dataset.items)}


def _belongs_here(attributes: object) -> bool:
    """Return whether this installation may hold the person: another cell holds people of other regions."""
    guard = residence.guard()
    return guard is None or guard(region_of(dict(attributes)), False) is None  # type: ignore[call-overload]


def business_id(name: str, person: int) -> str:
    return f"{name}-{person}"


def _put_items(dataset: Dataset, *, is_shop: bool) -> None:
    Item.objects.exclude(pk__in=[item.id for item in dataset.items]).update(is_active=False)
    said = [rules.stated(item, place) if is_shop else {} for place, item in enumerate(dataset.items)]
    Item.objects.bulk_create(
        [
            Item(slug=i.id, title=i.title, categories=list(i.categories), is_active=True, **own)
            for i, own in zip(dataset.items, said, strict=True)
        ],
        update_conflicts=True,
        unique_fields=["slug"],
        update_fields=["title", "categories", "is_active", *(said[0] if said else ())],
    )


def _choice(number: float) -> str:
    if number < _YES:
        return "give"
    return "refuse" if number < _YES + _NO else ""


def region_of(attributes: dict[str, str]) -> str:
    """Return the person's region; the restaurant data is from Mexico."""
    region = attributes.get("region", "MX")
    return region if Region.objects.filter(code=region).exists() else "DE"


def _choose(ref: UUID, choice: str, attributes: object, name: str, person: int) -> None:
    known = dict(attributes)  # type: ignore[call-overload]  # a read-only mapping
    ledger.save_choices(
        ledger.Request(
            subject_ref=ref,
            choices=[ledger.Choice(purpose="recommendations", choice=choice)],
            source="banner",
            actor="service:demo-shop",
            region=region_of(known),
            age_band="minor" if known.get("age") == "minor" else "adult",
            idempotency_key=f"seed-{name}-{person}",
        )
    )


def _may_collect(ref: UUID) -> bool:
    question = Question(
        subject_ref=ref,
        action="collect",
        purpose="recommendations",
        data_categories=("ratings", "views", "purchases"),
        processing_region=settings.PROCESSING_REGION,
    )
    return evaluate.decide(question, caller="service:demo-shop").permitted


def _store_events(dataset: Dataset, refs: dict[int, UUID]) -> int:
    before = Event.objects.count()
    # The times of some data sets are counted from now, so a second seeding is known by the identifiers alone.
    known = set(Event.objects.filter(subject_ref__in=refs.values()).values_list("id", flat=True))
    rows = [row for row in _rows(dataset, refs) if row.id not in known]
    for start in range(0, len(rows), _BATCH):
        Event.objects.bulk_create(rows[start : start + _BATCH], ignore_conflicts=True)
    return Event.objects.count() - before


def _rows(dataset: Dataset, refs: dict[int, UUID]) -> Iterator[Event]:
    numbers: dict[int, int] = defaultdict(int)
    now = timezone.now()
    kinds = {1.0: Event.Kind.VIEW, 2.0: Event.Kind.LIKE, 3.0: Event.Kind.PURCHASE}
    data = dataset.interactions
    for person, item, weight, moment in zip(data.person, data.item, data.weight, data.time, strict=True):
        if person not in refs:
            continue
        numbers[int(person)] += 1
        yield Event(
            id=uuid5(_NAMESPACE, f"{refs[int(person)]}-{numbers[int(person)]}"),
            subject_ref=refs[int(person)],
            purpose="recommendations",
            kind=kinds.get(float(weight), Event.Kind.LIKE),
            item_id=item,
            weight=float(weight),
            occurred_at=_moment(moment, now),
            received_at=now,
        )


def _moment(seconds: float, now: datetime) -> datetime:
    """Return an event's time. Data sets without times count lines; spread those over the last weeks, in their order."""
    if seconds < 1_000_000:
        return now - timedelta(days=30) + timedelta(seconds=seconds)
    return datetime.fromtimestamp(seconds, tz=UTC)
