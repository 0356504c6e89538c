"""Sensitive columns of a table: one value for each combination of them that occurs, and what it is in each column.

With several columns every condition holds for each by itself. The values of a class are then counted column by column,
laid end to end: two columns of a hundred values have two hundred, and may have ten thousand combinations.
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
    """A sensitive column. ``code_of``: its value in each combination; ``whole``: the rows of each value.

    ``start``: where its values begin among those of all columns; None for the only one.
    """

    domain: Domain
    code_of: IntArray
    whole: IntArray
    start: int | None = None

    @property
    def values(self) -> slice:
        """Return its values among those of all columns."""
        return slice(self.start or 0, (self.start or 0) + self.domain.size)

    @cached_property
    def closeness(self) -> Closeness:
        """Return the measure of how far a class is from the whole table."""
        return Closeness(1.0, self.whole, distance_for(self.domain)[1])

    def counts(self, of_all: IntArray) -> IntArray:
        """Return how often each value occurs, from counts of the values of all columns along the last dimension."""
        return of_all[..., self.values]

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
        return found if self.start is None else [OfColumn(condition, self.values) for condition in found]


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
    found, start = {}, 0
    for name, (domain, codes) in encoded.items():
        whole = np.bincount(codes, weights=rows, minlength=domain.size).astype(np.int64)
        found[name] = Sensitive(domain, codes[first], whole, start)
        start += domain.size
    return combination, found


def laid_out(columns: Mapping[str, Sensitive]) -> tuple[int, IntArray | None]:
    """Return how many values the columns have end to end, and the places of each combination among them."""
    each = list(columns.values())
    if len(each) < 2:
        return sum(column.domain.size for column in each), None
    return each[-1].values.stop, np.stack([column.code_of + column.values.start for column in each])
