"""Events of the people who permit training, out of PostgreSQL as numbers: to the tables that queries read.

People and items are joined with what they are numbered by in the database, so a row is eight numbers of fixed width and
none of it is a Python object. Nothing of anybody else leaves the database.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
from django.db import connection, transaction
from numpy.typing import NDArray

from common.analytics import opening
from common.analytics.engine import Engine
from common.postgres import fixed_rows
from common.postgres.copy_text import copy_line, copy_rows
from personalization import engine as recommender
from personalization.features import queries as feature_queries
from personalization.features.definitions import Definition
from personalization.monitors.inputs import Counted
from personalization.recommender import interactions as rec
from personalization.recommender.coded import Coded
from personalization.training_data import queries

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = {
    "person": fixed_rows.INT4,
    "item": fixed_rows.INT4,
    "kind": fixed_rows.INT2,
    "value": fixed_rows.INT2,
    "weight": fixed_rows.FLOAT8,
    "moment": fixed_rows.TIMESTAMPTZ,
    "received": fixed_rows.TIMESTAMPTZ,
    "tie": fixed_rows.UUID,
}
_TYPES: Mapping[str, type[np.generic]] = {
    "person": np.int32, "item": np.int32, "kind": np.int16, "value": np.int16, "weight": np.float64,
    "moment": np.int64, "received": np.int64,
}  # fmt: skip
_KIND = " ".join(f"WHEN '{kind}' THEN {number}" for number, kind in enumerate(queries.KINDS))
_EVENTS = f"""
SELECT p.number, i.number, (CASE e.kind {_KIND} END)::int2, COALESCE(e.value, -1)::int2, e.weight,
  e.occurred_at, e.received_at, e.id
FROM personalization_event e JOIN training_asked p ON p.ref = e.subject_ref JOIN training_items i ON i.slug = e.item_id
WHERE e.purpose = %s
"""  # noqa: S608 (kinds of ours)


@dataclass(frozen=True, eq=False)
class Tables:
    """The tables of a training in an engine. People and items are numbered by their place."""

    engine: Engine
    people: Sequence[UUID]
    items: Sequence[str]
    segments: dict[rec.Person, str]

    def interactions(self) -> rec.Interactions:
        """Return what speaks for an item of the catalogue, by person and time."""
        found = self.engine.table(queries.POSITIVE)
        return rec.Interactions(
            person=Coded(_array(found["person"]), [ref.bytes for ref in self.people]),
            item=Coded(_array(found["item"]), self.items),
            weight=_array(found["weight"]),
            time=_array(found["moment"]) / 1e6,
        )

    def ratings(self, of: rec.Interactions) -> rec.Interactions:
        """Return the ratings of the people in the interactions, each as the weight, by person and time."""
        found = self.engine.table(queries.RATINGS)
        rows = rec.Interactions(
            person=Coded(_array(found["person"]), [ref.bytes for ref in self.people]),
            item=Coded(_array(found["item"]), self.items),
            weight=_array(found["value"]).astype(np.float64),
            time=_array(found["moment"]) / 1e6,
        )
        return rows.rows(np.flatnonzero(np.isin(rows.people.codes, of.people.codes)))

    def inputs(self) -> list[Counted]:
        """Return how many events there are of each kind, value and item."""
        return [
            (
                queries.KINDS[row["kind"]],
                row["value"] if row["value"] >= 0 else None,
                self.items[row["item"]],
                row["events"],
            )
            for row in self.engine.table(queries.INPUTS).to_pylist()
        ]

    def features(self, definitions: Sequence[Definition], moment: datetime) -> Any:
        """Return the features of all people as of a moment, a row a person by their number."""
        self.engine.add(
            "asked",
            pa.table(
                {
                    "person": pa.array(range(len(self.people)), pa.int32()),
                    "moment": pa.array([_microseconds(moment)] * len(self.people), pa.int64()),
                }
            ),
        )
        return self.engine.table(feature_queries.as_of(definitions))


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


@contextmanager
def tables(people: Sequence[UUID], catalogue: Sequence[str], *, purpose: str) -> Iterator[Tables]:
    """Read the events of people under a purpose, as of one moment; ``catalogue`` are the items to learn about."""
    with opening.engine() as engine:
        ordered = sorted(people, key=lambda ref: ref.bytes)
        items, segments, events = _read(ordered, purpose)
        places = {slug: number for number, slug in enumerate(items)}
        engine.add("events", events)
        engine.add("catalogue", pa.table({"item": pa.array([places[slug] for slug in catalogue], pa.int32())}))
        del events
        yield Tables(engine, ordered, items, segments)


@transaction.atomic
def _read(people: Sequence[UUID], purpose: str) -> tuple[list[str], dict[rec.Person, str], Any]:
    """Return all items, the segments of the people, and their events."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE training_asked (number int4, ref uuid PRIMARY KEY) ON COMMIT DROP")
        copy_rows(
            cursor, "COPY training_asked FROM STDIN", (copy_line(number, str(ref)) for number, ref in enumerate(people))
        )
        cursor.execute("ANALYZE training_asked")
        cursor.execute(
            "CREATE TEMPORARY TABLE training_items (number int4, slug varchar(64) PRIMARY KEY) ON COMMIT DROP"
        )
        # By bytes, as Python sorts: the order of numbers is that of ids.
        cursor.execute(
            'INSERT INTO training_items SELECT row_number() OVER (ORDER BY slug COLLATE "C") - 1, slug'
            " FROM personalization_item"
        )
        cursor.execute("ANALYZE training_items")
        cursor.execute("SELECT slug FROM training_items ORDER BY number")
        items = [slug for (slug,) in cursor]
        cursor.execute("SELECT number, region, age_band FROM consent_datasubject JOIN training_asked USING (ref)")
        segments = {people[number].bytes: recommender.segment_key(*of) for number, *of in cursor}
        events = _events(purpose)
        cursor.execute("DROP TABLE training_asked, training_items")  # within a caller's transaction too
        return items, segments, events


def _events(purpose: str) -> Any:
    batches = [_batch(rows) for rows in fixed_rows.read(_EVENTS, _COLUMNS, [purpose])]
    return pa.Table.from_batches(batches)


def _batch(rows: NDArray[Any]) -> Any:
    """Return rows of the database as an Arrow batch, times counted from 1970."""
    columns = {name: rows[name].astype(kind) for name, kind in _TYPES.items()}
    columns["moment"] += fixed_rows.EPOCH_US
    columns["received"] += fixed_rows.EPOCH_US
    columns["tie"] = np.ascontiguousarray(rows["tie"]).view(">i8")[::2].astype(np.int64)
    return pa.RecordBatch.from_pydict(columns)


def _array(column: Any) -> NDArray[Any]:
    return np.asarray(column)
