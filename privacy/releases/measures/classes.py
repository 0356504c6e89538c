"""Sizes of the classes that a table shows. Pure; no Django."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from privacy.anonymisation.coding import Tally
from privacy.anonymisation.generalisation import IntArray

if TYPE_CHECKING:
    from privacy.anonymisation.tables import Table

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
