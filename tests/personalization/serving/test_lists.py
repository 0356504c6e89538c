"""Lists held in the process: made once, and anew for any change of what they are made of."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from consent.models import DataSubject
from consent.pseudonyms import subject_ref
from governance.demo.datasets import Dataset
from personalization import engine
from personalization.models import Event, Item, OnlineFeatures
from personalization.recommender.model import Model
from personalization.serving import lists
from tests.helpers import display_rules

pytestmark = pytest.mark.django_db
Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def reader(api: Any, deployed: Any, remember: Any, shop: Dataset) -> None:
    assert api.save("customer-1", "give").status_code == 201
    remember("customer-1", [item.id for item in shop.items[:6]])


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The levels that the engine was asked for."""
    levels, recommend = [], Model.recommend

    def noting(self: Model, level: Any, **more: Any) -> Any:
        levels.append(str(level))
        return recommend(self, level, **more)

    monkeypatch.setattr(Model, "recommend", noting)
    return levels


def without_decision(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "decision_id"}


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("level", ["behavioral", "individual"])
def test_the_same_list_is_made_once_and_decided_each_time(ask: Ask, made: list[str], level: str) -> None:
    first, second = ask(requested_level=level), ask(requested_level=level)

    assert made == [level]
    assert without_decision(first) == without_decision(second)
    assert first["decision_id"] != second["decision_id"]
    lists.LISTS.clear()
    assert without_decision(ask(requested_level=level)) == without_decision(first)


CHANGES: dict[str, Callable[[Any, Dataset], Any]] = {
    "an event": lambda remember, shop: remember("customer-1", [shop.items[9].id], newest=timezone.now()),
    "an event that goes": lambda remember, shop: Event.objects.filter(item_id=shop.items[3].id).delete(),
    "an item": lambda remember, shop: Item.objects.filter(slug=shop.items[20].id).update(title="Anew"),
    "a rule": lambda remember, shop: display_rules.rule("no-such", "no-such-category"),
    "the row goes": lambda remember, shop: OnlineFeatures.objects.all().delete(),
}


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("change", CHANGES)
def test_a_list_is_made_anew_after(ask: Ask, made: list[str], change: str, remember: Any, shop: Dataset) -> None:
    ask()
    CHANGES[change](remember, shop)

    ask()

    assert made == ["individual"] * 2


@pytest.mark.usefixtures("reader")
def test_other_requests_have_other_lists(ask: Ask, made: list[str], shop: Dataset) -> None:
    ask()
    for members in ({"count": 3}, {"session": [shop.items[8].id]}, {"requested_level": "behavioral"}):
        ask(**members)
    assert len(made) == 4


@pytest.mark.usefixtures("reader")
def test_a_withdrawal_ends_it_at_the_next_request(ask: Ask, api: Any, made: list[str]) -> None:
    before = ask()
    assert before["level"] == "individual"

    api.save("customer-1", "withdraw")

    assert ask()["level"] == "none"
    assert made == ["individual"]


@pytest.mark.usefixtures("reader")
def test_a_history_with_a_no_is_not_held(ask: Ask, made: list[str], remember: Any, shop: Dataset) -> None:
    """A dismissal is over after some weeks, without any event."""
    remember("customer-1", [shop.items[9].id], kind="dismiss", weight=0.0, newest=timezone.now() - timedelta(hours=1))

    ask()
    ask()

    assert made == ["individual"] * 2


@pytest.mark.usefixtures("reader")
def test_a_held_list_is_answered_while_the_engine_fails_and_another_is_the_general_one(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = ask()

    def broken(*_: Any, **__: Any) -> None:
        raise engine.EngineFailed("recommender_failed")

    monkeypatch.setattr(engine, "recommend", broken)

    assert without_decision(ask()) == without_decision(held)
    assert (ask(count=3)["level"], ask(count=3)["fallback"]) == ("none", "recommender_failed")


@pytest.mark.usefixtures("reader")
def test_no_key_names_a_person(ask: Ask) -> None:
    ask()
    [(grounds, _)] = lists.LISTS.items()
    ref = DataSubject.objects.get().ref

    assert ref == subject_ref("customer-1")
    assert ref.bytes not in grounds.events
    assert str(ref) not in str(grounds)
    row = OnlineFeatures.objects.get()
    assert bytes(row.recent or b"") not in grounds.events
