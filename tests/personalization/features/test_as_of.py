"""Features as of a moment, against the same in plain Python: the future is never seen, nor what came in later."""

import pyarrow as pa
import pytest
from hypothesis import strategies as st

from common.analytics.duckdb import DuckDB
from personalization.features import queries
from personalization.features.definitions import OWN, Definition, Kind
from personalization.training_data.queries import KINDS, number_of
from tests.helpers.scale import property_test

DAY = 86_400_000_000
BASE = 1_700_000_000_000_000
ALL = [
    *OWN.values(),
    Definition(
        name="rated", version=3, kind=Kind.COUNT, events=("rating",), window_days=1, purpose="p", freshness_s=1,
        owner="o",
    ),
]  # fmt: skip
# Hours, so that moments, events and ends of windows meet.
HOURS = st.integers(0, 40).map(lambda hour: BASE + hour * DAY // 8)
EVENTS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3), st.sampled_from(range(len(KINDS))), HOURS, st.integers(0, 9)),
    max_size=30,
)
ASKED = st.sets(st.tuples(st.integers(0, 3), HOURS), min_size=1, max_size=6)


@pytest.fixture
def engine(tmp_path):
    opened = DuckDB(tmp_path, memory_mb=128)
    yield opened
    opened.close()


def _found(engine, events, asked, definitions=ALL):
    person, item, kind, moment, late = (list(column) for column in zip(*events, strict=True)) if events else [[]] * 5
    received = [at + hours * DAY // 24 for at, hours in zip(moment, late, strict=True)]
    columns = {"person": person, "item": item, "kind": kind}
    table = {name: pa.array(values, pa.int32()) for name, values in columns.items()}
    times = {"moment": moment, "received": received}
    engine.add("events", pa.table({**table, **{name: pa.array(values, pa.int64()) for name, values in times.items()}}))
    who, when = zip(*sorted(asked), strict=True)
    engine.add("asked", pa.table({"person": pa.array(who, pa.int32()), "moment": pa.array(when, pa.int64())}))
    return engine.table(queries.as_of(definitions)).to_pylist()


def _expected(definition, events, person, moment):
    known = [
        (at, item)
        for who, item, kind, at, late in events
        if who == person and at < moment and at + late * DAY // 24 <= moment and KINDS[kind] in definition.events
        and (definition.window_days is None or at >= moment - definition.window_days * DAY)
    ]  # fmt: skip
    if definition.kind == Kind.COUNT:
        return len(known)
    if definition.kind == Kind.ITEMS:
        return len({item for _, item in known})
    return (moment - max(at for at, _ in known)) // 1_000_000 if known else None


@property_test(60, 3_000, events=EVENTS, asked=ASKED)
def test_features_are_what_was_known_at_the_moment(engine, events, asked):
    rows = _found(engine, events, asked)

    assert [(row["person"], row["moment"]) for row in rows] == sorted(asked)
    for row in rows:
        for each in ALL:
            assert row[each.column] == _expected(each, events, row["person"], row["moment"]), each


@property_test(40, 1_000, events=EVENTS, later=EVENTS, asked=ASKED)
def test_what_comes_later_changes_nothing(engine, events, later, asked):
    newest = max(moment for _, moment in asked)
    after = [(who, item, kind, newest + at - BASE, late) for who, item, kind, at, late in later]

    assert _found(engine, [*events, *after], asked) == _found(engine, events, asked)


def test_an_event_counts_from_when_it_came_in(engine):
    like, day = number_of("like"), DAY
    event = (0, 1, like, BASE, 9)

    before, after = _found(engine, [event], {(0, BASE + day // 4), (0, BASE + day)})

    assert (before["likes_v1"], after["likes_v1"]) == (0, 1)
    assert (before["since_last_v1"], after["since_last_v1"]) == (None, 86_400)
