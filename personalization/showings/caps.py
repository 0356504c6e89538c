"""Frequency caps: an item, or a promotion, is shown to a person at most so often in so many days.

The decision says which caps bind (``cap_showings``), and only where the purpose names showings among its data and the
person permits it. Where it does not permit it, the policy hides promotions instead, so a cap on promotions holds; a cap
on ordinary items is a comfort of personal lists, and without counting there is none.

A showing is counted before it is shown, by one statement that looks and adds under the lock of its row: two requests at
once share the last place. It waits for a withdrawal of the person and stores nothing after it. A general list under a
cap on promotions has no promotions, because nothing is counted there.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from django.db import DatabaseError

from common.postgres import binary
from personalization.serving.reading import ReadingFailed
from policies.bundles.loading import LoadedBundle
from policies.decisions.evaluate import Decision

CATEGORY = "showings"
_DUTY = "cap_showings"
# Days of a showing that a cap counts.
_COUNTED = "(SELECT count(*) FROM unnest(s.days) d WHERE d > current_date - c.days)"
_CAPS = "unnest(%(most)s::int[], %(days)s::int[], %(promoted)s::bool[]) AS c(most, days, promoted)"
_FULL = f"""
SELECT s.item FROM personalization_showing s LEFT JOIN personalization_item i ON i.slug = s.item
WHERE s.subject_ref = %(ref)s::uuid AND s.purpose = %(purpose)s::text AND EXISTS (
  SELECT FROM {_CAPS} WHERE (i.is_promoted OR NOT c.promoted) AND {_COUNTED} >= c.most
)
"""  # noqa: S608 (constants)
# Items in the order of their names, so that two requests about the same person cannot wait for each other in a circle.
_COUNT = f"""
WITH person AS MATERIALIZED (
  SELECT FROM consent_datasubject WHERE ref = %(ref)s::uuid AND revision = %(revision)s::bigint FOR SHARE
), capped AS MATERIALIZED (
  SELECT slug, is_promoted FROM personalization_item
  WHERE slug = ANY (%(items)s::text[]) AND (is_promoted OR NOT (SELECT bool_and(promoted) FROM {_CAPS}))
  ORDER BY slug
), counted AS (
  INSERT INTO personalization_showing AS s (subject_ref, purpose, item, days, received_at)
  SELECT %(ref)s::uuid, %(purpose)s::text, slug, ARRAY[current_date], now() FROM capped, person
  WHERE NOT EXISTS (SELECT FROM {_CAPS} WHERE c.most < 1 AND (capped.is_promoted OR NOT c.promoted))
  ON CONFLICT (subject_ref, purpose, item) DO UPDATE SET received_at = now(), days = ARRAY(
    SELECT d FROM unnest(s.days) d WHERE d > current_date - (SELECT max(days) FROM {_CAPS}) ORDER BY d
  ) || current_date
  WHERE NOT EXISTS (
    SELECT FROM {_CAPS} JOIN capped ON capped.slug = s.item
    WHERE (capped.is_promoted OR NOT c.promoted) AND {_COUNTED} >= c.most
  )
  RETURNING s.item
)
SELECT slug FROM capped WHERE slug NOT IN (SELECT item FROM counted)
"""  # noqa: S608 (constants)


@dataclass(frozen=True)
class Caps:
    """Caps that bind a list for a person: each its most, its days, and whether it is about promotions only."""

    subject_ref: UUID
    purpose: str
    revision: int
    caps: tuple[tuple[int, int, bool], ...]

    @property
    def hide_promotions(self) -> bool:
        """Return whether a list whose showings are not counted has no promotions."""
        return any(promoted for *_, promoted in self.caps)

    def full(self) -> frozenset[str]:
        """Return the items that have been shown as often as they may. Raises ReadingFailed."""
        return _rows(_FULL, self._values()) if self.caps else frozenset()

    def count(self, items: Collection[str]) -> frozenset[str]:
        """Count items as shown; return those that may not be. Raises ReadingFailed, and then none is counted."""
        return _rows(_COUNT, {**self._values(), "items": list(items)}) if self.caps and items else frozenset()

    def _values(self) -> dict[str, Any]:
        most, days, promoted = ([each[place] for each in self.caps] for place in range(3))
        about = {"ref": self.subject_ref, "purpose": self.purpose, "revision": self.revision}
        return {**about, "most": most, "days": days, "promoted": promoted}


def asked(purpose: str, bundle: LoadedBundle) -> tuple[str, ...]:
    """Return the data that a question names for counting: nothing where no cap is registered, or none may count."""
    about = bundle.purposes.get(purpose) if bundle.data.get("frequency_caps") else None
    return (CATEGORY,) if about is not None and CATEGORY in about.data_categories else ()


def of(decision: Decision, subject_ref: UUID, purpose: str) -> Caps:
    """Return the caps that a decision sets."""
    said = (duty.properties for duty in decision.rendered.verdict.obligations if duty.type == _DUTY)
    return Caps(subject_ref, purpose, decision.subject_revision, tuple(_read(said)))


def _read(said: Iterable[Any]) -> Iterable[tuple[int, int, bool]]:
    for each in said:
        most, days, about = (each.get(name) for name in ("most", "days", "about"))
        if type(most) is int and type(days) is int and about in ("items", "promotions"):
            yield most, days, about == "promotions"
        else:  # what cannot be read lets no promotion be shown
            yield 0, 1, True


def _rows(statement: str, values: dict[str, Any]) -> frozenset[str]:
    try:
        return frozenset(item for (item,) in binary.rows(statement, values))
    except (psycopg.Error, DatabaseError) as exc:
        raise ReadingFailed from exc
