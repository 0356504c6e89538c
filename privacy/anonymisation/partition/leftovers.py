"""Items without a class: each to the class that loses least by taking it, near ones first."""

from collections.abc import Sequence

import numpy as np

from privacy.anonymisation.generalisation import IntArray
from privacy.anonymisation.partition.conditions import Condition
from privacy.anonymisation.partition.growing import Growing
from privacy.anonymisation.partition.items import Items

_AT_FIRST = 8  # blocks that share what their own conditions refused


def attach(
    growing: Growing,
    items: Items,
    class_of: IntArray,
    slots: int,
    k: int,
    conditions: Sequence[Condition],
) -> None:
    """Give the items without a class (-1) to classes, in ``class_of``; those that no class may take stay without.

    Items lie in blocks of their own order, each with ``slots`` classes. Groups of blocks take one item a step, from those
    that nothing refused yet; then neighbouring blocks are joined, two by two, until the whole table is one.
    """
    block_of = _block_of(class_of, slots, len(growing.rows) // slots)
    number = len(growing.rows) // slots
    width = min(_AT_FIRST if conditions else 1, number)
    left = np.flatnonzero(class_of < 0)
    while len(left):
        left = _round(growing, items, class_of, left, block_of[left] // width, width * slots, k, conditions)
        if width >= number:
            return
        width *= 2


def _block_of(class_of: IntArray, slots: int, number: int) -> IntArray:
    """Return the block near each item: that of the last item before it which has a class."""
    known = np.where(class_of >= 0, class_of // slots, 0)
    nearest: IntArray = np.minimum(np.maximum.accumulate(known), number - 1)
    return nearest


def _round(
    growing: Growing,
    items: Items,
    class_of: IntArray,
    left: IntArray,
    group_of: IntArray,
    classes_each: int,
    k: int,
    conditions: Sequence[Condition],
) -> IntArray:
    """Let each group of blocks take its items one by one; return those that found no class."""
    starts = np.flatnonzero(np.diff(group_of, prepend=-1))
    lengths = np.diff(starts, append=len(left))
    groups, refused = group_of[starts], []
    for turn in range(int(lengths.max())):
        on = lengths > turn
        chosen = left[starts[on] + turn]
        taken = _place(growing, items, chosen, groups[on], classes_each, k, conditions)
        class_of[chosen] = taken
        refused.append(chosen[taken < 0])
    return np.sort(np.concatenate(refused))


def _place(
    growing: Growing,
    items: Items,
    chosen: IntArray,
    groups: IntArray,
    classes_each: int,
    k: int,
    conditions: Sequence[Condition],
) -> IntArray:
    """Add one item to a class of each group: the class, or -1 where none may take it."""
    classes = np.minimum(groups[:, None] * classes_each + np.arange(classes_each), len(growing.rows) - 1)
    columns, rows = growing.columns_of(items.codes[:, chosen]), items.rows[chosen]
    added = growing.added(classes, columns[:, :, None])
    size = growing.rows[classes]
    cost = added * (size + rows[:, None]) + growing.loss[classes] * rows[:, None]
    cost[growing.people[classes] < k] = np.inf
    if items.sensitive is not None and conditions:
        values = items.sensitive[chosen]
        for condition in conditions:
            after = growing.values[classes]
            after[np.arange(len(chosen)), :, values] += rows[:, None]
            held = condition.holds(after.reshape(-1, after.shape[2])).reshape(cost.shape)
            cost[~held] = np.inf
    best = cost.argmin(axis=1)
    row = np.arange(len(chosen))
    found = np.isfinite(cost[row, best])
    taken = np.where(found, classes[row, best], -1)
    into = taken[found]
    growing.widen(into, columns[:, found], added[row, best][found])
    sensitive = items.sensitive[chosen][found] if items.sensitive is not None and growing.values.shape[1] else None
    growing.count(into, rows[found], rows[found], sensitive)
    return taken
