"""A model of six hundred people in the registers, with their events, ready to be audited."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from consent.ledger import ledger
from consent.models import DataSubject, Purpose
from model_registry import services
from model_registry.models import GateDemand, ModelVersion
from oversight import guard
from personalization import engine
from personalization.audits.suite import AUDITS
from personalization.models import Event, Item, RegressionCase, TrainingMember
from personalization.recommender import storage
from personalization.recommender.model import Model
from tests.helpers import audited

PEOPLE = 600
Register = Callable[[Model], ModelVersion]


def ref_of(person: int) -> UUID:
    return UUID(int=(person + 1) << 64)


@lru_cache(maxsize=1)
def world() -> audited.World:
    return audited.world(PEOPLE, each=5)


@lru_cache(maxsize=1)
def sound() -> Model:
    return world().model()


@pytest.fixture
def people(register_in_force: None) -> None:
    """The people of the world and their events of the last 150 days, as an intake left them."""
    shop, now = world(), timezone.now()
    Item.objects.bulk_create(Item(slug=i.id, title=i.title, categories=list(i.categories)) for i in shop.items)
    DataSubject.objects.bulk_create(
        DataSubject(ref=ref_of(person), region=shop.attributes["region"][person], age_band=_band(person))
        for person in range(PEOPLE)
    )
    add_events(range(PEOPLE), shop, now)


def _band(person: int) -> str:
    return "adult" if world().attributes["age_band"][person] == "adult" else "minor"


def add_events(people: range, shop: audited.World, now: datetime) -> None:
    rows = shop.interactions
    Event.objects.bulk_create(
        Event(
            id=uuid4(),
            subject_ref=ref_of(int(person)),
            purpose="recommendations",
            kind="like",
            item_id=rows.item[row],
            weight=2.0,
            occurred_at=now - timedelta(days=151) + timedelta(seconds=float(rows.time[row])),
        )
        for row, person in enumerate(rows.person)
        if int(person) in people
    )


def allow(person: int) -> None:
    """Let a person say yes to recommendations."""
    ledger.save_choices(
        ledger.Request(
            subject_ref=ref_of(person),
            choices=[ledger.Choice(purpose="recommendations", choice="give")],
            source="api",
            actor="test",
            region="DE",
            age_band="adult",
        )
    )


@pytest.fixture
def register(people: None) -> Register:
    """Register a model as a training of all the people leaves it. No audit is demanded of it."""
    GateDemand.objects.filter(gate__in=[audit.gate for audit in AUDITS.values()]).update(is_active=False)

    def add(model: Model) -> ModelVersion:
        manifest = storage.save(model, Path(settings.MODEL_DIR), engine.MODEL_SLUG, uuid4().hex, created=_CREATED)
        entry = services.register_model(engine.MODEL_SLUG, name="House recommender", description="")
        version = services.register_version(
            model=entry,
            purposes=list(Purpose.objects.filter(slug="recommendations")),
            actor="job:training",
            artifact=f"{manifest.name}-{manifest.version}",
            artifact_sha256=manifest.digest,
        )
        TrainingMember.objects.bulk_create(
            TrainingMember(version=version, subject_ref=ref_of(person)) for person in range(PEOPLE)
        )
        return version

    return add


@pytest.fixture
def version(register: Register) -> ModelVersion:
    return register(sound())


@pytest.fixture
def demanded() -> Callable[..., None]:
    """Demand the gates of some audits, or of all."""

    def demand(*names: str, **changes: object) -> None:
        gates = [AUDITS[name].gate for name in names or AUDITS]
        GateDemand.objects.filter(gate__in=gates).update(is_active=True, **changes)

    return demand


@pytest.fixture
def recorded_case(version: ModelVersion) -> None:
    """A case that the sound model answers as recorded."""
    with transaction.atomic(), guard.writing("test"):
        RegressionCase.objects.create(
            slug="one-topic", model=version.model, history=["DE-00", "DE-01"], expected=["DE-02"], forbidden=["US-00"]
        )


_CREATED = datetime(2026, 3, 1, tzinfo=UTC)
