"""Service for people who opted out, compared with that for the others: what a release gate asks for.

Not worse means: the general list has as many items as a page of the model; no item is offered by the model alone; it is
answered in the same class of latency or a faster one; and each price is the list price (``prices/equality.py``).
"""

from bisect import bisect_left
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

from common.levels import Level
from personalization.creators import opt_outs
from personalization.models import Item, PopularItem
from personalization.prices import equality
from personalization.recommender.interactions import Interaction
from personalization.recommender.model import Model

PAGE = 10
# Upper ends of the classes, in milliseconds: what is felt as at once, and the longest that a page waits for the engine.
CLASSES_MS = (50, 250)
_ROUNDS = 9


def compare(model: Model) -> tuple[bool, dict[str, Any]]:
    """Return whether the service without a profile is no worse than with one, and its figures."""
    offered = set(Item.objects.filter(~opt_outs.is_out(), is_active=True).values_list("pk", flat=True))
    items = [item.id for item in model.items]
    figures = {
        "asked": min(PAGE, len(offered)),
        "general_list": len(_general()),
        "only_by_the_model": len(set(items) - offered),
        "class": _class_of(_general),
        "class_of_the_model": _class_of(lambda: model.recommend(Level.INDIVIDUAL, history=_someone(items), count=PAGE)),
        **equality.compare(),
    }
    is_passed = (
        figures["general_list"] >= figures["asked"] > 0
        and figures["only_by_the_model"] == 0
        and figures["class"] <= figures["class_of_the_model"]
        and figures["off_list"] == 0
    )
    return is_passed, figures


def _general() -> list[Any]:
    rows = PopularItem.objects.filter(~opt_outs.is_out("item__creator"), item__is_active=True)
    return list(rows.select_related("item")[:PAGE])


def _someone(items: list[str]) -> list[Interaction]:
    """Return the history of a made-up person, as long as one that is served personally."""
    return [Interaction(item) for item in items[:PAGE]]


def _class_of(answer: Callable[[], object]) -> int:
    """Return the class of latency of an answer: the median of several, the first one aside."""
    answer()
    spent = []
    for _ in range(_ROUNDS):
        began = perf_counter()
        answer()
        spent.append(1_000 * (perf_counter() - began))
    return bisect_left(CLASSES_MS, median(spent))
