"""What a value would add to the loss of a class: one table row a class, one column a value of the domain.

Adding the entries of an item's values gives the loss its joining would add, so the choice among many items is a few
look-ups each. Losses are the normalised certainty penalty of ``generalisation``.
"""

from collections.abc import Sequence
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

    def __init__(self, domain: Domain) -> None:
        self.size = domain.size
        self._step = np.float32(1 / (domain.size - 1) if domain.size > 1 else 0)

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


class TreeAxis:
    """Leaves of a hierarchy: joining climbs to the lowest common ancestor."""

    def __init__(self, domain: HierarchicalDomain) -> None:
        self.size = domain.size
        ancestors = ancestor_table(domain)
        nodes = int(ancestors.max()) + 1
        level_of, leaf_of = np.zeros(nodes, dtype=np.int64), np.zeros(nodes, dtype=np.int64)
        for level in reversed(range(len(ancestors))):
            level_of[ancestors[level]], leaf_of[ancestors[level]] = level, np.arange(domain.size)
        leaves = np.zeros(nodes)
        for level in ancestors:
            np.maximum.at(leaves, level, np.bincount(level, minlength=nodes)[level])
        loss = ((leaves - 1) / max(domain.size - 1, 1)).astype(np.float32)
        self._leaf_nodes = ancestors[0]
        self._joined = np.full((nodes, domain.size), -1)
        for level in range(len(ancestors)):
            meets = (ancestors[level][leaf_of][:, None] == ancestors[level]) & (level >= level_of)[:, None]
            self._joined = np.where(meets & (self._joined < 0), ancestors[level], self._joined)
        self._added = loss[self._joined] - loss[:, None]

    def start(self, classes: int) -> None:
        self._nodes = np.zeros(classes, dtype=np.int64)

    def open(self, table: Table, classes: IntArray, codes: IntArray) -> None:
        self._fill(table, classes, self._leaf_nodes[codes])

    def widen(self, table: Table, classes: IntArray, codes: IntArray) -> None:
        self._fill(table, classes, self._joined[self._nodes[classes], codes])

    def _fill(self, table: Table, classes: IntArray, nodes: IntArray) -> None:
        self._nodes[classes] = nodes
        table[classes] = self._added[nodes]


def ancestor_table(domain: HierarchicalDomain) -> IntArray:
    """Number the nodes of a hierarchy: (levels, leaves), the ancestor of each leaf at each level."""
    numbers: dict[tuple[int, str], int] = {}
    paths = [[numbers.setdefault(node, len(numbers)) for node in enumerate(path)] for path in domain.paths]
    return np.array(paths, dtype=np.int64).T


def axes_of(domains: Sequence[Domain]) -> list[Axis]:
    """Return the axis of each domain."""
    return [_axis(domain) for domain in domains]


def _axis(domain: Domain) -> Axis:
    if isinstance(domain, HierarchicalDomain):
        return TreeAxis(domain)
    if isinstance(domain, CategoricalDomain) or domain.positions is None:
        return SetAxis(domain)
    return RangeAxis(domain.positions)
