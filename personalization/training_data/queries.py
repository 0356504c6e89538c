"""Queries of a training over its tables (``reading``): each is written once, and every engine gives the same rows.

``events``: person, item, kind, value (-1: none), weight, moment, received, tie. ``catalogue``: item. Times are
microseconds since 1970; ``tie`` orders events of one moment, by their ids.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from common.analytics.engine import Query, Type
from personalization.models import Event

Kind = Event.Kind
KINDS: Final[Sequence[str]] = tuple(Kind.values)
"""A kind's number is its place here."""


def number_of(kind: str) -> int:
    return KINDS.index(kind)


# What an event says of its item ends where the person says no to the item, unless they took that back.
_REFUSED = f"""
taken_back AS (
  SELECT person, item, max(moment) AS until FROM events WHERE kind = {number_of(Kind.UNDO)} GROUP BY person, item
), refused AS (
  SELECT e.person, e.item, max(e.moment) AS until
  FROM events e LEFT JOIN taken_back t ON t.person = e.person AND t.item = e.item
  WHERE (e.kind = {number_of(Kind.NOT_RELEVANT)} AND (t.until IS NULL OR t.until < e.moment))
    OR (e.kind = {number_of(Kind.RATING)} AND e.weight = 0)
  GROUP BY e.person, e.item
)
"""  # noqa: S608 (numbers of ours)
POSITIVE: Final = Query(
    f"""
    WITH {_REFUSED}
    SELECT e.person, e.item, e.weight, e.moment, e.tie
    FROM events e
    JOIN catalogue c ON c.item = e.item
    LEFT JOIN refused r ON r.person = e.person AND r.item = e.item
    WHERE e.weight > 0 AND (r.until IS NULL OR r.until < e.moment)
    """,  # noqa: S608 (as above)
    {
        "person": Type.SMALL,
        "item": Type.SMALL,
        "weight": Type.FLOAT,
        "moment": Type.INTEGER,
        "tie": Type.INTEGER,
    },
    ("person", "moment", "tie"),
)
"""What the people did that speaks for an item of the catalogue: as ``personalization.events.positive``."""
INPUTS: Final = Query(
    "SELECT kind, value, item, count(*) AS events FROM events GROUP BY kind, value, item",
    {"kind": Type.SMALL, "value": Type.SMALL, "item": Type.SMALL, "events": Type.INTEGER},
    ("kind", "value", "item"),
)
"""How many events there are of each kind, value and item: what monitors compare later events with."""
RATINGS: Final = Query(
    f"""
    SELECT e.person, e.item, e.value, e.moment, e.tie FROM events e JOIN catalogue c ON c.item = e.item
    WHERE e.kind = {number_of(Kind.RATING)} AND e.value BETWEEN 1 AND 5
    """,  # noqa: S608 (as above)
    {"person": Type.SMALL, "item": Type.SMALL, "value": Type.SMALL, "moment": Type.INTEGER, "tie": Type.INTEGER},
    ("person", "moment", "tie"),
)
"""Ratings of items of the catalogue, low ones too: what predicted ratings are held against."""
QUERIES: Final[Mapping[str, Query]] = {"positive": POSITIVE, "inputs": INPUTS, "ratings": RATINGS}
