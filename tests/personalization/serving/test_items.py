"""Items held in the process: nothing is read twice, and every change of the catalogue counts at the next request."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.db import connection, transaction

from personalization.creators import opt_outs
from personalization.models import CatalogueRevision, CreatorOptOut, Item, PopularItem
from personalization.recommender.interactions import Item as TrainedItem
from personalization.serving import items, reading

pytestmark = pytest.mark.django_db
NOTHING = frozenset[str]()


@pytest.fixture
def catalogue() -> None:
    Item.objects.bulk_create(
        Item(slug=slug, title=slug.upper(), categories=["wine"] if slug == "b" else [], creator="ruth" * (slug == "c"))
        for slug in "abcd"
    )
    PopularItem.objects.bulk_create(PopularItem(rank=n, item_id=slug, people=9) for n, slug in enumerate("abc", 1))


def revision() -> int:
    return CatalogueRevision.objects.get().revision


def now() -> items.Items:
    return items.at(revision())


@pytest.mark.usefixtures("catalogue")
def test_what_is_held_is_not_read_again() -> None:
    asked = now()
    first = [asked.offered("abx", NOTHING), asked.titles("abx", NOTHING), asked.general(2, NOTHING)]
    before = reading.executions()

    assert [now().offered("abx", NOTHING), now().titles("abx", NOTHING), now().general(2, NOTHING)] == first
    assert first == [{"a": "A", "b": "B"}, {"a": "A", "b": "B"}, [("a", "A", "popular"), ("b", "B", "popular")]]
    assert reading.executions() == before


@pytest.mark.usefixtures("catalogue")
def test_what_a_rule_hides_is_neither_offered_nor_named() -> None:
    hidden = frozenset({"wine"})

    assert now().offered("ab", hidden) == now().titles("ab", hidden) == {"a": "A"}
    assert now().general(2, hidden) == [("a", "A", "popular"), ("c", "C", "popular")]
    assert now().offered("ab", NOTHING) == {"a": "A", "b": "B"}


CHANGES: dict[str, Callable[[], Any]] = {
    "switched off": lambda: Item.objects.filter(slug="c").update(is_active=False),
    "by SQL": lambda: connection.cursor().execute("UPDATE personalization_item SET is_active = false WHERE slug = 'c'"),
    "opted out": lambda: opt_outs.set_recommended("ruth", recommended=False, actor="test"),
    "opted out in bulk": lambda: CreatorOptOut.objects.bulk_create([CreatorOptOut(creator="ruth")]),
    "given a creator who is out": lambda: (
        CreatorOptOut.objects.create(creator="joe"),
        Item.objects.filter(slug="c").update(creator="joe"),
    ),
    "removed": lambda: (PopularItem.objects.filter(item_id="c").delete(), Item.objects.filter(slug="c").delete()),
}


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_counts_at_the_next_request(change: str) -> None:
    assert now().offered("ac", NOTHING) == {"a": "A", "c": "C"}
    assert ("c", "C", "popular") in now().general(9, NOTHING)

    CHANGES[change]()

    assert now().offered("ac", NOTHING) == {"a": "A"}
    assert ("c", "C", "popular") not in now().general(9, NOTHING)


@pytest.mark.usefixtures("catalogue")
def test_a_new_title_and_a_new_order_count_at_the_next_request() -> None:
    assert now().general(2, NOTHING) == [("a", "A", "popular"), ("b", "B", "popular")]

    Item.objects.filter(slug="a").update(title="Anew")
    assert now().titles("a", NOTHING) == {"a": "Anew"}
    PopularItem.objects.all().delete()
    PopularItem.objects.create(rank=1, item_id="d", people=3)
    assert now().general(2, NOTHING) == [("d", "D", "popular")]


@pytest.mark.usefixtures("catalogue")
def test_a_change_that_is_rolled_back_leaves_nothing_behind() -> None:
    with transaction.atomic():
        Item.objects.filter(slug="a").update(title="Never")
        assert now().titles("a", NOTHING) == {"a": "Never"}
        transaction.set_rollback(True)
    assert now().titles("a", NOTHING) == {"a": "A"}

    Item.objects.filter(slug="b").update(title="B2")
    assert now().titles("a", NOTHING) == {"a": "A"}, "its number did not come back with another change"


@pytest.mark.usefixtures("catalogue")
def test_without_a_revision_nothing_is_held() -> None:
    unknown = items.at(None)

    assert unknown.offered("a", NOTHING) == unknown.offered("a", NOTHING)
    before = reading.executions()
    items.at(None).offered("a", NOTHING)
    assert reading.executions() == before + 1


@pytest.mark.usefixtures("catalogue")
def test_further_items_are_read_with_those_that_are_missing() -> None:
    held = now()
    held.offered("d", NOTHING)
    held.offered("c", NOTHING)  # and the first of the catalogue, as one was held
    before = reading.executions()

    assert held.offered("acdx", NOTHING) == {"a": "A", "c": "C", "d": "D"}
    assert reading.executions() == before + 2, "only 'x' was missing"
    assert held.offered("abcdx", NOTHING) == {"a": "A", "b": "B", "c": "C", "d": "D"}
    assert reading.executions() == before + 2


@pytest.mark.usefixtures("catalogue")
def test_a_table_names_what_is_neither_hidden_nor_removed() -> None:
    model = tuple(TrainedItem(slug, "old") for slug in "xabc")
    hidden = frozenset({"wine"})

    table = now().table(model, np.array([0, 1, 2]), hidden)

    assert table.is_named.tolist() == [False, True, False, False]
    assert table.titles.tolist() == ["", "A", "", ""]
    before = reading.executions()
    assert now().table(model, np.array([2, 1, 0]), hidden) is table
    assert reading.executions() == before
    Item.objects.filter(slug="a").update(title="Anew")
    assert now().table(model, np.array([1, 3]), hidden).titles.tolist() == ["", "Anew", "", "C"]


@pytest.mark.django_db(transaction=True)
def test_two_changes_of_the_same_items_end_one_after_the_other() -> None:
    """Two transactions that change the same items in another order end one after the other."""
    Item.objects.bulk_create(Item(slug=slug, title=slug) for slug in "ab")
    entered, failures = threading.Barrier(2, timeout=120), []

    def change(order: str) -> None:
        try:
            entered.wait()
            with transaction.atomic():
                for slug in order:
                    Item.objects.filter(slug=slug).update(title=order)
        except Exception as exc:  # noqa: BLE001 (a deadlock, which the test is about)
            failures.append(exc)
        finally:
            connection.close()

    for _ in range(10):
        threads = [threading.Thread(target=change, args=(order,)) for order in ("ab", "ba")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=120)
        assert failures == []
        assert len(set(Item.objects.values_list("title", flat=True))) == 1
