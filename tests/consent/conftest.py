"""Saving choices without HTTP, under a clock the test owns."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from consent.ledger import ledger
from consent.pseudonyms import subject_ref


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timezone, "now", clock)
    return clock


@pytest.fixture
def choose(register_in_force: None) -> Callable[..., ledger.Saved]:
    """Save one choice of a person; more keywords go into the choice, ``key`` is the idempotency key."""

    def save(person: str, choice: str, purpose: str = "recommendations", **more: Any) -> ledger.Saved:
        key = more.pop("key", None)
        return ledger.save_choices(
            ledger.Request(
                subject_ref=subject_ref(person),
                choices=[ledger.Choice(purpose=purpose, choice=choice, **more)],
                source="api",
                actor="service:shop",
                region="DE",
                age_band="adult",
                idempotency_key=key,
            )
        )

    return save
