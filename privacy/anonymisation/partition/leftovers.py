"""Items without a class: each to the class that loses least by taking it, near ones first."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from privacy.anonymisation.generalisation import FloatArray, IntArray
from privacy.anonymisation.partition.axes import Table
from privacy.anonymisation.partition.conditions import Condition
from privacy.anonymisation.partition.growing import Growing
from privacy.anonymisation.partition.items import Items

_AT_FIRST = 8  # blocks that share what their own conditions refused


@dataclass(frozen=True)
class Places:
    """Classes that may take more: ``slots`` of them a block, in the blocks' order; ``class_of`` is changed.

    Items lie in blocks of their own order.
    """

    growing: Growing
    items: Items
    class_of: IntArray
    slots: int
    k: int
    conditions: Sequence[Condition]

    @property
    def blocks(self) -> int:
        """Return the number of blocks."""
        return len(self.growing.rows) // self.slots

    def near(self, items: IntArray) -> IntArray:
        """Return the block near each item: that of the last item before it which has a class."""
        known = np.where(self.class_of >= 0, self.class_of // self.slots, 0)
        nearest: IntArray = np.minimum(np.maximum.accumulate(known), self.blocks - 1)[items]
        return nearest


def attach(places: Places) -> None:
    """Give the items without a class (-1) to classes; those that no class may take stay without.

    Groups of blocks take one item a step, from those that nothing refused yet; then neighbouring blocks are joined, two
    by two, until the whole table is one.
    """
    width = min(_AT_FIRST if places.conditions else 1, places.blocks)
    if not (places.growing.people >= places.k).any():
        return
    left = np.flatnonzero(places.class_of < 0)
    near = places.near(left)
    while len(left):
        refused = _round(places, left, near // width, width * places.slots)
        left, near = left[refused], near[refused]
        if width >= places.blocks:
            return
        width *= 2


def _round(places: Places, left: IntArray, group_of: IntArray, classes_each: int) -> IntArray:
    """Let each group of blocks take its items one by one; return which of them found no class."""
    starts = np.flatnonzero(np.diff(group_of, prepend=-1))
    lengths = np.diff(starts, append=len(left))
    groups, refused = group_of[starts], []
    for turn in range(int(lengths.max())):
        on = lengths > turn
        chosen = starts[on] + turn
        taken = _place(places, left[chosen], groups[on], classes_each)
        places.class_of[left[chosen]] = taken
        refused.append(chosen[taken < 0])
    return np.sort(np.concatenate(refused))


def _place(places: Places, chosen: IntArray, groups: IntArray, classes_each: int) -> IntArray:
    """Add one item to a class of each group: the class, or -1 where none may take it."""
    growing, items = places.growing, places.items
    classes = np.minimum(groups[:, None] * classes_each + np.arange(classes_each), len(growing.rows) - 1)
    columns, rows = growing.columns_of(items.codes[:, chosen]), items.rows[chosen]
    added, cost = _costs(places, chosen, classes, columns)
    best = cost.argmin(axis=1)
    row = np.arange(len(chosen))
    found = np.isfinite(cost[row, best])
    taken = np.where(found, classes[row, best], -1)
    into = taken[found]
    growing.widen(into, columns[:, found], added[row, best][found])
    sensitive = None
    if items.sensitive is not None and growing.values.shape[1]:
        sensitive = items.values_at(items.sensitive[chosen[found]])
    growing.count(into, rows[found], rows[found], sensitive)
    return taken


def _costs(places: Places, chosen: IntArray, classes: IntArray, columns: IntArray) -> tuple[Table, FloatArray]:
    """Return what each item adds to the loss of a row, and to that of all: infinite where a class may not take it."""
    growing, rows = places.growing, places.items.rows[chosen]
    added = growing.added(classes, columns[:, :, None])
    cost = (added * (growing.rows[classes] + rows[:, None]) + growing.loss[classes] * rows[:, None]).astype(np.float64)
    cost[growing.people[classes] < places.k] = np.inf
    if places.items.sensitive is None or not places.conditions:
        return added, cost
    may = np.isfinite(cost)
    item, _ = np.nonzero(may)
    after = growing.values[classes[may]]
    for values in places.items.values_at(places.items.sensitive[chosen]):
        after[np.arange(len(item)), values[item]] += rows[item]
    held = np.ones(len(item), dtype=bool)
    for condition in places.conditions:
        held &= condition.holds(after)
    cost[may] = np.where(held, cost[may], np.inf)
    return added, cost
