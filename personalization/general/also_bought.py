"""Also bought: pairs of items that at least k different people bought, of people whose data may be learnt from.

k is the least size of a segment in the policies' data: a smaller group would be singled out by either.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from personalization.creators import opt_outs
from personalization.models import AlsoBought

KEPT = 20
"""So many others are kept for an item."""
_NEWEST = 50
"""So many of a person's purchases make pairs, the newest: who buys for a whole school counts no more."""
# Purchases are few, people may be many: sought by person first, all events of each would be read.
_COUNT = f"""
WITH purchases AS MATERIALIZED (
  SELECT subject_ref, item_id, occurred_at FROM personalization_event
  WHERE kind = 'purchase' AND purpose = %(purpose)s
), bought AS (
  SELECT subject_ref, item_id, row_number() OVER (PARTITION BY subject_ref ORDER BY max(occurred_at) DESC, item_id) age
  FROM purchases e JOIN personalization_item i ON i.slug = e.item_id
  WHERE subject_ref = ANY (%(people)s) AND {opt_outs.OFFERED}
  GROUP BY subject_ref, item_id
), newest AS (
  SELECT subject_ref, item_id FROM bought WHERE age <= %(newest)s
), alone AS (
  SELECT item_id, count(*) AS people FROM newest GROUP BY item_id
), pairs AS (
  SELECT one.item_id, other.item_id AS other_id, count(*) AS people
  FROM newest one JOIN newest other USING (subject_ref)
  WHERE one.item_id <> other.item_id
  GROUP BY one.item_id, other.item_id HAVING count(*) >= %(k)s
), ranked AS (
  SELECT pairs.*, row_number() OVER (
    PARTITION BY pairs.item_id ORDER BY pairs.people / sqrt(alone.people) DESC, other_id
  ) AS place
  FROM pairs JOIN alone ON alone.item_id = pairs.other_id
)
INSERT INTO personalization_alsobought (item_id, other_id, place, people)
SELECT item_id, other_id, place, people FROM ranked WHERE place <= %(kept)s
"""  # noqa: S608 (a constant)


@transaction.atomic
def refresh(people: Iterable[UUID], *, purpose: str, k: int) -> None:
    """Count the pairs anew, over these people alone."""
    AlsoBought.objects.all().delete()
    parameters: dict[str, Any] = {"purpose": purpose, "people": list(people), "newest": _NEWEST, "k": k, "kept": KEPT}
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, parameters)


def of(item: str) -> list[str]:
    """Return what is bought with an item, most particular to it first."""
    return list(AlsoBought.objects.filter(item=item).order_by("place").values_list("other_id", flat=True))
