"""Last resort for items that no class may take: a class of their own, merged with others until all may stand."""

from collections.abc import Sequence

import numpy as np

from privacy.anonymisation.generalisation import Domain, FloatArray, IntArray
from privacy.anonymisation.partition.conditions import Condition
from privacy.anonymisation.partition.items import BoolArray, Items


def merge_until_all_stand(
    items: Items, domains: Sequence[Domain], class_of: IntArray, k: int, conditions: Sequence[Condition]
) -> IntArray:
    """Return classes that all may stand, from classes of which the items marked -1 belong to none.

    A class that may not stand joins the one whose values are most like its own, among those with which it may; where
    there is none, the one most like it. It ends at the latest with one class of all, which must be able to stand.
    """
    classes = np.where(class_of < 0, int(class_of.max(initial=-1)) + 1, class_of)
    classes = np.unique(classes, return_inverse=True)[1]
    while True:
        number = int(classes.max()) + 1
        stands = _stand(items, classes, number, k, conditions)
        if stands.all() or number == 1:
            return classes
        weak = int(np.flatnonzero(~stands)[0])
        partner = _partner(items, domains, classes, number, weak, k, conditions)
        classes = np.unique(np.where(classes == weak, partner, classes), return_inverse=True)[1]


def _stand(items: Items, classes: IntArray, number: int, k: int, conditions: Sequence[Condition]) -> BoolArray:
    stands = items.people_in(classes, number) >= k
    for condition in conditions:
        stands &= condition.holds(items.values_of(classes, number))
    return stands


def _partner(
    items: Items,
    domains: Sequence[Domain],
    classes: IntArray,
    number: int,
    weak: int,
    k: int,
    conditions: Sequence[Condition],
) -> int:
    """Return the class for ``weak`` to join."""
    distance = _distance(items, domains, classes, number, weak)
    counts = items.people_in(classes, number)
    # People in both are counted twice here; who stands is judged again after the merge.
    fits = counts + counts[weak] >= k
    if conditions:
        values = items.values_of(classes, number)
        for condition in conditions:
            fits &= condition.holds(values + values[weak])
    fits[weak] = False
    distance[weak] = np.inf
    if fits.any():
        distance[~fits] = np.inf
    return int(distance.argmin())


def _distance(items: Items, domains: Sequence[Domain], classes: IntArray, number: int, weak: int) -> FloatArray:
    """Return how many of the values of ``weak`` each class lacks, as shares of the domains, summed."""
    total = np.zeros(number)
    for domain, codes in zip(domains, items.codes, strict=True):
        wanted = np.unique(codes[classes == weak])
        held = np.unique(classes * domain.size + codes)
        shared = np.bincount(held[np.isin(held % domain.size, wanted)] // domain.size, minlength=number)
        total += (len(wanted) - shared) / domain.size
    return total
