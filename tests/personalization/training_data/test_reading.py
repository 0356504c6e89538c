"""What a training reads: events of those who permit it and of no other, as numbers, and what of them counts."""

import random
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from consent.pseudonyms import subject_ref
from personalization import events
from personalization.audits import gathering
from personalization.general import trending
from personalization.models import Event
from personalization.training_data import queries, reading
from personalization.training_data.permission import permitted
from policies.decisions import information
from tests.helpers.scale import scale
from tests.helpers.speaking_events import speaking

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=123_456)


def _random_events(shop, number, seed):
    """Events of six people about five items in few moments, so that every order and tie occurs."""
    chance = random.Random(seed)
    kinds = list(Event.Kind.values)
    made = []
    for _ in range(number):
        kind = chance.choice(kinds)
        value = chance.randint(1, 5) if kind == "rating" else chance.randint(1, 90) if kind == "dwell" else None
        weight = float(value) if kind == "rating" and value >= 3 else 0.0 if kind == "rating" else events.WEIGHTS[kind]
        made.append(
            Event(
                id=uuid4(),
                subject_ref=subject_ref(f"customer-{chance.randrange(6)}"),
                purpose=chance.choice(["recommendations", "recommendations", "usage_statistics"]),
                kind=kind,
                item_id=shop.items[chance.randrange(5)].id,
                value=value,
                weight=weight,
                occurred_at=NOW - timedelta(hours=chance.randrange(12)),
                received_at=NOW,
            )
        )
    return Event.objects.bulk_create(made)


@scale("rounds", small=3, long=200)
def test_what_counts_is_what_the_database_would_select(shop, rounds):
    people = [subject_ref(f"customer-{number}") for number in (0, 2, 3, 5)]
    catalogue = sorted(item.id for item in shop.items)[1:]
    for seed in range(rounds):
        Event.objects.all().delete()
        _random_events(shop, 250, seed)

        with reading.tables(people, catalogue, purpose="recommendations") as tables:
            found = tables.interactions()

        everybody = speaking().filter(purpose="recommendations")
        useful = everybody.filter(subject_ref__in=people, item__in=catalogue)
        expected = [(row.subject_ref.bytes, row.occurred_at.timestamp(), row.item_id, row.weight) for row in useful]
        rows = list(zip(found.person, found.time.tolist(), found.item, found.weight.tolist(), strict=True))
        assert sorted(rows) == sorted(expected)
        assert [row[:2] for row in rows] == sorted(row[:2] for row in rows)
        pairs = speaking().order_by().values_list("item_id", "subject_ref").distinct()
        several = {item: number for item, number in Counter(item for item, _ in pairs).items() if number > 1}
        assert {one.item: one.people for one in trending._chosen()} == several
        with connection.cursor() as cursor:
            cursor.execute(gathering._USEFUL, ["recommendations"])
            assert {ref for (ref,) in cursor.fetchall()} == {row.subject_ref for row in everybody}


def test_events_of_other_people_and_purposes_do_not_leave_the_database(shop, remember):
    remember("customer-1", [shop.items[0].id])
    remember("customer-2", [shop.items[1].id])
    remember("customer-1", [shop.items[2].id], purpose="usage_statistics")

    with reading.tables([subject_ref("customer-1")], [shop.items[0].id], purpose="recommendations") as tables:
        [row] = tables.engine.table(queries.INPUTS).to_pylist()
        assert tables.inputs() == [("like", None, shop.items[0].id, 1)]

    assert row["events"] == 1


def test_items_that_are_not_to_be_learnt_are_no_interactions(shop, remember):
    remember("customer-1", [shop.items[0].id, shop.items[1].id])

    with reading.tables([subject_ref("customer-1")], [shop.items[1].id], purpose="recommendations") as tables:
        assert list(tables.interactions().item) == [shop.items[1].id]
        assert len(tables.inputs()) == 2


def test_a_thousand_decisions_take_one_statement_and_one_write(api, own_spool):
    api.save("customer-7", "give")
    people = [subject_ref(f"customer-{number}") for number in range(1_001)]
    before = information.STATEMENT_FOR_MANY.executions

    found = permitted(people, purpose="recommendations", caller="job:training")

    assert found == [subject_ref("customer-7")]
    assert information.STATEMENT_FOR_MANY.executions - before == 2
    lines = [line for path in own_spool.iterdir() for line in path.read_text().splitlines()]
    assert sum("job:training" in line for line in lines) == 1_001


def test_where_the_database_does_not_answer_no_person_is_permitted(api, monkeypatch):
    api.save("customer-7", "give")

    def fail(*_asked):
        raise information.InformationUnavailable

    monkeypatch.setattr(information, "read_many", fail)

    assert permitted([subject_ref("customer-7")], purpose="recommendations", caller="job:training") == []
