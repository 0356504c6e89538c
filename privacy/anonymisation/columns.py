"""Cells of a column: words for a missing value, quantities, values that identify, and formulas."""

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from privacy.anonymisation.generalisation import MISSING, Column, UnusableColumn

# As spreadsheets, databases and statistics programs write them, compared in small letters.
MISSING_WORDS = frozenset(
    {
        "", MISSING, "na", "n/a", "n.a.", "#n/a", "#na", "<na>", "null", "(null)", "none", "nil", "nan", "missing",
        "-", "--", ".", "\\n",
    }
)  # fmt: skip
# A leading zero ("01234") marks a code, not a quantity; "inf" is a number here, and refused later.
_NUMBER = re.compile(r"[+-]?((0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?|inf|infinity)", re.IGNORECASE | re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_LARGEST = 2**63 - 1
_LARGEST_IN_A_FLOAT = 2**53
_FEW = 0.1  # of the cells
# Spreadsheets evaluate a cell that begins with one of these, in full width too.
_STARTS_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
# Signed numbers, ranges, telephone numbers, and a line in the place of a value.
_HARMLESS = re.compile(r"[+-]?\d[\d.,:/ ()+-]*([eE][+-]?\d+)?|-+", re.ASCII)


def is_missing(cell: str) -> bool:
    return cell.strip().lower() in MISSING_WORDS


def typed(name: str, cells: Sequence[str]) -> Column:
    """Turn texts into numbers, missing cells masked, if every other cell is one; else leave them texts.

    Raises UnusableColumn where a few words, or numbers too long to be exact, would turn ranges into lists of values.
    """
    distinct = {cell for cell in set(cells) if not is_missing(cell)}
    words = {cell for cell in distinct if not _NUMBER.fullmatch(cell)}
    if not distinct or words:
        _refuse_few_words(name, cells, words)
        return np.array(cells, dtype=object)
    numbers = _numbers(name, distinct)
    missing = np.array([cell not in numbers for cell in cells])
    return np.ma.masked_array(np.array([numbers.get(cell, 0) for cell in cells]), mask=missing)


def _refuse_few_words(name: str, cells: Sequence[str], words: set[str]) -> None:
    """Raise UnusableColumn for numbers with a few words among them, such as "unknown"."""
    if not words or any(any(map(str.isdigit, word)) for word in words):
        return
    others = sum(cell in words for cell in cells)
    if others <= _FEW * len(cells):
        raise UnusableColumn(
            f"Column '{name}' is numbers but for {others} of {len(cells)} cells; leave missing numbers empty."
        )


def _numbers(name: str, distinct: Iterable[str]) -> Mapping[str, int | float]:
    whole = {cell: int(cell) for cell in distinct if _WHOLE.fullmatch(cell)}
    rest = {cell: float(cell) for cell in distinct if cell not in whole}
    largest = max(map(abs, whole.values()), default=0)
    if largest > (_LARGEST_IN_A_FLOAT if rest else _LARGEST):
        raise UnusableColumn(f"Column '{name}' holds numbers too long to be kept exactly; drop it, or shorten them.")
    return {**whole, **rest}


class Repeats:
    """Notice of columns that point to one person: nearly every value is in one row only.

    Values are dropped as soon as enough of them repeat, so memory grows with the columns that identify.
    """

    def __init__(self, names: Iterable[str], rows: int) -> None:
        self._most = int(_FEW * rows)
        self._seen: dict[str, set[int]] = {name: set() for name in names}
        self._repeated = dict.fromkeys(self._seen, 0)

    def add(self, name: str, cell: str) -> None:
        seen = self._seen.get(name)
        if seen is None or is_missing(cell):
            return
        value = hash(cell.strip())
        if value in seen:
            self._repeated[name] += 1
            if self._repeated[name] > self._most:
                del self._seen[name]
        seen.add(value)

    def identifying(self) -> list[str]:
        """Return the columns of which nearly every value is one row's own."""
        return [name for name, seen in self._seen.items() if len(seen) > 1]


def inert(cell: str) -> str:
    """Return the cell as a spreadsheet shows it, never evaluates it: a formula gets an apostrophe before it.

    A carriage return becomes a line feed: the writer quotes only what ends its own lines.
    """
    cell = cell.replace("\r\n", "\n").replace("\r", "\n")
    if cell.startswith(_STARTS_FORMULA) and not _HARMLESS.fullmatch(cell):
        return f"'{cell}"
    return cell
