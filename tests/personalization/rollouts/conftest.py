"""A live version of the recommender, and an approved one that could take its place."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings

from model_registry import services
from model_registry.models import ModelVersion
from personalization import engine
from personalization.recommender import storage
from personalization.recommender.model import Model
from personalization.rollouts import shadow
from tests.helpers import models

CREATED = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def register(deployed: ModelVersion, trained_model: Model) -> Callable[..., ModelVersion]:
    """Register another version of the same training, approved."""

    def approved(**fields: Any) -> ModelVersion:
        manifest = storage.save(
            trained_model, Path(settings.MODEL_DIR), engine.MODEL_SLUG, uuid4().hex, created=CREATED
        )
        version = services.register_version(
            model=deployed.model,
            purposes=list(deployed.purposes.all()),
            actor="test",
            **{
                "artifact": f"{manifest.name}-{manifest.version}",
                "artifact_sha256": manifest.digest,
                "metrics": {"ndcg_at_10_per_mille": {"individual": 300}},
                **fields,
            },
        )
        return models.take(models.with_evidence(version), "approved")

    return approved


@pytest.fixture
def candidate(register: Callable[..., ModelVersion]) -> ModelVersion:
    return register()


@pytest.fixture
def every_request_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadow, "SAMPLE", 1.0)


@pytest.fixture
def agree(api: Any, remember: Callable[..., Any], shop: Any) -> Callable[[str], str]:
    """Let a person agree, who liked some things."""

    def agreed(person: str) -> str:
        api.save(person, "give")
        remember(person, [item.id for item in shop.items[:8]])
        return person

    return agreed
