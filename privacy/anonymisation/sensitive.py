"""Sensitive columns of a table: one value for each combination of them that occurs, and what it is in each column.

With several columns every condition holds for each by itself. A class is then counted by combinations, and judged by
the column's own counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from privacy.anonymisation.generalisation import Domain, IntArray
from privacy.anonymisation.partition.conditions import (
    Closeness,
    Condition,
    DistinctDiversity,
    EntropyDiversity,
    OfColumn,
    RecursiveDiversity,
)
from privacy.anonymisation.partition.distances import distance_for
from privacy.anonymisation.partition.items import group_rows
from privacy.anonymisation.wish import Wish


@dataclass(frozen=True)
class Sensitive:
    """A sensitive column. ``code_of``: its value in each combination; ``whole``: the rows of each value."""

    domain: Domain
    code_of: IntArray
    whole: IntArray

    @property
    def is_alone(self) -> bool:
        """Return whether combinations are the values of this column."""
        return bool(len(self.code_of) == self.domain.size and (np.diff(self.code_of) == 1).all())

    @cached_property
    def closeness(self) -> Closeness:
        """Return the measure of how far a class is from the whole table."""
        return Closeness(1.0, self.whole, distance_for(self.domain)[1])

    def counts(self, of_combinations: IntArray) -> IntArray:
        """Return how often each value occurs, from counts of combinations along the last dimension."""
        if self.is_alone:
            return of_combinations
        return OfColumn.project(of_combinations, self.code_of, self.domain.size)

    def conditions(self, wish: Wish) -> list[Condition]:
        """Return what is asked of the column; nothing where it is only measured."""
        found: list[Condition] = []
        missing = self.domain.missing
        if wish.l > 1 and wish.diversity == "distinct":
            found.append(DistinctDiversity(wish.l, missing))
        elif wish.l > 1 and wish.diversity == "entropy":
            found.append(EntropyDiversity(wish.l, missing))
        elif wish.l > 1:
            found.append(RecursiveDiversity(wish.recursive_c, wish.l, missing))
        if wish.t is not None:
            found.append(Closeness(wish.t, self.whole, distance_for(self.domain)[1]))
        if self.is_alone:
            return found
        return [OfColumn(condition, self.code_of, self.domain.size) for condition in found]


def combined(
    encoded: Mapping[str, tuple[Domain, IntArray]], rows: IntArray
) -> tuple[IntArray | None, dict[str, Sensitive]]:
    """Return the combination of sensitive values that each row has, None without such a column, and the columns."""
    if not encoded:
        return None, {}
    if len(encoded) == 1:
        ((name, (domain, codes)),) = encoded.items()
        whole = np.bincount(codes, weights=rows, minlength=domain.size).astype(np.int64)
        return codes, {name: Sensitive(domain, np.arange(domain.size), whole)}
    first, combination, _ = group_rows(
        [codes for _, codes in encoded.values()], [domain.size for domain, _ in encoded.values()]
    )
    return combination, {
        name: Sensitive(domain, codes[first], np.bincount(codes, weights=rows, minlength=domain.size).astype(np.int64))
        for name, (domain, codes) in encoded.items()
    }
