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
