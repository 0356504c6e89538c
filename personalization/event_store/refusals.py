"""What a person refused of an item last, as SQL that PostgreSQL and the engines of trainings read alike.

A no about an item, unless it was taken back, or a rating below the middle ends what events of before say for the item.
For each event by itself the planner walks through all events again; grouped, it reads them three times.
"""

from collections.abc import Callable, Sequence
from typing import Final

from personalization.models import Event

Kind = Event.Kind


def refused(*, events: str, by: Sequence[str], moment: str, kind: Callable[[Kind], str]) -> str:
    """Return tables of a WITH, of which ``refused`` has the end of what each person's events say for an item.

    ``events``: the table of the events; ``by``: its columns of person and item; ``moment``: that of when an event
    happened; ``kind``: how its kinds are written.
    """
    keys, same = ", ".join(by), " AND ".join(f"t.{column} = e.{column}" for column in by)
    grouped = ", ".join(f"e.{column}" for column in by)
    return f"""
    taken_back AS (
      SELECT {keys}, max({moment}) AS until FROM {events} WHERE kind = {kind(Kind.UNDO)} GROUP BY {keys}
    ), refused AS (
      SELECT {grouped}, max(e.{moment}) AS until FROM {events} e LEFT JOIN taken_back t ON {same}
      WHERE (e.kind = {kind(Kind.NOT_RELEVANT)} AND (t.until IS NULL OR t.until < e.{moment}))
        OR (e.kind = {kind(Kind.RATING)} AND e.weight = 0)
      GROUP BY {grouped}
    )
    """  # noqa: S608 (names and kinds of ours)


def speaks(moment: str) -> str:
    """Return the condition that an event ``e`` still speaks for its item, of which ``r`` is the row of ``refused``."""
    return f"e.weight > 0 AND (r.until IS NULL OR r.until < e.{moment})"


STORED: Final = ("subject_ref", "purpose", "item_id")
REFUSED: Final = refused(events="personalization_event", by=STORED, moment="occurred_at", kind="'{}'".format)
"""The tables of the stored events; ``r`` is joined by ``STORED``."""
SPEAKS: Final = speaks("occurred_at")
