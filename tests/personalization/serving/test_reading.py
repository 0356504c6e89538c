"""What an answer needs of the database: found through indexes however many items there are, and never an error."""

from typing import Any

import pytest
from django.db import OperationalError, connection, connections

from personalization.creators import opt_outs
from personalization.models import Item, PopularItem
from personalization.serving import items, reading

pytestmark = pytest.mark.django_db
_INDEXED = {"Index Scan", "Index Only Scan", "Bitmap Heap Scan"}  # the last of what an index found


def _scans(plan: dict[str, Any]) -> dict[str, set[str]]:
    """Which ways each table is read."""
    found: dict[str, set[str]] = {}
    if "Relation Name" in plan:
        found[plan["Relation Name"]] = {plan["Node Type"]}
    for part in plan.get("Plans", []):
        for table, ways in _scans(part).items():
            found.setdefault(table, set()).update(ways)
    return found


def _fill(number: int, *, with_statistics: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO personalization_item (slug, title, categories, is_active, creator)"
            " SELECT 'item-' || n, 'Title of item ' || n, '[]', n %% 50 <> 0, 'maker-' || n %% 300"
            " FROM generate_series(1, %s) AS n",
            [number],
        )
        cursor.execute(
            "INSERT INTO personalization_popularitem (rank, item_id, people)"
            " SELECT n, 'item-' || n, 20000 - n FROM generate_series(1, %s) AS n",
            [number],
        )
        cursor.execute(
            "INSERT INTO personalization_creatoroptout (creator, since)"
            " SELECT 'maker-' || n, now() FROM generate_series(3, 2000, 5) AS n"
        )
        if with_statistics:
            cursor.execute("ANALYZE personalization_item, personalization_popularitem, personalization_creatoroptout")


_ASKED = ",".join(f"item-{number}" for number in range(1, 61))
_STATEMENTS = {
    "entries": (reading._ENTRIES, "text", f"'{_ASKED}'"),
    "general": (reading._GENERAL, "int, text", "20, '[\"Games\"]'"),
}


@pytest.mark.parametrize(("items", "with_statistics"), [(1_000, True), (1_000, False), (10_000, True)])
@pytest.mark.parametrize("name", _STATEMENTS)
def test_items_are_found_through_their_index(name: str, items: int, with_statistics: bool) -> None:
    statement, types, values = _STATEMENTS[name]
    _fill(items, with_statistics=with_statistics)
    with connection.cursor() as cursor:
        for mode in ("force_custom_plan", "force_generic_plan"):
            cursor.execute(f"SET LOCAL plan_cache_mode = {mode}")
            cursor.execute(f"PREPARE asked ({types}) AS {statement.sql}")
            cursor.execute(f"EXPLAIN (FORMAT JSON) EXECUTE asked ({values})")
            scans = _scans(cursor.fetchone()[0][0]["Plan"])
            cursor.execute("DEALLOCATE asked")

            for table in {"personalization_item", "personalization_popularitem"} & scans.keys():
                assert scans[table] <= _INDEXED, (mode, scans)
            assert "personalization_item" in scans


def test_the_general_list_is_in_the_order_of_its_ranks_without_what_is_not_offered() -> None:
    Item.objects.bulk_create(
        Item(slug=slug, title=slug.upper(), creator=creator, is_active=slug != "d")
        for slug, creator in [("a", ""), ("b", "maker"), ("c", "other"), ("d", ""), ("e", "")]
    )
    for rank, slug in enumerate("edcba", start=1):
        PopularItem.objects.create(rank=rank, item_id=slug, people=9)
    opt_outs.set_recommended("maker", recommended=False, actor="test")

    assert reading.general(10) == [("e", "E", "popular"), ("c", "C", "popular"), ("a", "A", "popular")]
    assert reading.general(2) == [("e", "E", "popular"), ("c", "C", "popular")]
    assert items.Items(None).offered(list("abcde"), frozenset()) == {"a": "A", "c": "C", "e": "E"}


def test_a_database_that_takes_no_connection_is_a_failed_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OperationalError("connection refused")

    wrapper = connections["default"]
    monkeypatch.setattr(wrapper, "connection", None)
    monkeypatch.setattr(wrapper, "ensure_connection", refuse)

    with pytest.raises(reading.ReadingFailed):
        reading.general(10)
