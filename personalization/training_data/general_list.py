"""The general list: items by how many people they speak to, counted where the events lie."""

from typing import Final

from django.db import connection, transaction

from personalization.models import Event, PopularItem

LEAST_PEOPLE: Final = 2
# The rule of ``events.positive``, by what a person refused of an item last: for each event by itself the planner walks
# through all of them again.
_WRITE: Final = """
WITH taken_back AS (
  SELECT subject_ref, purpose, item_id, max(occurred_at) AS until
  FROM personalization_event WHERE kind = %(undo)s GROUP BY subject_ref, purpose, item_id
), refused AS (
  SELECT e.subject_ref, e.purpose, e.item_id, max(e.occurred_at) AS until
  FROM personalization_event e LEFT JOIN taken_back t USING (subject_ref, purpose, item_id)
  WHERE (e.kind = %(no)s AND (t.until IS NULL OR t.until < e.occurred_at)) OR (e.kind = %(rating)s AND e.weight = 0)
  GROUP BY e.subject_ref, e.purpose, e.item_id
), pairs AS (
  SELECT DISTINCT e.item_id, e.subject_ref
  FROM personalization_event e LEFT JOIN refused r USING (subject_ref, purpose, item_id)
  WHERE e.weight > 0 AND (r.until IS NULL OR r.until < e.occurred_at)
), counted AS (
  SELECT item_id, count(*) AS people FROM pairs GROUP BY item_id HAVING count(*) >= %(least)s
)
INSERT INTO personalization_popularitem (rank, item_id, people)
SELECT row_number() OVER (ORDER BY people DESC, item_id COLLATE "C"), item_id, people
FROM counted JOIN personalization_item i ON i.slug = item_id
WHERE i.is_active AND NOT EXISTS (SELECT FROM personalization_creatoroptout o WHERE o.creator = i.creator)
"""


@transaction.atomic
def refresh() -> None:
    """Write the general list: items by distinct people; an item of a single person is left out."""
    PopularItem.objects.all().delete()
    kinds = {"undo": Event.Kind.UNDO, "no": Event.Kind.NOT_RELEVANT, "rating": Event.Kind.RATING}
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, {**{name: str(kind) for name, kind in kinds.items()}, "least": LEAST_PEOPLE})
