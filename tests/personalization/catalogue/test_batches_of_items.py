"""Items in batches: each entry is answered as it would be alone, in few statements, and a repeat changes nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from audit.models import AuditEvent
from personalization.models import Item
from tests.conftest import Api

pytestmark = pytest.mark.django_db
Call = Callable[..., Any]


def said(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [each.get("outcome") or each["error"]["code"] for each in answer.json()["items"]]


def test_each_entry_has_its_own_answer(items: Call, other: Api) -> None:
    items("put", "theirs", {"title": "Theirs"}, service=other)
    items("post", "batch", {"items": [{"id": "old", "title": "Old"}, {"id": "gone", "title": "Gone"}]})
    entries = [
        {"id": "new", "title": "New"},
        {"id": "old", "title": "Older"},
        {"id": "gone", "action": "remove"},
        {"id": "never", "action": "remove"},
        {"id": "theirs", "action": "remove"},
        {"id": "nothing", "action": "change", "stock": 1},
        {"id": "untitled"},
        {"id": "a,b", "title": "Comma"},
        {"id": "new", "title": "Twice"},
        {"title": "No id"},
        {"id": "kept", "title": "Kept", "prize": 3},
    ]

    answer = items("post", "batch", {"items": entries})

    assert said(answer) == [
        "created", "changed", "removed", "absent", "item_of_another", "item_missing", "title_missing",
        "invalid_request", "invalid_request", "invalid_request", "invalid_request",
    ]  # fmt: skip
    assert [each["id"] for each in answer.json()["items"]][:7] == [entry.get("id") for entry in entries[:7]]
    assert "a,b" not in str(answer.content)
    there = Item.objects.filter(removed_at=None)
    assert dict(there.values_list("slug", "title")) == {"new": "New", "old": "Older", "theirs": "Theirs"}


def test_a_thousand_items_take_few_statements_and_a_repeat_changes_nothing(items: Call, sql: list[str]) -> None:
    body = {"items": [{"id": f"item-{number}", "title": f"Item {number}", "stock": number} for number in range(1_000)]}
    sql.clear()

    assert set(said(items("post", "batch", body))) == {"created"}
    assert len([statement for statement in sql if "SAVEPOINT" not in statement]) <= 6
    events = AuditEvent.objects.count()
    assert set(said(items("post", "batch", body))) == {"unchanged"}
    assert AuditEvent.objects.count() == events
    assert Item.objects.count() == 1_000


@pytest.mark.parametrize(
    "body", [{}, {"items": []}, {"items": [{}] * 1_001}, {"items": {}}, {"items": ["wine"]}, {"items": [{}], "x": 1}]
)
def test_what_is_no_batch_is_refused_whole(items: Call, body: Any) -> None:
    assert items("post", "batch", body).status_code == 400


def test_a_removed_item_can_be_put_again_and_is_new(items: Call) -> None:
    items("put", "wine", {"title": "Wine", "stock": 3, "legal_flags": ["alcohol"]})
    items("delete", "wine")

    assert said(items("post", "batch", {"items": [{"id": "wine", "title": "Juice"}]})) == ["created"]
    row = Item.objects.get()
    assert (row.title, row.stock, row.legal_flags, row.removed_at) == ("Juice", None, [], None)
