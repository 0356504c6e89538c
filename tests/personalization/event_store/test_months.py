"""Partitions of events: made ahead, dropped once retention has emptied them, and adopted from a table of before."""

import time
from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import pairwise
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from audit.models import AuditEvent
from consent.models import Purpose
from personalization.event_store import months
from personalization.models import Event
from privacy.models import Disposal
from tests.helpers.polling import until
from tests.helpers.scale import scale

DB = pytest.mark.django_db
COMMITTING = pytest.mark.django_db(transaction=True)


def _names():
    return [month.name for month in months.months()]


@pytest.fixture
def own_months():
    """Leave the partitions as they were, whatever a test made or dropped."""
    before = months.months()
    yield
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname ~ '^personalization_event_2' AND relkind = 'r'")
        for (name,) in cursor.fetchall():
            if name not in [month.name for month in before]:
                cursor.execute(f"DROP TABLE {name}")
    for earlier, month in pairwise(before):
        if month.name not in _names():
            months._make(earlier.end)


def _plan_of(statement):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}")
        return "\n".join(line for (line,) in cursor.fetchall())


@DB
def test_the_months_join_without_a_gap():
    found = months.months()

    assert found[0].name == months.FIRST
    assert [month.end for month in found[1:]] == [months._next(month.end) for month in found[:-1]]
    assert found[-1].end > timezone.now() + timedelta(days=62)


@DB
def test_missing_months_are_made_ahead_once(own_months):
    later = months.months()[-1].end + timedelta(days=3)

    made = months.make_ahead(now=later)

    assert len(made) == months.AHEAD + 1
    assert months.make_ahead(now=later) == []
    assert _names()[-len(made) :] == made


@DB
def test_an_event_lies_in_the_partition_of_its_month(remember, shop):
    (event,) = remember("customer-1", [shop.items[0].id], newest=months.months()[2].end - timedelta(days=1))

    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM personalization_event")
        assert cursor.fetchall() == [(months.months()[2].name,)]
    assert Event.objects.get(pk=event.pk).occurred_at == event.occurred_at


@DB
def test_the_same_time_and_id_twice_is_refused(remember, shop):
    (event,) = remember("customer-1", [shop.items[0].id])

    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.bulk_create([event])


@DB
@pytest.mark.parametrize(
    ("where", "index"),
    [
        ("occurred_at = '2026-11-02'", "pkey"),
        ("id = '00000000-0000-0000-0000-000000000000'", "id"),
        ("purpose = 'p' AND received_at < '2026-01-01'", "received"),
        ("subject_ref = '00000000-0000-0000-0000-000000000000' AND purpose = 'p'", "subject_ref"),
    ],
)
def test_every_month_has_the_indexes(where, index):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = _plan_of(f"SELECT 1 FROM personalization_event WHERE {where}")

    assert "Seq Scan" not in plan
    assert index in plan or "window" in plan or "age" in plan


@COMMITTING
def test_a_month_that_is_over_and_empty_is_dropped(own_months):
    second = months.months()[1]

    dropped = months.drop_emptied(now=second.end + months.LATE)

    assert dropped[-1] == second.name
    assert second.name not in _names()
    assert AuditEvent.objects.filter(action="events.month_dropped", object=second.name).count() == 1


@COMMITTING
def test_a_month_that_may_take_in_late_events_stays(own_months):
    second = months.months()[1]

    assert second.name not in months.drop_emptied(now=second.end + months.LATE - timedelta(seconds=1))


@COMMITTING
def test_a_month_that_still_holds_an_event_stays(own_months, shop, remember):
    second = months.months()[1]
    remember("customer-1", [shop.items[0].id], newest=second.end - timedelta(days=1))

    assert second.name not in months.drop_emptied(now=second.end + months.LATE)
    assert Event.objects.count() == 1


@COMMITTING
def test_no_month_goes_while_a_run_can_be_undone(own_months, register_in_force):
    second = months.months()[1]
    Disposal.objects.create(
        reason="retention", purpose=Purpose.objects.first(), before=timezone.now(), status="done",
        undo_until=second.end + months.LATE + timedelta(days=1),
    )  # fmt: skip

    assert months.drop_emptied(now=second.end + months.LATE) == []


@COMMITTING
def test_a_month_left_detached_gets_its_place_again(own_months):
    second = months.months()[1]
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE personalization_event DETACH PARTITION {second.name} CONCURRENTLY")

    months.drop_emptied(now=datetime(2020, 1, 1, tzinfo=UTC))

    assert second.name in _names()


@COMMITTING
def test_the_first_part_is_emptied_and_keeps_its_place(own_months, shop, remember):
    first = months.months()[0]
    remember("customer-1", [shop.items[0].id])
    Event.objects.all().delete()

    months.drop_emptied(now=first.end + months.LATE)

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_relation_size('{months.FIRST}')")
        assert cursor.fetchone() == (0,)
    remember("customer-1", [shop.items[0].id], newest=datetime(1970, 1, 1, tzinfo=UTC))


