"""What a column of pseudonyms gives away: it joins the rows of a person, so their classes are known together.

Who knows of several rows of a person, such as the stays of a patient, looks for the pseudonym whose rows fall into all
of those classes. How many people share them is what k is of a table without pseudonyms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from privacy.anonymisation.coding import Tally
from privacy.anonymisation.generalisation import IntArray
from privacy.anonymisation.partition.items import group_rows

if TYPE_CHECKING:
    from privacy.anonymisation.tables import Table


@dataclass(frozen=True)
class Linked:
    """The fewest pseudonyms whose rows fall into the same classes, as often, and the share of those alone in that."""

    columns: tuple[str, ...]
    smallest: int
    alone: float


def linked(table: "Table", quasi_identifiers: Sequence[str], pseudonyms: Sequence[str]) -> Linked | None:
    """Measure a copy; of several columns the one that gives away most counts. None without pseudonyms."""
    found = [_of_column(table, quasi_identifiers, name) for name in pseudonyms]
    if not found:
        return None
    return Linked(tuple(pseudonyms), min(fewest for fewest, _ in found), max(alone for _, alone in found))


def _of_column(table: "Table", quasi_identifiers: Sequence[str], name: str) -> tuple[int, float]:
    with Tally([*quasi_identifiers, name]) as tally:
        for columns in table.batches(tally.names):
            tally.add(columns)
        found, rows = tally.combinations()
    values, pseudonym = found[name]
    shown = [codes + 1 for column, (_, codes) in found.items() if column != name]
    _, class_of, _ = group_rows(shown, [int(codes.max(initial=0)) + 1 for codes in shown])
    stated = pseudonym >= 0
    together = np.zeros(len(values), dtype=np.uint64)
    np.add.at(together, pseudonym[stated], _mixed(class_of[stated], rows[stated]))
    _, sharing = np.unique(together, return_counts=True)
    return int(sharing.min(initial=len(together))), float((sharing == 1).sum() / max(len(together), 1))


def _mixed(classes: IntArray, rows: IntArray) -> npt.NDArray[np.uint64]:
    """Return a number for a class and a count of rows, so that sums of different sets differ (SplitMix64)."""
    mixed = classes.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + rows.astype(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))
