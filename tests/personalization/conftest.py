"""A shop with a catalogue, a recommender that is approved and in force, and people who use it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.utils import timezone

from common.waiting.breaker import CircuitBreaker
from consent.ledger import ledger
from consent.models import Purpose
from consent.pseudonyms import subject_ref
from governance.demo.datasets import Dataset, demo_shop
from model_registry import services
from model_registry.models import Model as RegisteredModel
from model_registry.models import ModelVersion
from personalization import engine, training
from personalization.models import Event, Item, PopularItem
from personalization.recommender import storage
from personalization.recommender.model import Model
from personalization.recommender.training import train
from policies import engines
from tests.helpers import models, recent
from tests.policies.conftest import opa_engine, opa_url  # noqa: F401 (fixtures)

SHOP = demo_shop(people=120)
CREATED = datetime(2026, 3, 1, tzinfo=UTC)


@lru_cache(maxsize=1)
def _trained() -> Model:
    return train(SHOP.interactions, SHOP.items, SHOP.segments("region", "age"))


@pytest.fixture
def shop(register_in_force: None) -> Dataset:
    """The catalogue of the invented shop, and a list of popular items."""
    Item.objects.bulk_create(Item(slug=i.id, title=i.title, categories=list(i.categories)) for i in SHOP.items)
    PopularItem.objects.bulk_create(
        PopularItem(rank=rank, item_id=item.id, people=100 - rank) for rank, item in enumerate(SHOP.items[:20], start=1)
    )
    return SHOP


@pytest.fixture
def own_breaker(monkeypatch: pytest.MonkeyPatch) -> CircuitBreaker:
    breaker = CircuitBreaker()
    monkeypatch.setattr(engine, "_breaker", lambda _name: breaker)
    return breaker


@pytest.fixture
def model_purposes() -> list[str]:
    """Purposes that the version is registered for."""
    return ["recommendations"]


@pytest.fixture
def draft(shop: Dataset, own_breaker: CircuitBreaker, model_purposes: list[str]) -> ModelVersion:
    """A trained version whose artifact lies where it should; nobody has approved it."""
    manifest = storage.save(_trained(), Path(settings.MODEL_DIR), engine.MODEL_SLUG, uuid4().hex, created=CREATED)
    model = RegisteredModel.objects.create(slug=engine.MODEL_SLUG, name="House recommender")
    return services.register_version(
        model=model,
        purposes=list(Purpose.objects.filter(slug__in=model_purposes)),
        actor="test",
        artifact=f"{manifest.name}-{manifest.version}",
        artifact_sha256=manifest.digest,
    )


@pytest.fixture
def deployed(draft: ModelVersion) -> ModelVersion:
    return models.go_live(draft)


@pytest.fixture
def trained_model() -> Model:
    """The very model that ``deployed`` serves, to compare answers with."""
    return _trained()


@pytest.fixture
def event_body(shop: Dataset) -> Callable[..., dict[str, Any]]:
    """A valid event; ``changes`` replace top-level members."""

    def body(person: str = "customer-1", **changes: Any) -> dict[str, Any]:
        return {
            "event_id": "e-1",
            "subject": {"id": person},
            "type": "view",
            "item": shop.items[0].id,
            "occurred_at": recent.AT.isoformat(),
            **changes,
        }

    return body


@pytest.fixture
def remember() -> Callable[..., list[Event]]:
    """Store events of a person as intake would have: the last item is the newest."""

    def store(person: str | UUID, items: list[str], **fields: Any) -> list[Event]:
        ref = person if isinstance(person, UUID) else subject_ref(person)
        newest = fields.pop("newest", timezone.now() - timedelta(days=1))
        return Event.objects.bulk_create(
            Event(
                id=uuid4(),
                subject_ref=ref,
                item_id=item,
                occurred_at=newest - timedelta(minutes=len(items) - number),
                **{"purpose": "recommendations", "kind": "like", "weight": 2.0, "received_at": newest, **fields},
            )
            for number, item in enumerate(items)
        )

    return store


@pytest.fixture
def people(shop: Dataset, remember: Callable[..., list[Event]]) -> Callable[..., None]:
    """Let so many people of a region, each named PREFIX-N, choose and like the first items of the shop."""

    def register(
        prefix: str, count: int, *, choice: str = "give", region: str = "DE", age_band: str = "adult", items: int = 6
    ) -> None:
        for number in range(count):
            ref = subject_ref(f"{prefix}-{number}")
            ledger.save_choices(
                ledger.Request(
                    subject_ref=ref,
                    choices=[ledger.Choice(purpose="recommendations", choice=choice)],
                    source="api",
                    actor="test",
                    region=region,
                    age_band=age_band,
                )
            )
            start = number % 10
            remember(ref, [item.id for item in shop.items[start : start + items]])

    return register


@pytest.fixture
def rate(shop: Dataset, remember: Callable[..., list[Event]]) -> Callable[[str, int], None]:
    """Let so many people, each named PREFIX-N, rate an item before all they chose, and two after it: 4, 5 and 2."""

    def say(prefix: str, count: int) -> None:
        for number in range(count):
            for place, (value, ago) in enumerate([(4, timedelta(days=2)), (5, timedelta(0)), (2, timedelta(0))]):
                said = {"kind": "rating", "value": value, "weight": float(value) if value > 2 else 0.0}
                item = shop.items[20 + (number + place) % 10]
                remember(f"{prefix}-{number}", [item.id], newest=timezone.now() - ago, **said)

    return say


@pytest.fixture
def trained(people: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelVersion:
    """A draft that the training job made of 25 people, with its files in a folder of the test."""
    monkeypatch.setattr(settings, "ASSENT_HOME", tmp_path)
    people("yes", 25)
    version = training.train_recommender(actor="officer:test")
    assert version is not None
    return version


@pytest.fixture
def ask(api: Any) -> Callable[..., dict[str, Any]]:
    """Ask for recommendations and return the answer's document."""

    def recommend(person: str = "customer-1", **members: Any) -> dict[str, Any]:
        answer = api.post("/api/v1/recommendations", {"subject": {"id": person}, **members})
        assert answer.status_code == 200, answer.content
        return answer.json()

    return recommend


@pytest.fixture(params=["embedded", "opa"])
def either_engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each of the two engines decide."""
    if request.param == "opa":
        opa = request.getfixturevalue("opa_engine")
        monkeypatch.setattr(engines, "for_revision", lambda *_: opa)
