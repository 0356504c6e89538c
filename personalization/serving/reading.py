"""What an answer needs of the database, by prepared statements: a person's history, items on offer, the general list.

A row of a history is three short values, so a whole one comes as three lists in JSON: to take hundreds of rows out of a
result one by one costs more than to decide.
"""

import json
from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple, Self
from uuid import UUID

import msgspec
import psycopg
from django.db import DatabaseError

from common.postgres.prepared import PreparedStatement
from personalization import events
from personalization.creators.opt_outs import OFFERED
from personalization.models import Event
from personalization.recommender.interactions import Interaction, Touches
from personalization.rules.hidden import EVERYTHING, PROMOTED, Hidden

TIMEOUT_MS = 1_000
_prepared = partial(PreparedStatement, binary=True, timeout_ms=TIMEOUT_MS)
_UUID, _TEXT, _INT = 2950, 25, 23
_TRUE = "\x01"
_DISMISSED_S = round(events.DISMISSED_FOR.total_seconds())
# A dismissal that is over says nothing. The newest first, by the index of the window.
_HISTORY = _prepared(
    "assent_history",
    """
    SELECT json_agg(item_id), json_agg(kind), json_agg(weight)
    FROM (
      SELECT item_id, kind, weight FROM personalization_event
      WHERE subject_ref = $1 AND purpose = $2 AND kind = ANY (string_to_array($3, ','))
        AND (kind <> 'dismiss' OR occurred_at > now() - make_interval(secs => $5))
      ORDER BY occurred_at DESC LIMIT $4
    ) newest
    """,
    [_UUID, _TEXT, _TEXT, _INT, _INT],
)
# Tags that are hidden, as a JSON list in the last parameter; empty: all that any rule could hide.
_IS_SHOWN = f"""NOT i.tags ?| ARRAY(
      SELECT jsonb_array_elements_text(COALESCE(NULLIF({{}}, '')::jsonb, (
        SELECT COALESCE(jsonb_agg(category), '[]') || '{json.dumps(sorted(EVERYTHING))}'
        FROM policies_displayrule, jsonb_array_elements(item_categories) category
      )))
    )"""  # noqa: S608 (a constant)
# A join with the ids asked for would find each by the index too, and costs half as much again as one scan of it.
_ENTRIES = _prepared(
    "assent_items",
    f"""
    SELECT slug, title, tags::text, {OFFERED}
    FROM personalization_item i WHERE slug = ANY (string_to_array($1, ',')) AND removed_at IS NULL
    """,  # noqa: S608 (a constant)
    [_TEXT],
)
_FOLLOWING = _prepared(
    "assent_items_following",
    f"""
    SELECT slug, title, tags::text, {OFFERED}
    FROM personalization_item i WHERE slug > $1 AND removed_at IS NULL ORDER BY slug LIMIT $2
    """,  # noqa: S608 (a constant)
    [_TEXT, _INT],
)
# One item after the other along the ranks, until there are enough: LIMIT and OFFSET keep the planner from joining and
# sorting whole tables instead, which it does where it has no statistics yet.
_GENERAL = _prepared(
    "assent_general_list",
    f"""
    SELECT i.slug, i.title,
      CASE WHEN i.is_promoted THEN 'promoted' WHEN p.is_pick THEN 'editorial' ELSE 'popular' END
    FROM personalization_popularitem p CROSS JOIN LATERAL (
      SELECT slug, title, is_promoted FROM personalization_item i
      WHERE slug = p.item_id AND i.is_active
        AND NOT EXISTS (SELECT FROM personalization_creatoroptout o WHERE o.creator = i.creator OFFSET 0)
        AND {_IS_SHOWN.format("$2")}
      LIMIT 1
    ) i
    ORDER BY p.rank LIMIT $1
    """,  # noqa: S608 (a constant)
    [_INT, _TEXT],
)
# The order is that of popularity; what is in no list of it comes after, in the caller's order.
_GENERAL_AMONG = _prepared(
    "assent_general_among",
    f"""
    SELECT i.slug, i.title, CASE WHEN i.is_promoted THEN 'promoted' ELSE 'popular' END, (count(*) OVER ())::text
    FROM unnest(string_to_array($1, ',')) WITH ORDINALITY candidate (slug, place)
    JOIN personalization_item i ON i.slug = candidate.slug
    LEFT JOIN personalization_popularitem p ON p.item_id = i.slug
    WHERE {OFFERED} AND {_IS_SHOWN.format("$3")}
    ORDER BY p.rank, candidate.place LIMIT $2
    """,  # noqa: S608 (a constant)
    [_TEXT, _INT, _TEXT],
)


class ReadingFailed(Exception):
    """The database did not answer in time."""


