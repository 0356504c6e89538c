"""What a removed item leaves: nothing in lists or reasons, its title in a person's own data, and in the end nothing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from consent.pseudonyms import subject_ref
from personalization.catalogue import writing
from personalization.event_store.stores import EVENTS_FOR_ANSWERS
from personalization.models import Event, Item, PopularItem
from tests.personalization.conftest import SHOP

pytestmark = pytest.mark.django_db
Call = Callable[..., Any]
IDS = [item.id for item in SHOP.items]


@pytest.fixture
def reader(api: Any, deployed: Any, remember: Any) -> str:
    """A person with a history, whom the model serves personally."""
    assert api.save("customer-1", "give").status_code == 201
    remember("customer-1", IDS[:6])
    return "customer-1"


def named(answer: dict[str, Any]) -> set[str]:
    shown = {item["item"] for item in answer["items"]}
    reasons = {each["item"] for item in answer["items"] for part in ("because", "despite") for each in item[part]}
    return shown | reasons


def test_a_removed_item_is_in_no_list_and_no_reason(items: Call, ask: Any, reader: str) -> None:
    personal, general = ask(reader), ask(reader, requested_level="none", count=20)
    gone = {personal["items"][0]["item"], personal["items"][0]["because"][0]["item"], general["items"][0]["item"]}

    for item in gone:
        assert items("delete", item).status_code == 204

    assert ask(reader)["level"] == "individual"
    assert not (named(ask(reader)) | named(ask(reader, requested_level="none", count=20))) & gone
    assert not PopularItem.objects.filter(item__in=gone).exists()
    assert ask(reader, candidates=sorted(gone))["items"] == []


def test_no_event_about_it_is_taken_in_and_those_there_are_keep_its_title(
    items: Call, api: Any, event_body: Any, reader: str
) -> None:
    title = Item.objects.get(pk=IDS[0]).title
    items("delete", IDS[0])

    assert api.post("/api/v1/events", event_body()).json()["code"] == "item_unknown"
    own = {row["item_id"]: row["item__title"] for row in EVENTS_FOR_ANSWERS.export(subject_ref(reader))}
    assert own[IDS[0]] == title


def test_the_name_goes_once_nothing_is_about_it(items: Call, reader: str) -> None:
    items("delete", IDS[0])
    items("delete", IDS[30])
    assert writing.forget_removed() == 0, "a request that was read just before may still name it"

    Item.objects.filter(removed_at__isnull=False).update(removed_at=timezone.now() - timedelta(days=2))
    assert writing.forget_removed() == 1
    assert Item.objects.filter(pk=IDS[0]).exists()
    assert not Item.objects.filter(pk=IDS[30]).exists()

    Event.objects.filter(item_id=IDS[0]).delete()
    assert writing.forget_removed() == 1