_BEFORE = """
CREATE SCHEMA before; SET LOCAL search_path = before;
CREATE TABLE personalization_item (slug varchar(64) PRIMARY KEY);
CREATE TABLE personalization_event (
  id uuid NOT NULL PRIMARY KEY, subject_ref uuid NOT NULL, purpose varchar(64) NOT NULL, kind varchar(8) NOT NULL,
  item_id varchar(64) NOT NULL, value smallint CHECK (value >= 0), weight double precision NOT NULL,
  occurred_at timestamptz NOT NULL, received_at timestamptz NOT NULL,
  CONSTRAINT event_item FOREIGN KEY (item_id) REFERENCES personalization_item DEFERRABLE INITIALLY DEFERRED);
CREATE INDEX personalization_event_item_id_3b06dc0f ON personalization_event (item_id);
CREATE INDEX personalization_event_window ON personalization_event (subject_ref, purpose, occurred_at DESC);
CREATE INDEX personalization_event_age ON personalization_event (purpose, received_at, id);
INSERT INTO personalization_item VALUES ('kettle');
INSERT INTO personalization_event SELECT gen_random_uuid(), gen_random_uuid(), 'p', 'view', 'kettle', NULL, 1,
  now() - n * interval '20 days', now() FROM generate_series(0, 99) n;
SET CONSTRAINTS ALL IMMEDIATE;
"""
_CONTENT = "SELECT pg_relation_filenode('{}'), md5(string_agg(e::text, '' ORDER BY id)) FROM personalization_event e"
_ADOPTED = """
SELECT (SELECT count(*) FROM pg_inherits i JOIN pg_index x ON x.indexrelid = i.inhrelid
        WHERE x.indrelid = 'personalization_event_first'::regclass),
  (SELECT count(*) FROM pg_constraint WHERE conrelid = 'personalization_event'::regclass AND contype IN ('f', 'p', 'c'))
"""


@DB
def test_a_table_of_before_becomes_the_first_partition_as_it_is():
    migration = import_module("personalization.migrations.0004_events_by_month")
    with connection.cursor() as cursor:
        cursor.execute(_BEFORE)
        cursor.execute(_CONTENT.format("personalization_event"))
        before = cursor.fetchone()

        migration._forward(None, SimpleNamespace(connection=connection))
        migration._forward(None, SimpleNamespace(connection=connection))  # a second time changes nothing

        cursor.execute(_CONTENT.format("personalization_event_first"))
        assert cursor.fetchone() == before
        cursor.execute(_ADOPTED)
        assert cursor.fetchone() == (4, 3)
        cursor.execute(
            "INSERT INTO personalization_event SELECT gen_random_uuid(), subject_ref, purpose, kind, item_id, value,"
            " weight, now() + interval '60 days', now() FROM personalization_event LIMIT 1"
        )


def _fill(month, remember, shop, rows):
    """Put rows of others beside one of a held person into a month, and delete the others' as a run does."""
    (kept,) = remember("customer-1", [shop.items[0].id], newest=month.end - timedelta(days=1))
    others = [field.column for field in Event._meta.concrete_fields if field.column not in ("id", "subject_ref")]
    columns, id_ = ", ".join(others), "gen_random_uuid()"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO personalization_event (id, subject_ref, {columns})"
            f" SELECT {id_}, {id_}, {columns} FROM personalization_event, generate_series(1, {rows})"
        )
        cursor.execute("DELETE FROM personalization_event WHERE subject_ref <> %s", [kept.subject_ref])
    return kept


def _size(name):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size(%s::regclass)", [name])
        return cursor.fetchone()[0]


@COMMITTING
@scale("rows", small=3_000, long=446_000)
def test_a_month_of_few_held_rows_is_written_anew(own_months, shop, remember, monkeypatch, rows, capsys):
    monkeypatch.setattr(months, "_LARGE", 64 * 1024)
    second = months.months()[1]
    kept = _fill(second, remember, shop, rows)
    before, began = _size(second.name), time.perf_counter()

    # Rows that a snapshot of another session may still see (autovacuum's ANALYZE has one) stay until a later night.
    def is_small():
        months.drop_emptied(now=second.end + months.LATE)
        return _size(second.name) < before / 4

    until(is_small, "the month is written anew")

    with capsys.disabled():
        print(f"\n{rows:,} rows: {before:,} -> {_size(second.name):,} bytes in {time.perf_counter() - began:.2f} s")
    assert second.name in _names()
    assert list(Event.objects.values_list("pk", flat=True)) == [kept.pk]


@COMMITTING
@pytest.mark.parametrize("limits", [{"_FEW_ROWS": 0, "_LARGE": 1}, {"_LARGE": 1 << 40}])
def test_a_month_of_many_rows_and_a_small_one_are_left(own_months, shop, remember, monkeypatch, limits):
    for name, limit in limits.items():
        monkeypatch.setattr(months, name, limit)
    second = months.months()[1]
    _fill(second, remember, shop, 500)
    before = _size(second.name)

    months.drop_emptied(now=second.end + months.LATE)

    assert _size(second.name) == before


@COMMITTING
def test_a_month_that_is_read_just_now_waits_for_another_night(own_months, shop, remember, monkeypatch):
    monkeypatch.setattr(months, "_LARGE", 1)
    monkeypatch.setattr(months, "_WAIT_MS", 50)
    second = months.months()[1]
    kept = _fill(second, remember, shop, 500)
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as reader:
            reader.execute("SELECT count(*) FROM personalization_event")
            months.drop_emptied(now=second.end + months.LATE)
    finally:
        other.close()

    assert list(Event.objects.values_list("pk", flat=True)) == [kept.pk]
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)
