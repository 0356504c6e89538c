"""Candidates of the caller are ranked by the same levels, rules and fallbacks, and what is left out is counted."""

from collections.abc import Callable
from typing import Any

import pytest

from personalization.models import Item
from personalization.serving import reading
from tests.helpers import display_rules, reviews
from tests.personalization.conftest import SHOP

pytestmark = pytest.mark.django_db
Ask = Callable[..., dict[str, Any]]
IDS = [item.id for item in SHOP.items]


@pytest.fixture
def reader(api: Any, deployed: Any, remember: Any) -> str:
    assert api.save("customer-1", "give").status_code == 201
    remember("customer-1", IDS[:6])
    return "customer-1"


def listed(answer: dict[str, Any]) -> list[str]:
    return [item["item"] for item in answer["items"]]


@pytest.mark.usefixtures("reader")
def test_a_personal_order_of_the_candidates_alone(ask: Ask) -> None:
    best = listed(ask(count=50))
    given = [best[7], "no-such-item", best[1], IDS[-1], best[30], best[1], IDS[0]]

    answer = ask(candidates=given, count=100)

    assert answer["level"] == "individual"
    assert set(listed(answer)) == set(given) - {"no-such-item"}, "what was seen too"
    assert len(listed(answer)) == 5
    assert [item for item in listed(answer) if item in best] == [best[1], best[7], best[30]]
    assert answer["left_out"] == 1
    assert "left_out" not in ask()


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("more", [{"requested_level": "none"}, {"mode": "non_profiled"}])
def test_at_level_none_the_order_is_that_of_popularity(ask: Ask, more: dict[str, str]) -> None:
    answer = ask(candidates=[IDS[40], IDS[30], IDS[9], "no-such-item", IDS[2]], **more)

    assert answer["level"] == "none"
    assert (listed(answer), answer["left_out"]) == ([IDS[2], IDS[9], IDS[40], IDS[30]], 1)
    assert listed(ask(candidates=[IDS[9], IDS[2]], count=1, **more)) == [IDS[2]]


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("level", ["individual", "segment", "none"])
def test_what_may_not_be_shown_is_left_out_and_counted(ask: Ask, remember: Any, level: str) -> None:
    given = IDS[10:20]
    Item.objects.filter(pk=given[0]).update(is_active=False)
    Item.objects.filter(pk=given[1]).update(categories=["alcohol"])
    display_rules.rule("alcohol", "alcohol")
    remember("customer-1", given[2:3], kind="skip", weight=0.0)
    unwanted = 1 if level == "individual" else 0

    answer = ask(candidates=given, count=100, requested_level=level)

    assert set(listed(answer)) == set(given[2 + unwanted :])
    assert answer["left_out"] == 2 + unwanted
    assert ask(candidates=given[:2], requested_level=level)["items"] == []


@pytest.mark.usefixtures("reader")
def test_an_approval_of_other_candidates_is_none_of_these(ask: Ask) -> None:
    reviews.rule("all", purpose="recommendations")

    for given in (IDS[10:20], IDS[20:30]):
        answer = ask(candidates=given, count=100)
        assert (answer["fallback"], set(listed(answer))) == ("awaiting_review", set(given))


@pytest.mark.usefixtures("reader")
def test_candidates_add_no_statement(ask: Ask) -> None:
    def statements(**members: Any) -> int:
        ask(**members)
        before = reading.executions()
        ask(**members)
        return reading.executions() - before

    assert statements(candidates=IDS[10:90]) == statements() == 0


@pytest.mark.parametrize("candidates", [[], ["x"] * 1_001, ["a b"], ["a,b"], [1], "x"])
def test_what_is_no_list_of_items_is_refused(api: Any, candidates: Any) -> None:
    body = {"subject": {"id": "customer-1"}, "candidates": candidates}

    assert api.post("/api/v1/recommendations", body).status_code == 400
