"""Promoted items are marked as advertising wherever they are shown, and their places are not bought here."""

from collections.abc import Callable
from typing import Any

import pytest

from personalization.models import Item
from personalization.serving import reading
from tests.personalization.conftest import SHOP

pytestmark = pytest.mark.django_db
Ask = Callable[..., dict[str, Any]]
IDS = [item.id for item in SHOP.items]


@pytest.fixture
def reader(api: Any, deployed: Any, remember: Any) -> str:
    assert api.save("customer-1", "give").status_code == 201
    remember("customer-1", IDS[:6])
    return "customer-1"


@pytest.mark.parametrize("asked", [{}, {"requested_level": "none"}, {"candidates": IDS[:40], "count": 40},
                                   {"candidates": IDS[:40], "count": 40, "requested_level": "none"}])  # fmt: skip
def test_a_promoted_item_is_marked_at_its_place(ask: Ask, reader: str, asked: dict[str, Any]) -> None:
    before = ask(reader, **asked)["items"]
    assert not any("advertising" in item for item in before)
    paid = before[1]["item"]

    Item.objects.filter(pk=paid).update(is_promoted=True)
    executed = reading.executions()
    after = ask(reader, **asked)["items"]

    assert [item["item"] for item in after] == [item["item"] for item in before]
    assert [item["item"] for item in after if item.get("advertising")] == [paid]
    assert after[1]["why"] == f"Advertising. {before[1]['why']}"
    assert reading.executions() - executed <= 3
