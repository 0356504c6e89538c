"""A creator's opt-out: the items go from personal lists and from the general one at the next request, and come back."""

from collections.abc import Callable
from typing import Any

import pytest

from audit.models import AuditEvent
from personalization.general import trending
from personalization.models import CreatorOptOut, Item, PopularItem
from tests.helpers.officers import signed_in, with_role

pytestmark = pytest.mark.django_db
CREATORS = "/api/v1/creators/"


@pytest.fixture
def put(api: Any) -> Callable[..., Any]:
    """Say whether a creator is recommended, as a service of the business."""

    def say(creator: str, body: Any) -> Any:
        return api.post(f"{CREATORS}{creator}", body, method="put")

    return say


@pytest.fixture
def reader(api: Any, deployed: Any, remember: Any, shop: Any) -> str:
    """A person with a history, whom the model serves personally."""
    assert api.save("customer-1", "give").status_code == 201
    remember("customer-1", [item.id for item in shop.items[:6]])
    return "customer-1"


def served(answer: dict[str, Any]) -> list[str]:
    return [item["item"] for item in answer["items"]]


def made_by(creator: str, items: list[str]) -> None:
    assert Item.objects.filter(pk__in=items).update(creator=creator) == len(items)


@pytest.mark.parametrize("mode", ["permitted", "non_profiled"])
def test_items_go_at_the_next_request_and_come_back(
    ask: Callable[..., dict[str, Any]], put: Callable[..., Any], reader: str, mode: str
) -> None:
    before = ask(reader, mode=mode, count=5)
    assert (before["level"] == "none") is (mode == "non_profiled")
    made_by("ruth", served(before)[:3])

    assert put("ruth", {"recommended": False}).json()["recommended"] is False
    without = ask(reader, mode=mode, count=5)

    assert not set(served(without)) & set(served(before)[:3])
    assert len(served(without)) == 5, "others take the places"
    assert without["level"] == before["level"]

    assert put("ruth", {"recommended": True}).status_code == 200
    assert served(ask(reader, mode=mode, count=5)) == served(before)


def test_a_creator_of_most_items_leaves_a_list_of_the_others(
    ask: Callable[..., dict[str, Any]], put: Callable[..., Any], reader: str
) -> None:
    first = served(ask(reader, count=50))
    made_by("ruth", first[:40])

    put("ruth", {"recommended": False})

    assert len(served(ask(reader, count=10))) == 10


def test_the_same_wish_twice_is_one_event_without_the_name(put: Callable[..., Any]) -> None:
    first, second = put("ruth", {"recommended": False}).json(), put("ruth", {"recommended": False}).json()
    put("ruth", {"recommended": True})
    put("ruth", {"recommended": True})

    assert first == second
    events = AuditEvent.objects.filter(action__startswith="creator.").order_by("position")
    assert [event.action for event in events] == ["creator.opted_out", "creator.opted_in"]
    assert all("ruth" not in f"{event.object} {event.details}" for event in events)


@pytest.mark.parametrize(
    ("creator", "body"), [("a%20b", {"recommended": False}), ("ruth", {"recommended": "no"}), ("ruth", {})]
)
def test_what_says_nothing_clear_changes_nothing(put: Callable[..., Any], creator: str, body: Any) -> None:
    assert put(creator, body).status_code in (400, 422)
    assert not CreatorOptOut.objects.exists()


def test_a_service_without_the_scope_is_refused(client: Any) -> None:
    assert client.put(f"{CREATORS}ruth", {"recommended": False}, content_type="application/json").status_code == 401


def test_the_catalogue_keeps_a_creator_until_another_is_stated(api: Any) -> None:
    for entry in ({"creator": "ruth"}, {}, {"offered": False}):
        api.post("/api/v1/items", {"items": [{"id": "cup", "title": "Cup", **entry}]}, method="put")

    item = Item.objects.get()
    assert (item.creator, item.is_active) == ("ruth", False)

    api.post("/api/v1/items", {"items": [{"id": "cup", "title": "Cup", "creator": "lab"}]}, method="put")
    item.refresh_from_db()
    assert (item.creator, item.is_active) == ("lab", False)


def test_the_general_list_is_made_without_them(shop: Any, remember: Any, put: Callable[..., Any]) -> None:
    items = [item.id for item in shop.items[:4]]
    for person in ("one", "two"):
        remember(person, items)
    made_by("ruth", items[:1])
    put("ruth", {"recommended": False})

    trending.refresh()

    assert set(PopularItem.objects.values_list("item_id", flat=True)) == set(items[1:])


def test_an_officer_enters_an_opt_out_and_takes_it_back(register_in_force: None) -> None:
    officer = signed_in(with_role("helper", "request-handler"))

    assert officer.post("/admin/personalization/creatoroptout/add/", {"creator": "ruth"}).status_code == 302
    assert CreatorOptOut.objects.get().creator == "ruth"

    assert officer.post("/admin/personalization/creatoroptout/ruth/delete/", {"post": "yes"}).status_code == 302
    assert not CreatorOptOut.objects.exists()
    actors = list(AuditEvent.objects.filter(action__startswith="creator.").values_list("actor", flat=True))
    assert actors == ["officer:helper", "officer:helper"]


def test_an_empty_list_says_what_appears_in_it(register_in_force: None) -> None:
    officer = signed_in(with_role("helper", "request-handler"))

    empty = officer.get("/admin/personalization/creatoroptout/").content.decode()
    assert "Creators who asked not to be recommended stand here." in empty
    assert 'href="/admin/personalization/creatoroptout/add/">Add creator who opted out</a>' in empty
    sought = officer.get("/admin/personalization/creatoroptout/?q=ruth").content.decode()
    assert "Nothing fits what was asked for" in sought


def test_another_role_enters_none(register_in_force: None) -> None:
    officer = signed_in(with_role("owner", "model-owner"))

    assert officer.get("/admin/personalization/creatoroptout/add/").status_code == 403