@dataclass(frozen=True)
class History:
    """What a level may use: touches of items, which of them say that the person likes it, and what got a no."""

    touches: tuple[Interaction, ...] | Touches = ()
    liked: Container[str] = frozenset()
    unwanted: frozenset[str] = frozenset()

    @classmethod
    def of(cls, newest_first: Iterable[tuple[str, str, float]]) -> "History":
        """Sort events of items, kinds and weights.

        What came before a no about the same item counts no longer, unless the no was taken back.
        """
        touches: list[Interaction] = []
        liked: set[str] = set()
        unwanted: set[str] = set()
        taken_back: set[str] = set()
        for age, (item, kind, weight) in enumerate(newest_first):
            if weight:
                if item not in unwanted:
                    touches.append(Interaction(item, weight, -age))
                    # A look says nothing about liking, nor does a rating in the middle.
                    if kind in LIKING or weight > events.MIDDLE:
                        liked.add(item)
            elif kind == Event.Kind.UNDO:
                taken_back.add(item)
            elif item not in taken_back or kind == Event.Kind.RATING:
                unwanted.add(item)
        return cls(tuple(touches), frozenset(liked), frozenset(unwanted))


LIKING = frozenset({Event.Kind.LIKE, Event.Kind.PURCHASE})


def executions() -> int:
    """Return how many statements of this module were executed, which tests count."""
    return sum(statement.executions for statement in (_HISTORY, _ENTRIES, _FOLLOWING, _GENERAL, _GENERAL_AMONG))


def history(subject_ref: UUID, purpose: str, kinds: Collection[str], limit: int) -> History:
    """Return what a person did under a purpose, the newest ``limit`` events of the kinds. Raises ReadingFailed."""
    asked = subject_ref.bytes, purpose.encode(), ",".join(kinds).encode(), _int(limit), _int(_DISMISSED_S)
    [row] = _rows(_HISTORY, *asked)
    if row[0] is None:
        return History()
    return History.of(zip(*map(json.loads, row), strict=True))


class Entry(NamedTuple):
    """Item of the catalogue: its title, what rules of display look for, and whether it may be recommended at all.

    ``begun``: the JSON object that names it, up to its title.
    """

    title: str
    tags: frozenset[str]
    is_offered: bool
    begun: str

    @classmethod
    def of(cls, item: str, title: str, tags: Iterable[str] = (), *, is_offered: bool = True) -> Self:
        return cls(title, frozenset(tags), is_offered, _encode({"item": item, "title": title})[:-1].decode())

    @property
    def is_promoted(self) -> bool:
        """Return whether its place is paid for."""
        return PROMOTED in self.tags


_encode = msgspec.json.Encoder().encode


def entries(items: Collection[str]) -> Mapping[str, Entry]:
    """Return those of the items that are in the catalogue and not removed. Raises ReadingFailed."""
    return _entries(_ENTRIES, ",".join(items).encode())


def following(item: str, count: int) -> dict[str, Entry]:
    """Return up to ``count`` items of the catalogue whose ids come next to one, in order. Raises ReadingFailed."""
    return _entries(_FOLLOWING, item.encode(), _int(count))


def _entries(statement: PreparedStatement, *parameters: bytes) -> dict[str, Entry]:
    return {
        item: Entry.of(item, title, json.loads(tags), is_offered=is_offered == _TRUE)
        for item, title, tags, is_offered in _rows(statement, *parameters)
    }


def general(count: int, hidden: Hidden = frozenset()) -> list[tuple[str, str, str]]:
    """Return items, titles and bases of the list that everybody gets, without what is hidden. Raises ReadingFailed."""
    return _rows(_GENERAL, _int(count), _json(hidden))


def general_among(
    candidates: Collection[str], count: int, hidden: Hidden = frozenset()
) -> tuple[list[tuple[str, str, str]], int]:
    """Return the same of a caller's own items, and how many of them are on offer. Raises ReadingFailed."""
    rows = _rows(_GENERAL_AMONG, ",".join(candidates).encode(), _int(count), _json(hidden))
    return [(item, title, basis) for item, title, basis, _ in rows], int(rows[0][3]) if rows else 0


@lru_cache(maxsize=1024)
def _json(hidden: Hidden) -> bytes:
    return b"" if hidden is None else json.dumps(sorted(hidden)).encode()


def _int(number: int) -> bytes:
    return number.to_bytes(4, "big")


def _rows(statement: PreparedStatement, *parameters: bytes) -> list[Any]:
    try:
        result = statement.execute(parameters)
    except (psycopg.Error, DatabaseError) as exc:  # the second where it cannot even connect
        raise ReadingFailed from exc
    width = range(result.nfields)
    return [
        tuple(None if (cell := result.get_value(row, column)) is None else cell.decode() for column in width)
        for row in range(result.ntuples)
    ]
