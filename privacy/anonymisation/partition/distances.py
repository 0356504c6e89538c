"""Earth mover's distances between the sensitive values of a class and those of the table.

Li, Li and Venkatasubramanian, "t-closeness: privacy beyond k-anonymity and l-diversity", ICDE 2007, section 4: equal,
ordered and hierarchical ground distance. All are convex, so a union is no further from the table than its parts.
A distance takes differences of shares, which sum to nought, along the last dimension.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np

from privacy.anonymisation.generalisation import Domain, FloatArray, HierarchicalDomain
from privacy.anonymisation.partition.axes import ancestor_table

Distance = Callable[[FloatArray], FloatArray]
Ground = Literal["equal", "ordered", "hierarchical"]


def distance_for(domain: Domain) -> tuple[Ground, Distance]:
    """Return the distance that fits a sensitive column: by its hierarchy, by the order of its numbers, or equal."""
    if isinstance(domain, HierarchicalDomain):
        return "hierarchical", hierarchical(domain)
    if domain.positions is not None and domain.size > 1:
        return "ordered", ordered_with_missing_last if domain.missing == 0 else ordered
    return "equal", equal


def equal(difference: FloatArray) -> FloatArray:
    """All values are equally far apart: half of the sum of absolute differences."""
    distance: FloatArray = np.maximum(difference, 0).sum(axis=-1)
    return distance


def ordered(difference: FloatArray) -> FloatArray:
    """Values lie on a line, one step from each to the next, 1 from the first to the last."""
    steps = np.abs(np.cumsum(difference, axis=-1)[..., :-1])
    distance: FloatArray = steps.sum(axis=-1) / steps.shape[-1]
    return distance


def ordered_with_missing_last(difference: FloatArray) -> FloatArray:
    """The same where the first value is the missing one.

    It lies a whole domain beyond the last: at least as far from each value as 1, so the distance is never too small.
    """
    moved = np.roll(difference, -1, axis=-1)
    steps = np.abs(np.cumsum(moved, axis=-1)[..., :-1])
    distance: FloatArray = steps[..., :-1].sum(axis=-1) / max(steps.shape[-1] - 1, 1) + steps[..., -1]
    return distance


def hierarchical(domain: HierarchicalDomain) -> Distance:
    """Return the distance by which two values are as far apart as the level of their lowest common ancestor."""
    members = _memberships(domain)

    def distance(difference: FloatArray) -> FloatArray:
        total = np.zeros(difference.shape[:-1])
        for level, member in enumerate(members, start=1):
            surplus = np.maximum(difference, 0) @ member
            lack = np.maximum(-difference, 0) @ member
            total += np.minimum(surplus, lack).sum(axis=-1) * (level / len(members))
            difference = surplus - lack
        return total

    return distance


def _memberships(domain: HierarchicalDomain) -> list[FloatArray]:
    """Return for each level above the leaves which node of it each node of the level below belongs to, as 0 and 1."""
    members = []
    numbers = np.arange(domain.size)
    for above in ancestor_table(domain)[1:]:
        _, parents = np.unique(above, return_inverse=True)
        member = np.zeros((int(numbers.max()) + 1, int(parents.max()) + 1))
        member[numbers, parents] = 1
        members.append(member)
        numbers = parents
    return members
