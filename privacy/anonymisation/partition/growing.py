"""Classes while they grow: what they hold, what they lose, and what each further item would add."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from privacy.anonymisation.generalisation import IntArray
from privacy.anonymisation.partition.axes import Axis, Table
from privacy.anonymisation.partition.conditions import Condition
from privacy.anonymisation.partition.items import BoolArray, Items

Weights = npt.NDArray[np.float32]


class Growing:
    """A fixed number of classes, each opened with one item and widened by others.

    ``rows`` and ``loss`` (summed over the quasi-identifiers, a row) have one entry a class; ``people`` counts what k
    counts. ``values`` counts the rows of each sensitive value: (classes, values), of no columns without conditions.
    """

    def __init__(self, axes: Sequence[Axis], classes: int, values: int) -> None:
        self._axes = axes
        self._ends = np.cumsum([0, *(axis.size for axis in axes)])
        self.width = int(self._ends[-1])
        self._table = np.zeros((classes, self.width), dtype=np.float32)
        self._flat = self._table.reshape(-1)
        self._parts = [self._table[:, start:end] for start, end in zip(self._ends[:-1], self._ends[1:], strict=True)]
        for axis in axes:
            axis.start(classes)
        self.rows, self.people = np.zeros(classes, dtype=np.int64), np.zeros(classes, dtype=np.int64)
        self.loss = np.zeros(classes, dtype=np.float32)
        self.values = np.zeros((classes, values), dtype=np.int64)

    def columns_of(self, codes: IntArray) -> IntArray:
        """Return the table columns of items' codes, of the same shape; small, for what is looked up most."""
        shape = (-1,) + (1,) * (codes.ndim - 1)
        columns: IntArray = (codes + self._ends[:-1].reshape(shape)).astype(np.int32)
        return columns

    def added(self, classes: IntArray, columns: IntArray) -> Table:
        """Return what items would add to the loss of classes; shapes (...) and (quasi-identifiers, ...)."""
        base = (classes * self.width).astype(np.int32 if len(self._flat) < 2**31 else np.int64)
        total: Table = self._flat[columns[0] + base]
        for column in columns[1:]:
            total += self._flat[column + base]
        return total

    def open(self, classes: IntArray, columns: IntArray) -> None:
        """Begin classes with the values of an item each; its rows are still to be added."""
        for axis, part, codes in zip(self._axes, self._parts, self._codes_of(columns), strict=True):
            axis.open(part, classes, codes)

    def widen(self, classes: IntArray, columns: IntArray, added: Table) -> None:
        """Take the values of one more item each into classes."""
        self.loss[classes] += added
        for axis, part, codes in zip(self._axes, self._parts, self._codes_of(columns), strict=True):
            axis.widen(part, classes, codes)

    def count(self, classes: IntArray, rows: IntArray, people: IntArray, sensitive: IntArray | None) -> None:
        """Add the rows of one item each to classes; ``sensitive`` are its values, a row each sensitive column."""
        self.rows[classes] += rows
        self.people[classes] += people
        if sensitive is not None:
            for values in sensitive:
                self.values[classes, values] += rows

    def may_stand(self, classes: IntArray, k: int, conditions: Sequence[Condition]) -> BoolArray:
        """Return whether classes are large enough and meet the conditions."""
        stands = self.people[classes] >= k
        for condition in conditions:
            stands &= condition.holds(self.values[classes])
        return stands

    def _codes_of(self, columns: IntArray) -> IntArray:
        codes: IntArray = columns - self._ends[:-1, None]
        return codes


class Waiting:
    """Items of blocks that belong to no class yet: (blocks, places), those that wait in front.

    An item that leaves is replaced by the last one that waits, so that the work shrinks with what is left.
    """

    def __init__(self, items: Items, blocks: IntArray, growing: Growing) -> None:
        lengths = np.diff(blocks)
        places = np.arange(int(lengths.max(initial=0)))
        self.items, self.left = items, lengths.copy()
        self._places = places[None, :]
        self.item = np.where(self._places < lengths[:, None], blocks[:-1, None] + self._places, 0)
        self.columns = growing.columns_of(items.codes)[:, self.item]
        self.rows = items.rows[self.item]
        self.sensitive = None if items.sensitive is None else items.sensitive[self.item]
        self.person = None if items.person is None else items.person[self.item]
        self.is_known = None if items.person is None else np.zeros(self.item.shape, dtype=bool)

    def longest(self, blocks: IntArray) -> int:
        """Return how many places the items of these blocks take."""
        return int(self.left[blocks].max(initial=0))

    def absent(self, blocks: IntArray, length: int) -> BoolArray:
        """Return which of the first ``length`` places of the blocks hold no item."""
        gone: BoolArray = self._places[:, :length] >= self.left[blocks, None]
        return gone

    def people(self, blocks: IntArray, length: int) -> IntArray:
        """Return how many people the items of the blocks would add to their open classes: (blocks, length)."""
        rows = self.rows[blocks, :length]
        if self.is_known is None:
            return rows
        return np.where(self.is_known[blocks, :length], 0, 1)

    def meet(self, blocks: IntArray, places: IntArray, *, is_new: BoolArray) -> None:
        """Note whose rows are in the open classes; ``is_new`` says which classes begin with this item."""
        if self.person is None or self.is_known is None:
            return
        same = self.person[blocks] == self.person[blocks, places][:, None]
        self.is_known[blocks] = same | (self.is_known[blocks] & ~is_new[:, None])

    def leave(self, blocks: IntArray, places: IntArray) -> IntArray:
        """Take one item out of each of the blocks and return them."""
        gone = self.item[blocks, places]
        self.left[blocks] -= 1
        last = self.left[blocks]
        self.columns[:, blocks, places] = self.columns[:, blocks, last]
        for table in (self.item, self.rows, self.sensitive, self.person, self.is_known):
            if table is not None:
                table[blocks, places] = table[blocks, last]
        return gone


def rarity(items: Items, sizes: Sequence[int]) -> Weights:
    """Return how rare the values of each item are: the negative logarithms of their shares, summed."""
    rare = np.zeros(len(items))
    for codes, size in zip(items.codes, sizes, strict=True):
        counts = np.bincount(codes, weights=items.rows, minlength=size)
        rare -= np.log(np.maximum(counts, 1) / counts.sum())[codes]
    return rare.astype(np.float32)
