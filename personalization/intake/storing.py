"""Storage of events: one statement for all events of a request, ordered against withdrawals by the people's rows.

The row locks order the insert and a withdrawal: whichever commits first, nothing is stored after a "no". People are
locked in the order of their pseudonyms, so two requests about the same people wait for each other and cannot deadlock.

The key of an event is its time and its id, which finds a repeat. One with another time is looked for by its id alone,
which costs the same for people with a hundred events and with thousands.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from django.db import connection

from common.postgres import arrays
from common.postgres.arrays import FLOATS, MOMENTS, NUMBERS, TEXTS, UUIDS
from common.postgres.prepared import PreparedStatement
from personalization.events import NewEvent

# What happened, as a repeat of it says it again.
_TYPES = [UUIDS, UUIDS, TEXTS, TEXTS, TEXTS, NUMBERS, TEXTS, TEXTS, MOMENTS]
_prepared = partial(PreparedStatement, binary=True, timeout_ms=30_000)  # it waits for a withdrawal that is under way
STORE = _prepared(
    "assent_store_events",
    """
WITH given AS MATERIALIZED (
  SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) AS g(
    id, subject_ref, purpose, kind, item_id, value, amount, currency, occurred_at, revision, weight
  )
), locked AS MATERIALIZED (
  SELECT ref, revision FROM consent_datasubject WHERE ref = ANY ($12) ORDER BY ref FOR SHARE
), allowed AS MATERIALIZED (
  SELECT g.* FROM given g JOIN locked l ON l.ref = g.subject_ref AND l.revision = g.revision
), before AS MATERIALIZED (
  SELECT a.id FROM allowed a JOIN personalization_event e
    ON e.id = a.id AND e.occurred_at BETWEEN a.occurred_at - interval '35 days' AND a.occurred_at + interval '35 days'
), stored AS (
  INSERT INTO personalization_event
    (id, subject_ref, purpose, kind, item_id, value, amount, currency, weight, occurred_at, received_at)
  SELECT id, subject_ref, purpose, kind, item_id, value::smallint, amount::numeric, currency, weight, occurred_at,
    clock_timestamp()
  FROM allowed WHERE id NOT IN (SELECT id FROM before)
  ON CONFLICT DO NOTHING RETURNING id
)
SELECT id, true FROM stored UNION ALL SELECT id, false FROM allowed WHERE id NOT IN (SELECT id FROM stored)
""",
    [*_TYPES, NUMBERS, FLOATS, UUIDS],
)
_IS_STORED = _prepared(
    "assent_is_stored",
    """
SELECT e.id FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) AS g(
  id, subject_ref, purpose, kind, item_id, value, amount, currency, occurred_at
)
JOIN personalization_event e USING (id, subject_ref, purpose, kind, item_id, occurred_at)
WHERE (e.value, e.amount, e.currency) IS NOT DISTINCT FROM (g.value::smallint, g.amount::numeric, g.currency)
""",
    _TYPES,
)
_TAKEN = _prepared(
    "assent_items_taken",
    "SELECT slug FROM personalization_item WHERE slug = ANY ($1) AND removed_at IS NULL",
    [TEXTS],
)
_TRUE = b"\x01"
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Stored:
    """What became of events, by key: stored anew, the same as one that is stored, or another under a known id.

    Of a key in none of the three the person's choices have moved since the decision: nothing was stored.
    """

    new: frozenset[bytes]
    repeated: frozenset[bytes]
    taken: frozenset[bytes]


def store(events: Sequence[NewEvent], revisions: Sequence[int]) -> Stored:
    """Store events of different keys, each permitted as of its person's revision; in one transaction."""
    people = {event.subject_ref for event in events}  # the statement puts them in order
    rows = _rows(
        STORE,
        *_columns(events),
        arrays.numbers(revisions),
        arrays.floats([event.weight() for event in events]),
        arrays.uuids(people),
    )
    new = frozenset([key for key, is_new in rows if is_new == _TRUE])
    known = frozenset([key for key, is_new in rows if is_new != _TRUE])
    if not known:
        return Stored(new, known, known)
    rows = _rows(_IS_STORED, *_columns([event for event in events if event.key in known]))
    same = frozenset([key for (key,) in rows])
    return Stored(new, known & same, known - same)


def known_items(items: Iterable[str]) -> frozenset[str]:
    """Return those of the items that are in the catalogue, switched off or not; a removed one is not."""
    return frozenset(slug.decode() for (slug,) in _rows(_TAKEN, arrays.texts(sorted(set(items)))))


def executions() -> int:
    """Return how many statements of this module were executed, which tests count."""
    return sum(statement.executions for statement in (STORE, _IS_STORED, _TAKEN))


def _columns(events: Sequence[NewEvent]) -> list[bytes]:
    """Return what happened, as arrays."""
    return [
        arrays.uuids_of_bytes([event.key for event in events]),
        arrays.uuids([event.subject_ref for event in events]),
        arrays.texts([event.purpose for event in events]),
        arrays.texts([event.kind for event in events]),
        arrays.texts([event.item for event in events]),
        arrays.numbers(_given([event.value for event in events])),
        arrays.texts(_given([None if event.amount is None else str(event.amount) for event in events])),
        arrays.texts(_given([event.currency for event in events])),
        arrays.moments([event.occurred_at for event in events]),
    ]


def _given(values: list[_Value]) -> list[_Value]:
    """Return the values, or none where none is given: PostgreSQL fills a shorter array up with NULL."""
    return values if any(value is not None for value in values) else []


def _rows(statement: PreparedStatement, *parameters: bytes) -> list[list[bytes]]:
    with connection.wrap_database_errors:
        result = statement.execute(parameters)
    columns = range(result.nfields)
    return [[result.get_value(row, column) or b"" for column in columns] for row in range(result.ntuples)]
