"""Shape of a person's lists by the rule of ranking of a purpose.

What is tried out is drawn anew each day for each person and purpose, so that a list does not change while it is looked
at.
"""

import json
import time
from collections.abc import Collection
from hashlib import blake2b
from uuid import UUID

import psycopg
from django.db import DatabaseError

from common.postgres.prepared import PreparedStatement
from personalization.recommender.shaping.shapes import Known, Shape
from policies.bundles.loading import LoadedBundle

_TEXT, _INT = 25, 23
_TRUE = b"\x01"
_DAY_S = 86_400
# Small: few items on offer. Tried out: nothing that the law, a rule of display or the register of sensitive kinds is
# about, and nothing whose place is paid for.
_KNOWN = PreparedStatement(
    "assent_known_of_items",
    """
    SELECT slug,
      creator <> '' AND (SELECT count(*) FROM personalization_item o WHERE o.creator = i.creator AND o.is_active) <= $2,
      NOT is_promoted AND min_age IS NULL AND legal_flags = '[]' AND restricted_regions = '[]'
        AND NOT categories ?| ARRAY(SELECT jsonb_array_elements_text($3::jsonb))
    FROM personalization_item i WHERE slug = ANY (string_to_array($1, ','))
    """,
    [_TEXT, _INT, _TEXT],
    binary=True,
    timeout_ms=1_000,
)


def shape_of(bundle: LoadedBundle, purpose: str, subject_ref: UUID, *, may_try: bool) -> Shape | None:
    """Return the shape of a person's lists; None where the purpose has no rule, or one that shapes nothing.

    Without ``may_try`` nothing is tried out: what a person has to approve first is not drawn anew each day.
    """
    rule = bundle.ranking(purpose)
    if not rule:
        return None
    shape = Shape(
        variety=rule.get("variety", 0) / 100,
        novelty=rule.get("novelty", 0) / 100,
        balance=rule.get("balance", 0) / 100,
        tried=rule.get("tried_share", 0) / 100 if may_try else 0.0,
        small=rule.get("small_creator_share", 0) / 100,
        seed=_seed(subject_ref, purpose),
        known=_Knowing(rule.get("small_creator_items", 0), restricted(bundle)),
    )
    return shape if shape.has_objectives or shape.has_shares else None


def restricted(bundle: LoadedBundle) -> frozenset[str]:
    """Return the categories that are never tried out: sensitive ones, and all that any rule of display names."""
    rules = bundle.data.get("display_rules", {}).values()
    return bundle.sensitive.union(*(rule["item_categories"] for rule in rules))


class _Knowing:
    """What the database knows of items; nothing is small or tried out where it does not answer."""

    def __init__(self, most_items: int, restricted_kinds: Collection[str]) -> None:
        self._most_items, self._restricted = most_items, json.dumps(sorted(restricted_kinds))

    def __call__(self, items: list[str]) -> Known:
        asked = ",".join(items).encode(), self._most_items.to_bytes(4, "big"), self._restricted.encode()
        try:
            result = _KNOWN.execute(asked)
        except (psycopg.Error, DatabaseError):
            return Known()
        small, tried = set[str](), set[str]()
        for row in range(result.ntuples):
            item = (result.get_value(row, 0) or b"").decode()
            small.update([item] if result.get_value(row, 1) == _TRUE else ())
            tried.update([item] if result.get_value(row, 2) == _TRUE else ())
        return Known(small, tried)


def _seed(subject_ref: UUID, purpose: str) -> int:
    day = int(time.time()) // _DAY_S
    digest = blake2b(b"%s %s %d" % (subject_ref.bytes, purpose.encode(), day), digest_size=8).digest()
    return int.from_bytes(digest, "big")
