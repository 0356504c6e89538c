"""What a person refused of an item last, as SQL: the rule of ``events.positive`` for statements over all events.

For each event by itself the planner walks through all events again; grouped, it reads them three times.
"""

from typing import Final

from personalization.models import Event

REFUSED: Final = f"""
taken_back AS (
  SELECT subject_ref, purpose, item_id, max(occurred_at) AS until
  FROM personalization_event WHERE kind = '{Event.Kind.UNDO}' GROUP BY subject_ref, purpose, item_id
), refused AS (
  SELECT e.subject_ref, e.purpose, e.item_id, max(e.occurred_at) AS until
  FROM personalization_event e LEFT JOIN taken_back t USING (subject_ref, purpose, item_id)
  WHERE (e.kind = '{Event.Kind.NOT_RELEVANT}' AND (t.until IS NULL OR t.until < e.occurred_at))
    OR (e.kind = '{Event.Kind.RATING}' AND e.weight = 0)
  GROUP BY e.subject_ref, e.purpose, e.item_id
)
"""  # noqa: S608 (kinds of ours)
"""Tables of a WITH; an event ``e`` still speaks for its item where ``SPEAKS`` holds of ``refused r``."""
SPEAKS: Final = "e.weight > 0 AND (r.until IS NULL OR r.until < e.occurred_at)"
