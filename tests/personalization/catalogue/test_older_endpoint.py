"""The catalogue at the border: items are added and changed, and nothing but items."""

import pytest

from personalization.models import Item

pytestmark = pytest.mark.django_db


def _put(api, *items):
    return api.post("/api/v1/items", {"items": list(items)}, method="put")


def test_items_are_added_and_changed(api):
    _put(api, {"id": "kettle", "title": "Kettle"}, {"id": "cup", "title": "Cup", "categories": ["kitchen"]})

    answer = _put(api, {"id": "kettle", "title": "Copper kettle", "categories": ["kitchen"]})

    assert answer.status_code == 204
    assert answer.content == b""
    assert sorted(Item.objects.values_list("slug", "title")) == [("cup", "Cup"), ("kettle", "Copper kettle")]


@pytest.mark.parametrize(
    "items",
    [
        [],
        [{"id": "kettle"}],
        [{"id": "", "title": "Kettle"}],
        [{"id": "a/b", "title": "Kettle"}],
        [{"id": "kettle", "title": ""}],
        [{"id": "kettle", "title": "x" * 161}],
        [{"id": "kettle", "title": "Ket\x00tle"}],
        [{"id": "kettle", "title": "Kettle", "price": 3}],
        [{"id": "kettle", "title": "Kettle", "categories": ["c"] * 21}],
        [{"id": "kettle", "title": "Kettle"}, {"id": "kettle", "title": "Another"}],
        [{"id": f"item-{number}", "title": "Many"} for number in range(1001)],
    ],
    ids=[
        "empty", "no title", "no id", "slash", "empty title", "long title", "nul", "unknown member", "categories",
        "twice", "too many",
    ],
)  # fmt: skip
def test_what_is_not_a_catalogue_is_refused_whole(api, items):
    answer = _put(api, *items)

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_request"
    assert not Item.objects.exists()


def test_items_are_switched_off_and_on_again(api):
    _put(api, {"id": "kettle", "title": "Kettle", "offered": False}, {"id": "cup", "title": "Cup"})
    assert dict(Item.objects.values_list("slug", "is_active")) == {"kettle": False, "cup": True}

    _put(api, {"id": "kettle", "title": "Kettle", "offered": True}, {"id": "cup", "title": "Cup", "offered": False})
    assert dict(Item.objects.values_list("slug", "is_active")) == {"kettle": True, "cup": False}


def test_an_item_that_is_put_again_stays_switched_off(api):
    """A nightly copy of the catalogue does not undo what an officer or another service decided."""
    _put(api, {"id": "kettle", "title": "Kettle", "offered": False})

    _put(api, {"id": "kettle", "title": "Copper kettle"}, {"id": "cup", "title": "Cup", "offered": None})

    assert list(Item.objects.order_by("slug").values_list("slug", "title", "is_active")) == [
        ("cup", "Cup", True),
        ("kettle", "Copper kettle", False),
    ]


@pytest.mark.parametrize("offered", ["false", 0, ""])
def test_offered_is_true_or_false(api, offered):
    assert _put(api, {"id": "kettle", "title": "Kettle", "offered": offered}).status_code == 400
