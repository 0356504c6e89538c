"""From items to classes: frequent items alone, the others by clustering.

What no class takes is left out, as far as it may be, else merged.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from privacy.anonymisation.generalisation import Domain, HierarchicalDomain, IntArray
from privacy.anonymisation.partition import arrangement
from privacy.anonymisation.partition.conditions import Condition
from privacy.anonymisation.partition.items import BoolArray, Items, group_rows
from privacy.anonymisation.partition.kmember import Wanted, cluster
from privacy.anonymisation.partition.merging import merge_until_all_stand
from privacy.anonymisation.partition.outliers import outliers, total_loss
from privacy.anonymisation.partition.sequence import cut_sequence

SUPPRESSED = -1
_BLOCK = 16  # times k rows; with conditions twice as many, or blocks could not meet them


@dataclass(frozen=True)
class Goal:
    """What every class has to be, and how much work its search is worth.

    ``weights`` say what the loss of each quasi-identifier counts; ``suppressible`` how many rows may be left out.
    """

    k: int
    weights: Sequence[float]
    conditions: Sequence[Condition] = ()
    suppressible: int = 0
    fast: bool = False


def partition(items: Items, domains: Sequence[Domain], goal: Goal) -> IntArray:
    """Return the class of each item, numbered from 0 without gaps; SUPPRESSED for those that are left out.

    The whole table must meet the goal as one class. The same items give the same classes, always.
    """
    alone, class_of = _frequent(items, domains, goal)
    rest = np.flatnonzero(~alone)
    if len(rest):
        found = _without_outliers(items.take(rest), domains, _clustered(items.take(rest), domains, goal), goal)
        found = _placed(items.take(rest), domains, found, goal)
        class_of[rest] = np.where(found >= 0, found + int(class_of.max(initial=-1)) + 1, SUPPRESSED)
    return _renumbered(class_of)


def _frequent(items: Items, domains: Sequence[Domain], goal: Goal) -> tuple[BoolArray, IntArray]:
    """Return which items need no generalisation because enough others are equal, and their classes."""
    _, tuple_of, _ = group_rows(list(items.codes), [domain.size for domain in domains])
    number = int(tuple_of.max()) + 1
    stands = items.people_in(tuple_of, number) >= goal.k
    if goal.conditions:
        stands[stands] = _meet(items, tuple_of, stands, goal)
    rest = ~stands[tuple_of]
    # What is left must be able to stand by itself, too: else all are clustered together.
    if rest.any() and not may_stand(items.take(rest), goal):
        return np.zeros(len(items), dtype=bool), np.full(len(items), SUPPRESSED)
    return ~rest, np.where(rest, SUPPRESSED, tuple_of)


def _meet(items: Items, tuple_of: IntArray, asked: BoolArray, goal: Goal) -> BoolArray:
    """Return whether each of the tuples asked for meets the conditions; most are too small to be asked for."""
    inside = asked[tuple_of]
    number = int(asked.sum())
    values = items.take(inside).values_of((np.cumsum(asked) - 1)[tuple_of[inside]], number)
    met: BoolArray = np.ones(number, dtype=bool)
    for condition in goal.conditions:
        met &= condition.holds(values)
    return met


def may_stand(items: Items, goal: Goal) -> bool:
    """Return whether items may be one class, and so be partitioned by themselves."""
    one = np.zeros(len(items), dtype=np.int64)
    if int(items.people_in(one, 1)[0]) < goal.k:
        return False
    return all(bool(condition.holds(items.values_of(one, 1))[0]) for condition in goal.conditions)


def _clustered(items: Items, domains: Sequence[Domain], goal: Goal) -> IntArray:
    if goal.fast and not goal.conditions:
        order = arrangement.by_sorting(items, arrangement.ranked_for_runs(items, domains, goal.k), goal.k).order
        return _back(cut_sequence(items.take(order), domains, goal.k, goal.weights), order)
    rows = goal.k * _BLOCK * (2 if goal.conditions else 1)
    has_trees = any(isinstance(domain, HierarchicalDomain) for domain in domains)
    if has_trees:
        arranged = arrangement.by_tree(items, domains, goal.weights, k=goal.k, rows=rows, conditions=goal.conditions)
    else:
        arranged = arrangement.by_sorting(items, arrangement.ranked_for_blocks(items, domains), rows)
    wanted = Wanted(goal.k, goal.weights, goal.conditions, begins_far=not has_trees)
    return _back(cluster(items.take(arranged.order), arranged.blocks, domains, wanted), arranged.order)


def _without_outliers(items: Items, domains: Sequence[Domain], found: IntArray, goal: Goal) -> IntArray:
    """Cluster once more without what costs the others most, as far as it may be left out; return what loses less."""
    limit = goal.suppressible - int(items.rows[found < 0].sum())
    if limit <= 0 or (found < 0).all():
        return found
    in_class = np.flatnonzero(found >= 0)
    out = in_class[outliers(items.take(in_class), domains, goal.weights, _renumbered(found)[in_class], limit)]
    kept = np.setdiff1d(np.arange(len(items)), out)
    if not len(out) or not may_stand(items.take(kept), goal):
        return found
    again = np.full_like(found, SUPPRESSED)
    again[kept] = _clustered(items.take(kept), domains, goal)
    if int(items.rows[again < 0].sum()) > goal.suppressible:
        return found
    one, other = (total_loss(items, domains, goal.weights, _renumbered(classes)) for classes in (found, again))
    return again if other < one else found


def _back(ordered: IntArray, order: IntArray) -> IntArray:
    classes = np.empty_like(ordered)
    classes[order] = ordered
    return classes


def _placed(items: Items, domains: Sequence[Domain], class_of: IntArray, goal: Goal) -> IntArray:
    """Leave out the items without a class, if they may be, else make room for them. Every class stands then."""
    alone = class_of < 0
    if int(items.rows[alone].sum()) > goal.suppressible or not alone.all():
        kept = np.flatnonzero(~alone) if int(items.rows[alone].sum()) <= goal.suppressible else np.arange(len(items))
        placed = np.full(len(items), SUPPRESSED)
        placed[kept] = merge_until_all_stand(items.take(kept), domains, class_of[kept], goal.k, goal.conditions)
        return placed
    return class_of


def _renumbered(class_of: IntArray) -> IntArray:
    kept = class_of >= 0
    numbered = np.full(len(class_of), SUPPRESSED, dtype=np.int64)
    numbered[kept] = np.unique(class_of[kept], return_inverse=True)[1]
    return numbered
