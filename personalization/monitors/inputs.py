"""Inputs of the recommender as distributions: of events, grouped in the database and without a person."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Count, QuerySet

from personalization.models import Event, Item
from personalization.monitors.measures import bins
from personalization.recommender.model import Model

KIND, CATEGORY, POPULARITY, RATING = "kind", "category", "popularity", "rating"
ORDERED: Mapping[str, tuple[str, ...]] = {
    POPULARITY: tuple(str(number) for number in range(bins.POPULARITY)),
    RATING: ("1", "2", "3", "4", "5"),
}
PARTS = (KIND, CATEGORY, POPULARITY, RATING)
OTHER = "other"
_FEW = 20  # of a name's events in the reference; rarer ones are taken together
_UNKNOWN = bins.POPULARITY - 1

Distribution = dict[str, int]
Counted = tuple[str, int | None, str, int]
"""Kind, value and item of events, and how many there are of them."""


@dataclass
class Inputs:
    """Counts of events by part and value; ``unknown``: of items that the version does not know."""

    parts: dict[str, Distribution] = field(default_factory=dict)
    events: int = 0
    unknown: int = 0


def tenths(model: Model) -> dict[str, int]:
    """Return in which tenth of the catalogue by popularity each item of a version is, the most popular in 0."""
    order = model.popularity.scores.argsort(kind="stable")[::-1]
    last = bins.POPULARITY - 2
    return {model.items[int(place)].id: min(rank * 10 // len(order), last) for rank, place in enumerate(order)}


def count(events: QuerySet[Event], model: Model) -> Inputs:
    """Count events by what a version looks at. Two statements for any number of events."""
    return of_counts(events.order_by().values_list("kind", "value", "item_id").annotate(Count("id")), model)


def of_counts(rows: Iterable[Counted], model: Model) -> Inputs:
    """Add up kinds, values, items and how many events there are of each. One statement."""
    categories = dict(Item.objects.values_list("slug", "categories"))
    known = tenths(model)
    found: dict[str, Counter[str]] = {part: Counter() for part in PARTS}
    total, unknown = 0, 0
    for kind, value, item, number in rows:
        total += number
        unknown += number * (item not in known)
        found[KIND][kind] += number
        found[POPULARITY][str(known.get(item, _UNKNOWN))] += number
        if value is not None:
            found[RATING][str(value)] += number
        for category in categories.get(item, ()):
            found[CATEGORY][category] += number
    return Inputs({part: dict(counts) for part, counts in found.items()}, total, unknown)


def side_by_side(part: str, reference: Distribution, now: Distribution) -> tuple[list[str], list[int], list[int]]:
    """Return labels and both counts in the same bins; names that are rare in the reference are taken together."""
    if part in ORDERED:
        labels: Iterable[str] = ORDERED[part]
        return list(labels), _counts(labels, reference), _counts(labels, now)
    named = sorted(label for label, number in reference.items() if number >= _FEW)
    rest = [sum(n for label, n in each.items() if label not in named) for each in (reference, now)]
    before, after = _counts(named, reference), _counts(named, now)
    return [*named, OTHER], [*before, rest[0]], [*after, rest[1]]


def _counts(labels: Iterable[str], found: Distribution) -> list[int]:
    return [found.get(label, 0) for label in labels]
