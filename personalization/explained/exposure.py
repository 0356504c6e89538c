"""Exposure of creators: how many places their items have in the lists that are the same for many people.

What single people are shown is kept for frequency caps alone, so their own lists are not counted. A creator stands here
by name only where at least k different people chose one of the items; all others are one row.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from personalization.creators import opt_outs
from personalization.models import Item, PopularItem
from personalization.recommender.model import Model

PLACES = 10
_MOST = 50


@dataclass(frozen=True)
class Exposure:
    """Items of a creator, places in the general list, and per cent of the places in the lists of groups."""

    creator: str
    items: int
    places: int
    group_share: int


def read(model: Model | None, *, k: int) -> list[Exposure]:
    """Return the exposure of creators, the most exposed first; the last row, without a name, is of all others."""
    offered = Item.objects.filter(~opt_outs.is_out(), is_active=True).exclude(creator="")
    items = dict(offered.order_by().values_list("creator").annotate(number=Count("pk")))
    general = list(_general().values_list("item__creator", flat=True)[:PLACES])
    known = set(_general().filter(people__gte=k).values_list("item__creator", flat=True)) - {""}
    groups = _in_groups(model, dict(offered.values_list("pk", "creator")))
    places, whole = Counter(general), sum(groups.values()) or 1
    rows = [
        Exposure(creator, number, places[creator], round(100 * groups[creator] / whole))
        for creator, number in items.items()
        if creator in known
    ]
    rows.sort(key=lambda row: (-row.places, -row.group_share, row.creator))
    return [*rows[:_MOST], *_others(rows[:_MOST], items, places, groups)]


def _general() -> QuerySet[PopularItem]:
    return PopularItem.objects.filter(~opt_outs.is_out("item__creator"), item__is_active=True).order_by("rank")


def _in_groups(model: Model | None, creators: dict[str, str]) -> Counter[str]:
    """Count the first places of each group's list, once for each person in the group."""
    found: Counter[str] = Counter()
    for group in model.segments.values() if model else ():
        for position in group.ranking[:PLACES]:
            found[creators.get(model.items[int(position)].id, "")] += group.people  # type: ignore[union-attr]
    return found


def _others(
    rows: Iterable[Exposure], items: dict[str, int], places: Counter[str], groups: Counter[str]
) -> list[Exposure]:
    named = {row.creator for row in rows}
    rest = {creator for creator in items if creator not in named}
    if not rest:
        return []
    whole = sum(groups.values()) or 1
    count, shown = sum(items[each] for each in rest), sum(places[each] for each in rest)
    return [Exposure("", count, shown, round(100 * sum(groups[each] for each in rest) / whole))]
