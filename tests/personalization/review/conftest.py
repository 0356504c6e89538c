"""A person whose recommendations a rule marks for review, and reviewers."""

from collections.abc import Callable
from typing import Any

import pytest

from common.actors import Officer
from model_registry.reviews.models import Output, Review
from model_registry.reviews.verdicts import giving
from tests.helpers import reviews
from tests.helpers.registers import make_officer
from tests.personalization.conftest import (  # noqa: F401 (fixtures)
    ask,
    deployed,
    draft,
    own_breaker,
    remember,
    shop,
)

PERSON = "customer-1"


@pytest.fixture
def liked(api: Any, deployed: Any, remember: Any, shop: Any) -> None:  # noqa: F811
    api.save(PERSON, "give")
    remember(PERSON, [item.id for item in shop.items[:8]])


@pytest.fixture
def marked(liked: None) -> None:
    reviews.rule("all", purpose="recommendations")


@pytest.fixture
def marked_for_two(liked: None) -> None:
    reviews.rule("all", purpose="recommendations", four_eyes=True)


@pytest.fixture
def anna() -> Officer:
    return make_officer("anna")


@pytest.fixture
def ben() -> Officer:
    return make_officer("ben")


@pytest.fixture
def waiting(ask: Callable[..., dict[str, Any]]) -> Callable[..., Review]:  # noqa: F811
    """Ask for recommendations, which wait, and return their review."""

    def held(person: str = PERSON) -> Review:
        assert ask(person)["fallback"] == "awaiting_review"
        return Review.objects.filter(state="waiting").latest("opened_at")

    return held


def judge(review: Review, kind: str, actor: Officer, **more: Any) -> Review:
    return giving.give(review.pk, kind, seen=review.digest, actor=actor, **{"reason": "Looked at.", **more})


def slugs(answer: dict[str, Any]) -> list[str]:
    return [item["item"] for item in answer["items"]]


def first_half(content: Any) -> dict[str, Any]:
    """The list a reviewer shortened."""
    return {**content, "items": content["items"][:5]}


def output_of(review: Review) -> Output:
    return Output.objects.select_related("review").get(pk=review.pk)
