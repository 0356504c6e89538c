"""People who opted out are served no worse: what a training measures for the gate, in both directions."""

from typing import Any

import pytest

from personalization.models import Item, PopularItem
from personalization.prices.bounds import Bounds
from personalization.training_runs import without_profile

pytestmark = pytest.mark.django_db


@pytest.fixture
def model(shop: Any, trained_model: Any) -> Any:
    return trained_model


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the classes of latency be what a test says: of the general list first, then of the model."""

    def classes(*found: int) -> None:
        waiting = list(found)
        monkeypatch.setattr(without_profile, "_class_of", lambda _answer: waiting.pop(0))

    classes(0, 0)
    return classes


def test_a_full_list_of_the_same_items_as_fast_is_no_worse(model: Any, slow: Any) -> None:
    assert without_profile.compare(model) == (
        True,
        {
            "asked": 10,
            "general_list": 10,
            "only_by_the_model": 0,
            "class": 0,
            "class_of_the_model": 0,
            "priced": 0,
            "off_list": 0,
        },
    )


def test_a_shorter_list_is_worse(model: Any, slow: Any) -> None:
    PopularItem.objects.filter(rank__gt=9).delete()

    assert without_profile.compare(model)[0] is False


def test_an_item_that_only_the_model_offers_is_worse(model: Any, slow: Any) -> None:
    Item.objects.filter(pk=model.items[20].id).update(is_active=False)

    is_passed, figures = without_profile.compare(model)

    assert (is_passed, figures["only_by_the_model"], figures["general_list"]) == (False, 1, 10)


def test_a_price_that_is_not_the_list_price_is_worse(
    model: Any, slow: Any, register_in_force: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shipped, no one who did not agree has another price; under a policy that permits it, the measure says so."""
    Item.objects.filter(pk__in=[item.id for item in model.items[:3]]).update(price="10.00", currency="EUR")

    is_passed, figures = without_profile.compare(model)
    assert (is_passed, figures["priced"], figures["off_list"]) == (True, 3, 0)

    slow(0, 0)
    monkeypatch.setattr("personalization.prices.pricing.bounds_of", lambda _decision: Bounds(20, 0))
    is_passed, figures = without_profile.compare(model)
    assert is_passed is False
    assert figures["off_list"] > 0


@pytest.mark.parametrize(("classes", "is_passed"), [((0, 1), True), ((1, 1), True), ((1, 0), False)])
def test_a_slower_class_is_worse(model: Any, slow: Any, classes: tuple[int, int], is_passed: bool) -> None:
    slow(*classes)

    assert without_profile.compare(model)[0] is is_passed


def test_both_are_asked_as_people_are_served(model: Any) -> None:
    figures = without_profile.compare(model)[1]

    assert {figures["class"], figures["class_of_the_model"]} <= {0, 1, 2}
