"""Public values of columns: what a noisy table counts, known without looking at the data. Pure; no Django.

``Female, Male`` lists values (a comma within one is quoted); ``17..90 by 10`` makes ranges, the last one as long as is
left. Cells for all else are always there, so that a value of the data makes none.
"""

import csv
import math
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from privacy.anonymisation.errors import UnusableColumn

if TYPE_CHECKING:
    import pyarrow as pa

    from privacy.anonymisation.generalisation import IntArray

OTHER = "(other)"
MOST_VALUES = 1_000
_NUMBER = r"[+-]?\d+(?:\.\d+)?"
_RANGE = re.compile(rf"\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*(?:by|/)\s*({_NUMBER})\s*", re.ASCII)


@dataclass(frozen=True)
class Domain:
    """The cells of a column: ``labels`` ends with that of all other values. ``edges`` of ranges, else empty."""

    column: str
    labels: tuple[str, ...]
    edges: tuple[float, ...] = ()

    def codes(self, column: "pa.Array") -> "IntArray":
        """Return the cell of each row."""
        import pyarrow as pa

        from privacy.anonymisation.files.texts import as_texts

        coded = column if isinstance(column, pa.DictionaryArray) else column.dictionary_encode()
        values = as_texts(coded.dictionary).to_pylist()
        other = len(self.labels) - 1
        of_values = np.array([*(self._cell(value) for value in values), other], dtype=np.int64)
        codes: IntArray = of_values[coded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)]
        return codes

    def _cell(self, value: str | None) -> int:
        other = len(self.labels) - 1
        text = (value or "").strip()
        if not self.edges:
            return self.labels.index(text) if text in self.labels else other
        try:
            number = float(text)
        except ValueError:
            return other
        if not math.isfinite(number):
            return other
        return min(max(int(np.searchsorted(self.edges, number, side="right")) - 1, 0), len(self.edges) - 2)


def parse(column: str, text: str) -> Domain:
    """Read the public values of a column. Raises UnusableColumn."""
    if found := _RANGE.fullmatch(text):
        return _ranges(column, *map(float, found.groups()))
    values = [value.strip() for value in next(csv.reader([text], skipinitialspace=True), [])]
    if not any(values) or "" in values:
        raise UnusableColumn(f"Column '{column}' needs public values, such as “A, B” or “0..100 by 10”.")
    if len(set(values)) != len(values) or OTHER in values:
        raise UnusableColumn(f"Column '{column}' has a value twice, or names “{OTHER}”, which is always there.")
    return _bounded(Domain(column, (*values, OTHER)))


def _ranges(column: str, lower: float, upper: float, step: float) -> Domain:
    if not (lower < upper and step > 0):
        raise UnusableColumn(f"Column '{column}': ranges go upwards, in steps above 0.")
    number = math.ceil((upper - lower) / step - 1e-9)
    if number > MOST_VALUES:
        raise UnusableColumn(f"Column '{column}' has {number:,} ranges: {MOST_VALUES:,} at most.")
    edges = (*(lower + step * place for place in range(number)), upper)
    labels = (f"{low:g} to {high:g}" for low, high in pairwise(edges))
    return _bounded(Domain(column, (*labels, OTHER), edges))


def _bounded(domain: Domain) -> Domain:
    if len(domain.labels) > MOST_VALUES + 1:
        raise UnusableColumn(
            f"Column '{domain.column}' has {len(domain.labels) - 1:,} values: {MOST_VALUES:,} at most."
        )
    return domain
