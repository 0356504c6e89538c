"""What a value would add to the loss of a class: one table row a class, one column a value of the domain.

Adding the entries of an item's values gives the loss its joining would add, so the choice among many items is a few
look-ups each. Losses are the normalised certainty penalty of ``generalisation``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from privacy.anonymisation.generalisation import CategoricalDomain, Domain, HierarchicalDomain, IntArray

Table = npt.NDArray[np.float32]


class Axis(Protocol):
    """One quasi-identifier of all classes; ``table`` is its part of their tables, (classes, values)."""

    size: int

    def start(self, classes: int) -> None: ...

    def open(self, table: Table, classes: IntArray, codes: IntArray) -> None:
        """Begin ``classes`` with one value each."""

    def widen(self, table: Table, classes: IntArray, codes: IntArray) -> None:
        """Take one more value into each of ``classes``."""


class SetAxis:
    """Values without an order: each new one costs the same."""

    def __init__(self, domain: Domain, weight: float) -> None:
        self.size = domain.size
        self._step = np.float32(weight / max(domain.size - 1, 1))

    def start(self, classes: int) -> None:
        """Keep nothing: what is free in the table is what the class holds."""

    def open(self, table: Table, classes: IntArray, codes: IntArray) -> None:
        table[classes] = self._step
        table[classes, codes] = 0

    def widen(self, table: Table, classes: IntArray, codes: IntArray) -> None:
        table[classes, codes] = 0


class RangeAxis:
    """Numbers: what they lie outside the range costs. A missing value has no place among numbers: it costs all."""

    def __init__(self, positions: npt.NDArray[np.float64]) -> None:
        self.size = len(positions)
        self._places = positions.astype(np.float32)

    def start(self, classes: int) -> None:
        self._low, self._high = np.zeros(classes, np.float32), np.zeros(classes, np.float32)

    def open(self, table: Table, classes: IntArray, codes: IntArray) -> None:
        self._fill(table, classes, self._places[codes], self._places[codes])

    def widen(self, table: Table, classes: IntArray, codes: IntArray) -> None:
        places = self._places[codes]
        self._fill(table, classes, np.minimum(self._low[classes], places), np.maximum(self._high[classes], places))

    def _fill(self, table: Table, classes: IntArray, low: Table, high: Table) -> None:
        self._low[classes], self._high[classes] = low, high
        outside = np.maximum(low[:, None] - self._places, self._places - high[:, None])
        table[classes] = np.maximum(outside, 0)


@dataclass(frozen=True)
class Tree:
    """A hierarchy as tables: ``joined[node, leaf]`` is the lowest common ancestor, ``loss[node]`` its penalty."""

    leaf_nodes: IntArray
    joined: IntArray
    loss: npt.NDArray[np.float32]

    @classmethod
    def of(cls, domain: HierarchicalDomain) -> "Tree":
        ancestors = ancestor_table(domain)
        nodes = int(ancestors.max()) + 1
        level_of, leaf_of, leaves = (np.zeros(nodes, dtype=np.int64) for _ in range(3))
        for level, of_leaf in reversed(list(enumerate(ancestors))):
            level_of[of_leaf], leaf_of[of_leaf] = level, np.arange(domain.size)
            leaves[of_leaf] = np.bincount(of_leaf, minlength=nodes)[of_leaf]
        joined = np.full((nodes, domain.size), -1)
        for level, of_leaf in enumerate(ancestors):
            meets = (of_leaf[leaf_of][:, None] == of_leaf) & (level >= level_of)[:, None]
            joined = np.where(meets & (joined < 0), of_leaf, joined)
        loss = ((leaves - 1) / max(domain.size - 1, 1)).astype(np.float32)
        return cls(ancestors[0], joined, loss)


class TreeAxis:
    """Leaves of a hierarchy: joining climbs to the lowest common ancestor."""

    def __init__(self, domain: HierarchicalDomain, weight: float) -> None:
        self.size, self._tree = domain.size, Tree.of(domain)
        loss = self._tree.loss * np.float32(weight)
        self._added = loss[self._tree.joined] - loss[:, None]

    def start(self, classes: int) -> None:
        self._nodes = np.zeros(classes, dtype=np.int64)

    def open(self, table: Table, classes: IntArray, codes: IntArray) -> None:
        self._fill(table, classes, self._tree.leaf_nodes[codes])

    def widen(self, table: Table, classes: IntArray, codes: IntArray) -> None:
        self._fill(table, classes, self._tree.joined[self._nodes[classes], codes])

    def _fill(self, table: Table, classes: IntArray, nodes: IntArray) -> None:
        self._nodes[classes] = nodes
        table[classes] = self._added[nodes]


def ancestor_table(domain: HierarchicalDomain) -> IntArray:
    """Number the nodes of a hierarchy: (levels, leaves), the ancestor of each leaf at each level."""
    numbers: dict[tuple[int, str], int] = {}
    paths = [[numbers.setdefault(node, len(numbers)) for node in enumerate(path)] for path in domain.paths]
    return np.array(paths, dtype=np.int64).T


def axes_of(domains: Sequence[Domain], weights: Sequence[float]) -> list[Axis]:
    """Return the axis of each domain, its losses multiplied by its weight."""
    return [_axis(domain, weight) for domain, weight in zip(domains, weights, strict=True)]


def _axis(domain: Domain, weight: float) -> Axis:
    if isinstance(domain, HierarchicalDomain):
        return TreeAxis(domain, weight)
    if isinstance(domain, CategoricalDomain) or domain.positions is None:
        return SetAxis(domain, weight)
    return RangeAxis(domain.positions * weight)
