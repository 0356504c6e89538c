"""Items by API: put, changed, read, removed; who may; what the trail says; what is refused."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from audit.models import AuditEvent
from personalization.models import Item
from policies.endpoints import credentials
from tests.conftest import Api

pytestmark = pytest.mark.django_db
Call = Callable[..., Any]
WINE = {
    "title": "Red wine",
    "description": "Dry.\nFrom the south.",
    "categories": ["wine"],
    "creator": "vineyard",
    "price": {"amount": "12.5", "currency": "EUR"},
    "stock": 3,
    "editorial": True,
    "promoted": False,
    "min_age": 18,
    "legal_flags": ["alcohol"],
    "restricted_regions": ["US-UT", "SA"],
}
AS_SHOWN = {
    **WINE,
    "id": "wine",
    "offered": True,
    "price": {"amount": "12.50", "currency": "EUR"},
    "restricted_regions": ["SA", "US-UT"],
    "kept_by": "service:shop",
}


def trail() -> list[tuple[str, dict[str, Any]]]:
    rows = AuditEvent.objects.filter(object__startswith="item:").order_by("position")
    return [(event.action, event.details) for event in rows]


def test_an_item_is_put_changed_read_and_removed(items: Call) -> None:
    made = items("put", "wine", WINE)
    assert (made.status_code, made.json()) == (201, AS_SHOWN)
    assert items("put", "wine", WINE).status_code == 200

    changed = items("patch", "wine", {"stock": 0, "price": None, "offered": False})

    expected = {**AS_SHOWN, "stock": 0, "price": None, "offered": False}
    assert (changed.status_code, changed.json()) == (200, expected)
    assert items("get", "wine").json() == expected
    assert items("delete", "wine").status_code == 204
    assert items("delete", "wine").status_code == 204
    assert items("get", "wine").status_code == 404
    assert items("patch", "wine", {"stock": 1}).json()["code"] == "item_missing"


def test_what_is_left_out_stays_and_null_takes_back_what_may_be_missing(items: Call) -> None:
    items("put", "wine", WINE)

    assert items("put", "wine", {}).json() == AS_SHOWN
    assert items("put", "wine", {"title": None, "categories": None, "editorial": None}).json() == AS_SHOWN
    assert items("patch", "wine", {"min_age": None, "stock": None}).json() == {
        **AS_SHOWN,
        "min_age": None,
        "stock": None,
    }


def test_the_trail_says_what_the_law_asks_about_and_names_no_creator(items: Call) -> None:
    items("put", "wine", WINE)
    items("put", "wine", WINE)
    items("patch", "wine", {"stock": 2})
    items("patch", "wine", {"legal_flags": [], "creator": "ruth", "title": "Wine", "stock": 1})
    items("delete", "wine")

    created, changed, removed = trail()
    assert created[0] == "item.created"
    assert changed == (
        "item.changed",
        {
            "members": ["creator", "legal_flags", "stock", "title"],
            "before": {"legal_flags": ["alcohol"]},
            "after": {"legal_flags": []},
        },
    )
    assert removed[0] == "item.removed"
    assert {event.actor for event in AuditEvent.objects.filter(object="item:wine")} == {"service:shop"}
    assert "ruth" not in str(trail())


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_another_services_item_is_not_touched(items: Call, other: Api, method: str) -> None:
    items("put", "wine", WINE)

    answer = items(method, "wine", {"legal_flags": []} if method != "delete" else None, service=other)

    assert (answer.status_code, answer.json()["code"]) == (403, "item_of_another")
    assert items("get", "wine", service=other).json() == AS_SHOWN
    old = other.post("/api/v1/items", {"items": [{"id": "wine", "title": "Mine"}]}, method="put")
    assert (old.status_code, old.json()["code"]) == (403, "item_of_another")
    items("delete", "wine")
    assert items("put", "wine", {"title": "Mine"}, service=other).status_code == 403, "nor is its name taken over"


def test_an_item_of_no_one_service_is_shared(items: Call, other: Api) -> None:
    Item.objects.create(slug="cup", title="Cup")

    assert items("patch", "cup", {"stock": 1}, service=other).json()["kept_by"] is None
    assert items("patch", "cup", {"stock": 2}).json()["stock"] == 2


def test_the_scope_is_its_own(items: Call, register_in_force: None) -> None:
    senders = Api(credentials.create_credential(name="sender", scopes=["events"], actor="test")[0])
    keepers = Api(credentials.create_credential(name="keeper", scopes=["items"], actor="test")[0])

    for method, address in [("put", "wine"), ("patch", "wine"), ("delete", "wine"), ("get", "wine"), ("post", "batch")]:
        assert items(method, address, WINE, service=senders).status_code == 403
    assert items("put", "wine", WINE, service=keepers).status_code == 201
    assert keepers.post("/api/v1/items", {"items": [{"id": "cup", "title": "Cup"}]}, method="put").status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"title": "x" * 161},
        {"title": "two\nlines"},
        {"description": "x" * 2001},
        {"description": "a\x07b"},
        {"categories": ["a,b"]},
        {"price": {"amount": "12.555", "currency": "EUR"}},
        {"price": {"amount": "-1", "currency": "EUR"}},
        {"price": {"amount": 12.5, "currency": "EUR"}},
        {"price": {"amount": "12.5", "currency": "eur"}},
        {"price": {"amount": "12.5"}},
        {"stock": -1},
        {"stock": 1.5},
        {"min_age": 0},
        {"min_age": 22},
        {"legal_flags": ["alcohl"]},
        {"restricted_regions": ["XX"]},
        {"restricted_regions": ["de"]},
        {"creator": "a b"},
        {"unheard_of": 1},
    ],
)
def test_what_is_no_item_is_refused(items: Call, change: dict[str, Any]) -> None:
    answer = items("put", "wine", {**WINE, **change})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert not Item.objects.exists()


@pytest.mark.parametrize("name", ["a,b", "a b", "a%0Ab", "a%01b", "x" * 65, "%C3%A4", "a%0A"])
def test_an_id_is_a_name_at_every_door(items: Call, name: str) -> None:
    answer = items("put", name, WINE)

    assert (answer.status_code, answer.json()["code"]) == (400, "item_unnamed")
    with pytest.raises(IntegrityError), transaction.atomic():
        Item.objects.create(slug="a,b", title="Cup")


def test_what_was_named_otherwise_before_can_still_be_switched_off() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE personalization_item DISABLE TRIGGER personalization_item_named")
        Item.objects.create(slug="a,b", title="Cup")
        cursor.execute("ALTER TABLE personalization_item ENABLE TRIGGER personalization_item_named")

    assert Item.objects.filter(pk="a,b").update(is_active=False) == 1


def test_a_new_item_needs_a_title(items: Call) -> None:
    assert items("put", "wine", {"stock": 1}).json()["code"] == "title_missing"
    assert items("patch", "wine", {"title": "Wine"}).status_code == 404


def test_an_address_ends_where_it_ends(items: Call) -> None:
    assert items("put", "a/b", WINE).status_code == 404
