"""Rows counted by what they share, as every method of partitioning takes them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from privacy.anonymisation.generalisation import IntArray

BoolArray = npt.NDArray[np.bool_]

_LARGEST_KEY = 2**62


@dataclass(frozen=True)
class Items:
    """Rows with equal quasi-identifiers (and equal sensitive value and person, where given), counted.

    ``codes`` has shape (quasi-identifiers, items); ``rows``, ``sensitive`` and ``person`` have one entry an item.
    ``values`` is the number of sensitive values of the whole table. With several sensitive columns it is that of all
    of them, laid end to end; ``sensitive`` is a combination then, and ``places`` has the place of its value in each
    column: (columns, combinations). A class is counted by values: there may be far more combinations.
    """

    codes: IntArray
    rows: IntArray
    sensitive: IntArray | None = None
    person: IntArray | None = None
    values: int = 0
    places: IntArray | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, index: IntArray | BoolArray) -> "Items":
        """Return the items at ``index``, in that order."""
        sensitive = None if self.sensitive is None else self.sensitive[index]
        person = None if self.person is None else self.person[index]
        return Items(self.codes[:, index], self.rows[index], sensitive, person, self.values, self.places)

    def values_at(self, sensitive: IntArray) -> IntArray:
        """Return the values of combinations, a row each column."""
        found: IntArray = sensitive[None] if self.places is None else self.places[:, sensitive]
        return found

    def values_of(self, classes: IntArray, number: int) -> IntArray:
        """Count the rows of each sensitive value in each class: (classes, values)."""
        if self.sensitive is None:
            raise ValueError("These items carry no sensitive value.")
        cells = np.zeros(number * self.values, dtype=np.int64)
        for values in self.values_at(self.sensitive):
            found = np.bincount(classes * self.values + values, weights=self.rows, minlength=len(cells))
            cells += found.astype(np.int64)
        return cells.reshape(number, self.values)

    def people_in(self, classes: IntArray, number: int) -> IntArray:
        """Count the people of each class, or its rows where no column names the person."""
        if self.person is None:
            return np.bincount(classes, weights=self.rows, minlength=number).astype(np.int64)
        span = int(self.person.max(initial=0)) + 1
        return np.bincount(np.unique(classes * span + self.person) // span, minlength=number)


def group_rows(columns: Sequence[IntArray], sizes: Sequence[int]) -> tuple[IntArray, IntArray, IntArray]:
    """Group equal rows of coded columns: (a row of each group, the group of each row, rows per group).

    Groups come in the order of their codes, independent of the order of the rows.
    """
    key, span = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column, size in zip(columns, sizes, strict=True):
        if span * size > _LARGEST_KEY:
            distinct, key = np.unique(key, return_inverse=True)
            span = len(distinct)
        key, span = key * size + column, span * size
    _, first, inverse, counts = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    return first, inverse, counts
