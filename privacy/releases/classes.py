"""Classes of tables as files show them: their sizes, and what two releases of one table give away together.

An attacker who knows a person's quasi-identifiers finds the person's class in each of two releases. What is left is
what both have in common (Ganta, Kasiviswanathan and Smith, "Composition attacks and auxiliary information in data
privacy", KDD 2008): copies keep the order of their rows, so rows can be linked, and sensitive values can be intersected
in any order. Pure; no Django.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from privacy.anonymisation.coding import Tally
from privacy.anonymisation.errors import UnusableTable
from privacy.anonymisation.generalisation import IntArray
from privacy.anonymisation.partition.items import group_rows

if TYPE_CHECKING:
    from privacy.anonymisation.tables import Table

_PAIRS = 4_096  # of classes compared at a time
STEPS = (2, 3, 5, 10, 20, 50, 100, 200)
_BOUNDS = (1, 2, 5, 10, 20, 50, 100, 1_000)


def sizes(table: "Table", names: Sequence[str]) -> IntArray:
    """Return the rows of each class of a table: rows that are alike in these columns."""
    with Tally(names) as tally:
        for columns in table.batches(names):
            tally.add(columns)
        return tally.combinations()[1]


def below(rows: IntArray) -> list[float]:
    """Return the share of rows in classes smaller than each of ``STEPS``."""
    total = max(int(rows.sum()), 1)
    return [float(rows[rows < step].sum() / total) for step in STEPS]


def by_size(rows: IntArray) -> list[tuple[str, int]]:
    """Return how many classes there are of each range of sizes, smallest first."""
    ends = [*(bound - 1 for bound in _BOUNDS[1:]), None]
    counted = [
        (first, last, int(((rows >= first) & (True if last is None else rows <= last)).sum()))
        for first, last in zip(_BOUNDS, ends, strict=True)
    ]
    return [(_range(first, last), number) for first, last, number in counted]


def _range(first: int, last: int | None) -> str:
    if last is None:
        return f"{first:,} or more"
    return f"{first:,}" if first == last else f"{first:,} to {last:,}"


@dataclass(frozen=True)
class Overlap:
    """What two releases of a table leave together. ``rows``: of the smallest common class; ``values``: the fewest
    sensitive values that a person may have, None where they do not both show one.
    """

    rows: int
    values: int | None

    @property
    def smallest(self) -> int:
        return self.rows if self.values is None else min(self.rows, self.values)


def overlap(
    first: "Table", of_first: Sequence[str], second: "Table", of_second: Sequence[str], sensitive: str | None
) -> Overlap:
    """Lay two releases of one table on each other. ``sensitive``: the column that both show. Raises UnusableTable."""
    ours, theirs = _class_of_rows(first, of_first), _class_of_rows(second, of_second)
    if len(ours) != len(theirs):
        raise UnusableTable("Two releases of one table have different numbers of rows.")
    widths = [int(ours.max(initial=0)) + 1, int(theirs.max(initial=0)) + 1]
    row_of, _, rows = group_rows([ours, theirs], widths)
    if sensitive is None:
        return Overlap(int(rows.min()), None)
    value = _class_of_rows(first, [sensitive])
    in_ours, in_theirs = (_values(of_row, value) for of_row in (ours, theirs))
    fewest = min(
        int((in_ours[ours[part]] & in_theirs[theirs[part]]).sum(axis=1).min())
        for part in (row_of[start : start + _PAIRS] for start in range(0, len(row_of), _PAIRS))
    )
    return Overlap(int(rows.min()), fewest)


def _values(classes: IntArray, value: IntArray) -> "np.ndarray[tuple[int, int], np.dtype[np.bool_]]":
    """Return which values occur in which class."""
    found = np.zeros((int(classes.max(initial=0)) + 1, int(value.max(initial=0)) + 1), dtype=bool)
    found[classes, value] = True
    return found


def _class_of_rows(table: "Table", names: Sequence[str]) -> IntArray:
    with Tally(names) as tally:
        for columns in table.batches(names):
            tally.add(columns)
        tally.combinations()
        parts = list(tally.of_rows())
    return np.concatenate(parts).astype(np.int64) if parts else np.empty(0, dtype=np.int64)
