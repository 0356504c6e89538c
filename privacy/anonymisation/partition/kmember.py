"""Greedy k-member clustering, in many blocks at once.

Byun, Kamra, Bertino and Li, "Efficient k-anonymization using clustering techniques", DASFAA 2007: begin a class with an
item far from the class just closed, then add the item that costs least until the class may stand. Here the items come
in an order that puts like near like, cut into blocks that are worked on in step: a step is a few array operations over
all blocks, and there are as many steps as a block has items.

What a block cannot place (fewer than k rows, or nothing that the conditions let in) goes to the class that loses least
by it, searched in its own block, then in two, four, eight blocks, and so on (``leftovers``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from privacy.anonymisation.generalisation import Domain, FloatArray, IntArray
from privacy.anonymisation.partition.axes import Table, axes_of
from privacy.anonymisation.partition.conditions import Condition
from privacy.anonymisation.partition.dissolving import dissolve
from privacy.anonymisation.partition.growing import Growing, Waiting, Weights, rarity
from privacy.anonymisation.partition.items import BoolArray, Items
from privacy.anonymisation.partition.leftovers import Places, attach

_GIVEN_UP_AT = 4  # times k rows without meeting the conditions
_IN_STEP = 512  # blocks: what a step reads stays in the processor's cache


@dataclass(frozen=True)
class Wanted:
    """What a class needs, and how classes begin.

    ``begins_far``: with the item furthest from the class just closed, else with the one of most rows.
    """

    k: int
    weights: Sequence[float]
    conditions: Sequence[Condition] = ()
    begins_far: bool = True


def cluster(items: Items, blocks: IntArray, domains: Sequence[Domain], wanted: Wanted) -> IntArray:
    """Return the class of each item, -1 where none takes it; ``blocks`` are the places where blocks begin, and the end.

    Items of a class need not lie in one block.
    """
    run = _Run(items, blocks, domains, wanted)
    run.grow()
    places = Places(run.growing, items, run.class_of, run.slots, wanted.k, wanted.conditions)
    attach(places)
    if not wanted.conditions:
        dissolve(places)
    return run.class_of


class _Run:
    """One clustering: class ``number`` of a block has the place ``block * slots + number``."""

    def __init__(self, items: Items, blocks: IntArray, domains: Sequence[Domain], wanted: Wanted) -> None:
        rows = np.add.reduceat(items.rows, blocks[:-1])
        self.wanted, self.slots = wanted, max(int(rows.max()) // wanted.k, 1)
        values = items.values if wanted.conditions else 0
        number = len(blocks) - 1
        self.growing = Growing(axes_of(domains, wanted.weights), number * self.slots, values)
        self.waiting = Waiting(items, blocks, self.growing)
        self.class_of = np.full(len(items), -1, dtype=np.int64)
        self._rows_left = rows.astype(np.int64)
        self._begun = np.full(number, -1, dtype=np.int64)
        self._is_open = np.zeros(number, dtype=bool)
        self._rare: Weights = rarity(items, [domain.size for domain in domains])
        self._blocks = np.arange(number)

    def grow(self) -> None:
        """Begin and fill classes until no block can fill another."""
        for start in range(0, len(self._blocks), _IN_STEP):
            self._grow(self._blocks[start : start + _IN_STEP])

    def _grow(self, active: IntArray) -> None:
        while len(active):
            closed = active[~self._is_open[active]]
            may = (self._rows_left[closed] >= self.wanted.k) & (self._begun[closed] + 1 < self.slots)
            self._begin(closed[may])
            active = np.concatenate([active[self._is_open[active]], closed[may & ~self._is_open[closed]]])
            self._add(active[self._is_open[active]])

    def _begin(self, blocks: IntArray) -> None:
        if not len(blocks):
            return
        length = self.waiting.longest(blocks)
        score = self._seed_scores(blocks, length)
        score[self.waiting.absent(blocks, length)] = -1
        places = score.argmax(axis=1)
        self._begun[blocks] += 1
        classes = self._class(blocks)
        self.growing.open(classes, self.waiting.columns[:, blocks, places])
        self._take(blocks, places, classes, is_new=np.ones(len(blocks), dtype=bool))

    def _seed_scores(self, blocks: IntArray, length: int) -> Weights:
        if not self.wanted.begins_far:
            return self.waiting.rows[blocks, :length].astype(np.float32)
        score = self._rare[self.waiting.item[blocks, :length]]
        later = self._begun[blocks] >= 0
        after = blocks[later]
        if len(after):
            columns = self.waiting.columns[:, after, :length]
            score[later] = self.growing.added(self._class(after)[:, None], columns)
        return score

    def _add(self, blocks: IntArray) -> None:
        is_empty = self.waiting.left[blocks] == 0
        self._give_up(blocks[is_empty])
        blocks = blocks[~is_empty]
        if not len(blocks):
            return
        classes, row = self._class(blocks), np.arange(len(blocks))
        added, cost = self._costs(blocks, classes)
        places = cost.argmin(axis=1)
        found = np.isfinite(cost[row, places])
        self._give_up(blocks[~found])
        gain = added[row, places][found]
        blocks, places, classes = blocks[found], places[found], classes[found]
        self.growing.widen(classes, self.waiting.columns[:, blocks, places], gain)
        self._take(blocks, places, classes, is_new=np.zeros(len(blocks), dtype=bool))

    def _costs(self, blocks: IntArray, classes: IntArray) -> tuple[Table, FloatArray]:
        """Return what each waiting item adds to the loss of a row, and to that of its class, infinite if not let in."""
        length, k = self.waiting.longest(blocks), self.wanted.k
        added = self.growing.added(classes[:, None], self.waiting.columns[:, blocks, :length])
        after = self.growing.people[classes][:, None] + self.waiting.people(blocks, length)
        cost = added * np.maximum(k, after) + self.growing.loss[classes][:, None] * np.maximum(after - k, 0)
        cost[self.waiting.absent(blocks, length) | ~self._admitted(blocks, classes, length)] = np.inf
        return added, cost

    def _admitted(self, blocks: IntArray, classes: IntArray, length: int) -> BoolArray:
        admitted = np.ones((len(blocks), length), dtype=bool)
        if self.waiting.sensitive is None:
            return admitted
        rows = self.waiting.rows[blocks, :length]
        values = self.waiting.items.values_at(self.waiting.sensitive[blocks, :length])
        row = np.arange(len(blocks))[:, None]
        # More rows than that make a class that is given up, whatever it holds.
        rows = np.minimum(rows, _GIVEN_UP_AT * self.wanted.k)
        for condition in self.wanted.conditions:
            allowed = condition.may_join(self.growing.values[classes], self.wanted.k, int(rows.max()))
            for of_column in values:
                admitted &= allowed[row, rows - 1, of_column]
        return admitted

    def _take(self, blocks: IntArray, places: IntArray, classes: IntArray, *, is_new: BoolArray) -> None:
        rows = self.waiting.rows[blocks, places]
        people = rows
        if self.waiting.is_known is not None:
            people = np.where(is_new | ~self.waiting.is_known[blocks, places], 1, 0)
        sensitive = None
        if self.waiting.sensitive is not None and self.growing.values.shape[1]:
            sensitive = self.waiting.items.values_at(self.waiting.sensitive[blocks, places])
        self.growing.count(classes, rows, people, sensitive)
        self.waiting.meet(blocks, places, is_new=is_new)
        self.class_of[self.waiting.leave(blocks, places)] = classes
        self._rows_left[blocks] -= rows
        stands = self.growing.may_stand(classes, self.wanted.k, self.wanted.conditions)
        hopeless = ~stands & (self.growing.rows[classes] >= _GIVEN_UP_AT * self.wanted.k)
        self._is_open[blocks] = ~stands & ~hopeless
        self._release(classes[hopeless])

    def _give_up(self, blocks: IntArray) -> None:
        self._is_open[blocks] = False
        self._release(self._class(blocks))

    def _release(self, classes: IntArray) -> None:
        """Return the items of classes that cannot stand to those without one."""
        if len(classes):
            self.class_of[np.isin(self.class_of, classes)] = -1
            self.growing.people[classes] = 0

    def _class(self, blocks: IntArray) -> IntArray:
        return blocks * self.slots + self._begun[blocks]
