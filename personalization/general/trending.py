"""General list: what many different people chose lately, and what editors picked.

Each person counts once for an item, by the latest of what they did with it; what is older counts less. Editors' picks
stand at fixed places, so that however many there are most of the list is what people choose.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from django.db import connection, transaction

from personalization.creators import opt_outs
from personalization.event_store.refusals import REFUSED, SPEAKS, STORED
from personalization.models import Item, PopularItem

HALF_LIFE_DAYS = 30.0
"""So old a choice counts half. Not from validation: the public data sets have no calendar of their own."""
LEAST_PEOPLE = 2
FIRST_PICK, EVERY = 3, 5
"""Places of editors' picks: the third, the eighth, the thirteenth ..."""

_SECONDS_A_DAY = 86_400.0
_CHOSEN = f"""
WITH {REFUSED}, chosen AS (
  SELECT e.item_id, e.subject_ref, max(e.occurred_at) AS latest
  FROM personalization_event e
  JOIN personalization_item i ON i.slug = e.item_id
  LEFT JOIN refused r USING ({", ".join(STORED)})
  WHERE {SPEAKS} AND {opt_outs.OFFERED}
  GROUP BY e.item_id, e.subject_ref
)
SELECT item_id, count(*) AS people FROM chosen
GROUP BY item_id HAVING count(*) >= %(least)s
ORDER BY
  sum(power(0.5, greatest(extract(epoch FROM now() - latest)::float8, 0) / %(half_life)s)) DESC, item_id
"""  # noqa: S608 (constants)


class Ranked(NamedTuple):
    """Item of the general list: how many people chose it, 0 where they are too few to be counted."""

    item: str
    people: int = 0
    is_pick: bool = False


@transaction.atomic
def refresh() -> None:
    """Write the general list anew. One statement reads all events."""
    listed = list(woven(_chosen(), _picks()))
    PopularItem.objects.all().delete()
    PopularItem.objects.bulk_create(
        PopularItem(rank=rank, item_id=one.item, people=one.people, is_pick=one.is_pick)
        for rank, one in enumerate(listed, start=1)
    )


def woven(chosen: Sequence[Ranked], picks: Iterable[str]) -> Iterator[Ranked]:
    """Yield what people chose, with the picks at their places; a pick that people put earlier stays there."""
    people = {one.item: one.people for one in chosen}
    waiting, rest, listed = list(dict.fromkeys(picks)), iter(chosen), set[str]()
    place = 0
    while True:
        place += 1
        waiting = [pick for pick in waiting if pick not in listed]
        is_picks_turn = place >= FIRST_PICK and (place - FIRST_PICK) % EVERY == 0
        if waiting and is_picks_turn:
            one = Ranked(waiting[0], people.get(waiting[0], 0), is_pick=True)
        else:
            found = next((each for each in rest if each.item not in listed), None)
            if found is None and not waiting:
                return
            one = found or Ranked(waiting[0], people.get(waiting[0], 0), is_pick=True)
        listed.add(one.item)
        yield one


def _chosen() -> list[Ranked]:
    """Return what people chose, by how many of them and how lately."""
    with connection.cursor() as cursor:
        cursor.execute(_CHOSEN, {"least": LEAST_PEOPLE, "half_life": HALF_LIFE_DAYS * _SECONDS_A_DAY})
        return [Ranked(item, people) for item, people in cursor.fetchall()]


def _picks() -> list[str]:
    picked = Item.objects.filter(~opt_outs.is_out(), is_active=True, is_editorial=True)
    return list(picked.order_by("title", "slug").values_list("slug", flat=True))
