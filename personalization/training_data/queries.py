"""Queries of a training over its tables (``reading``): each is written once, and every engine gives the same rows.

``events``: person, item, kind, value (-1: none), weight, moment, received, tie. ``catalogue``: item. Times are
microseconds since 1970; ``tie`` orders events of one moment, by their ids.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from common.analytics.engine import Query, Type
from personalization.event_store import refusals
from personalization.models import Event

Kind = Event.Kind
KINDS: Final[Sequence[str]] = tuple(Kind.values)
"""A kind's number is its place here."""


def number_of(kind: str) -> int:
    return KINDS.index(kind)


_REFUSED = refusals.refused(
    events="events", by=("person", "item"), moment="moment", kind=lambda kind: str(number_of(kind))
)
POSITIVE: Final = Query(
    f"""
    WITH {_REFUSED}
    SELECT e.person, e.item, e.weight, e.moment, e.tie
    FROM events e
    JOIN catalogue c ON c.item = e.item
    LEFT JOIN refused r ON r.person = e.person AND r.item = e.item
    WHERE {refusals.speaks("moment")}
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
"""What the people did that speaks for an item of the catalogue."""
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
