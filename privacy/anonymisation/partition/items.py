"""Rows counted by what they share, as every method of partitioning takes them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from privacy.anonymisation.generalisation import Domain, IntArray

BoolArray = npt.NDArray[np.bool_]

_LARGEST_KEY = 2**62


@dataclass(frozen=True)
class Items:
    """Rows with equal quasi-identifiers (and equal sensitive value and person, where given), counted.

    ``codes`` has shape (quasi-identifiers, items); ``rows``, ``sensitive`` and ``person`` have one entry an item. The
    sensitive code ``unstated`` stands for a missing value, which is none: -1 where nothing is missing.
    """

    codes: IntArray
    rows: IntArray
    sensitive: IntArray | None = None
    person: IntArray | None = None
    unstated: int = -1

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, index: IntArray | BoolArray) -> "Items":
        """Return the items at ``index``, in that order."""
        sensitive = None if self.sensitive is None else self.sensitive[index]
        person = None if self.person is None else self.person[index]
        return Items(self.codes[:, index], self.rows[index], sensitive, person, self.unstated)

    def values_of(self, classes: IntArray, number: int) -> IntArray:
        """Count the rows of each sensitive value in each class: (classes, values)."""
        if self.sensitive is None:
            raise ValueError("These items carry no sensitive value.")
        values = int(self.sensitive.max(initial=0)) + 1
        cells = np.bincount(classes * values + self.sensitive, weights=self.rows, minlength=number * values)
        return cells.astype(np.int64).reshape(number, values)

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


def by_ascending_domain(domains: Sequence[Domain]) -> list[int]:
    """Return the quasi-identifiers in the order to sort by: small domains first, ranges last.

    One mixed value of a small domain costs most, so it should be constant among neighbours.
    """
    return sorted(range(len(domains)), key=lambda place: (domains[place].positions is not None, domains[place].size))
