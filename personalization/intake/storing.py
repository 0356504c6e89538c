"""Storage of events: one statement for all events of a request, ordered against withdrawals by the people's rows.

The row locks order the insert and a withdrawal: whichever commits first, nothing is stored after a "no". People are
locked in the order of their pseudonyms, so two requests about the same people wait for each other and cannot deadlock.

The key of an event is its time and its id, which finds a repeat. One with another time is looked for by its id alone,
which costs the same for people with a hundred events and with thousands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from common.postgres import binary
from personalization.events import NewEvent

_STORE = """
WITH given AS MATERIALIZED (
  SELECT * FROM unnest(
    %(ids)s::uuid[], %(refs)s::uuid[], %(revisions)s::bigint[], %(purposes)s::text[], %(kinds)s::text[],
    %(items)s::text[], %(values)s::smallint[], %(amounts)s::numeric[], %(currencies)s::text[],
    %(weights)s::float8[], %(moments)s::timestamptz[]
  ) AS g(id, subject_ref, revision, purpose, kind, item_id, value, amount, currency, weight, occurred_at)
), locked AS MATERIALIZED (
  SELECT ref, revision FROM consent_datasubject WHERE ref = ANY (%(people)s::uuid[]) ORDER BY ref FOR SHARE
), allowed AS MATERIALIZED (
  SELECT g.* FROM given g JOIN locked l ON l.ref = g.subject_ref AND l.revision = g.revision
), before AS MATERIALIZED (
  SELECT a.id FROM allowed a JOIN personalization_event e
    ON e.id = a.id AND e.occurred_at BETWEEN a.occurred_at - interval '35 days' AND a.occurred_at + interval '35 days'
), stored AS (
  INSERT INTO personalization_event
    (id, subject_ref, purpose, kind, item_id, value, amount, currency, weight, occurred_at, received_at)
  SELECT id, subject_ref, purpose, kind, item_id, value, amount, currency, weight, occurred_at, clock_timestamp()
  FROM allowed WHERE id NOT IN (SELECT id FROM before)
  ON CONFLICT DO NOTHING RETURNING id
)
SELECT id, true FROM stored UNION ALL SELECT id, false FROM allowed WHERE id NOT IN (SELECT id FROM stored)
"""
_IS_STORED = """
SELECT e.id FROM unnest(
  %(ids)s::uuid[], %(refs)s::uuid[], %(purposes)s::text[], %(kinds)s::text[], %(items)s::text[],
  %(values)s::smallint[], %(amounts)s::numeric[], %(currencies)s::text[], %(moments)s::timestamptz[]
) AS g(id, subject_ref, purpose, kind, item_id, value, amount, currency, occurred_at)
JOIN personalization_event e USING (id, subject_ref, purpose, kind, item_id, occurred_at)
WHERE (e.value, e.amount, e.currency) IS NOT DISTINCT FROM (g.value, g.amount, g.currency)
"""
_TAKEN = "SELECT slug FROM personalization_item WHERE slug = ANY (%(items)s::text[]) AND removed_at IS NULL"


@dataclass(frozen=True)
class Stored:
    """What became of events, by key: stored anew, the same as one that is stored, or another under a known id.

    Of a key in none of the three the person's choices have moved since the decision: nothing was stored.
    """

    new: frozenset[UUID]
    repeated: frozenset[UUID]
    taken: frozenset[UUID]


def store(events: Sequence[NewEvent], revisions: Sequence[int]) -> Stored:
    """Store events of different keys, each permitted as of its person's revision; in one transaction."""
    columns = _columns(events)
    given = {
        **columns,
        "revisions": list(revisions),
        "weights": [event.weight() for event in events],
        "people": sorted({event.subject_ref for event in events}),
    }
    rows = binary.rows(_STORE, given)
    new = frozenset(key for key, is_new in rows if is_new)
    known = frozenset(key for key, is_new in rows if not is_new)
    if not known:
        return Stored(new, known, known)
    same = frozenset(key for (key,) in binary.rows(_IS_STORED, _columns([e for e in events if e.key in known])))
    return Stored(new, known & same, known - same)


def known_items(items: Sequence[str]) -> frozenset[str]:
    """Return those of the items that are in the catalogue, switched off or not; a removed one is not."""
    return frozenset(slug for (slug,) in binary.rows(_TAKEN, {"items": sorted(set(items))}))


def _columns(events: Sequence[NewEvent]) -> dict[str, Any]:
    """Return what says what happened, as arrays: a repeat of an event has the same."""
    return {
        "ids": [event.key for event in events],
        "refs": [event.subject_ref for event in events],
        "purposes": [event.purpose for event in events],
        "kinds": [str(event.kind) for event in events],
        "items": [event.item for event in events],
        "values": _given([event.value for event in events]),
        "amounts": _given([event.amount for event in events]),
        "currencies": _given([event.currency for event in events]),
        "moments": [event.occurred_at for event in events],
    }


def _given(values: list[Any]) -> list[Any]:
    """Return the values, or none where none is given: PostgreSQL fills a shorter array up with NULL."""
    return values if any(value is not None for value in values) else []
