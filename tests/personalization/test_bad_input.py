"""Bad input to the recommender: too large is refused unread, one person's deeds move little, text is escaped."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest

from common.http.strict_json import MAX_BODY_BYTES
from governance.demo.datasets import demo_shop
from personalization.intake import endpoint
from personalization.models import Event
from personalization.models import Item as CatalogueItem
from personalization.recommender.histories import MOST_ITEMS, Histories
from personalization.recommender.interactions import Interaction, Interactions, Item
from personalization.recommender.model import Model
from personalization.recommender.training import train
from tests.helpers.wsgi_calls import assert_problem, call
from tests.personalization.conftest import SHOP

MARKUP = "<script>alert(1)</script>&\"'"
OTHERS = demo_shop(people=1_000)
TARGET = OTHERS.items[-1].id


class Counted(BytesIO):
    """Body that counts how much of it was read."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        found = super().read(size)
        self.taken += len(found)
        return found


@pytest.mark.django_db
@pytest.mark.parametrize(("is_sized", "most"), [(True, 0), (False, MAX_BODY_BYTES + 1)], ids=["sized", "chunked"])
def test_a_million_events_are_refused_without_being_read(token: str, is_sized: bool, most: int) -> None:
    data = b'{"events":[%s]}' % b",".join([b"{}"] * 1_000_000)
    body = Counted(data)
    length = str(len(data)) if is_sized else None

    answer = call(b"", token, path=endpoint.PATH, CONTENT_LENGTH=length, **{"wsgi.input": body})

    assert_problem(answer, 413, "body_too_large")
    assert body.taken <= most
    assert not Event.objects.exists()


def lists(model: Model) -> list[list[str]]:
    """Return the ten items that each of the first 60 people of the shop gets for what they did."""
    rows = [np.flatnonzero(OTHERS.interactions.people.codes == number) for number in range(60)]
    histories = [
        [Interaction(OTHERS.interactions.item[row], float(OTHERS.interactions.weight[row])) for row in own]
        for own in rows
    ]
    return [
        [each.item.id for each in model.recommend(level="individual", history=own, count=10).recommendations]
        for own in histories
    ]


def with_more(items: list[str], weight: float, profiles: int = 1) -> Interactions:
    """Return the shop's interactions with those of more people, in this order."""
    known, number = OTHERS.interactions, len(items) * profiles
    return Interactions(
        person=[*known.person, *(10_000 + who for who in range(profiles) for _ in items)],
        item=[*known.item, *items * profiles],
        weight=np.append(known.weight, np.full(number, weight)),
        time=np.append(known.time, np.arange(number) + known.time.max() + 1),
    )


def test_a_deed_repeated_without_end_pulls_as_once() -> None:
    once = Histories.of(with_more(["rope", TARGET], 1.0), OTHERS.items)
    often = Histories.of(with_more(["rope", *[TARGET] * 10_000], 1e12), OTHERS.items)

    assert np.array_equal(once.strength, often.strength)
    assert np.array_equal(once.position, often.position)


def moved(profiles: int) -> tuple[float, int]:
    """Return what share of others' lists stays where so many people touch everything, and how many gain the target."""
    poison = [*(item.id for item in OTHERS.items), *[TARGET] * 1_000]
    segments = OTHERS.segments("region", "age")
    clean, poisoned = (
        lists(train(data, OTHERS.items, segments)) for data in (OTHERS.interactions, with_more(poison, 1e9, profiles))
    )
    kept = [len({*before} & {*after}) / len(before) for before, after in zip(clean, poisoned, strict=True)]
    gained = [TARGET in after and TARGET not in before for before, after in zip(clean, poisoned, strict=True)]
    return float(np.mean(kept)), sum(gained)


def test_one_poisoned_profile_moves_the_lists_of_others_within_a_bound() -> None:
    one, many = moved(1), moved(100)

    assert one[0] >= 0.93
    assert one[1] <= 1, "of 60 people"
    assert many[0] < one[0], "the measure moves"


def test_of_a_profile_that_touched_everything_the_latest_thousand_items_count() -> None:
    items = [Item(str(number), "") for number in range(MOST_ITEMS + 5)]
    touches = Interactions(
        person=[1] * len(items), item=[item.id for item in items], weight=np.ones(len(items)),
        time=np.arange(len(items), dtype=np.float64),
    )  # fmt: skip

    histories = Histories.of(touches, items)

    assert histories.position.tolist() == list(range(5, MOST_ITEMS + 5))


@pytest.mark.django_db
def test_markup_in_item_text_is_escaped_on_pages_and_data_in_answers(
    api: Any, ask: Any, deployed: Any, remember: Any, visitor: Any
) -> None:
    CatalogueItem.objects.update(title=MARKUP, description=MARKUP)
    api.save("customer-1", "give")
    remember("customer-1", [item.id for item in SHOP.items[:6]])

    response = api.post("/api/v1/recommendations", {"subject": {"id": "customer-1"}})
    answer = response.json()
    page = visitor.browser.get("/privacy/ranking").content.decode()

    assert (response["Content-Type"], response["X-Content-Type-Options"]) == ("application/json", "nosniff")
    assert answer["items"][0]["title"] == MARKUP
    assert MARKUP in answer["items"][0]["why"]
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


@pytest.mark.django_db
def test_items_that_are_not_known_are_refused_or_count_as_none(
    api: Any, ask: Any, deployed: Any, remember: Any
) -> None:
    api.save("customer-1", "give")
    remember("customer-1", [item.id for item in SHOP.items[:6]])

    assert ask(session=["no-such-item"] * 3)["items"] == ask()["items"]
    assert ask(candidates=["no-such-item"])["items"] == []
    for bad in ("", "a b", "x" * 65, "a\x00b", 7, None, ["tent"]):
        refused = api.post("/api/v1/recommendations", {"subject": {"id": "customer-1"}, "session": [bad]})
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request"), bad
