"""Cells of a column: words for a missing value, quantities, dates, and formulas."""

import itertools
import math
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from privacy.anonymisation.errors import UnusableColumn
from privacy.anonymisation.generalisation import MISSING, Coded

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
_COMMA = re.compile(r"[+-]?(0|[1-9]\d*),\d+", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?", re.ASCII)
_LARGEST = 2**63 - 1
_LARGEST_IN_A_FLOAT = 2**53
_DIGITS_OF_A_FLOAT = 17
_FEW = 0.1  # of the cells
# Spreadsheets evaluate a cell that begins with one of these, in full width too.
_STARTS_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
# Signed numbers, ranges, telephone numbers, and a line in the place of a value.
_HARMLESS = re.compile(r"[+-]?\d[\d.,:/ ()+-]*([eE][+-]?\d+)?|-+", re.ASCII)


def is_missing(cell: str) -> bool:
    return cell.strip().lower() in MISSING_WORDS


def typed(name: str, cells: Sequence[str], rows: Sequence[int] | None = None) -> Coded:
    """Read texts as numbers (with a point or a comma), days or moments if all but the missing are; else leave them.

    ``rows`` says how many rows have each cell, 1 unless given. Raises UnusableColumn where a few words, or numbers too
    long to be exact, would turn ranges into lists of values, and for commas that may be of thousands.
    """
    texts = [cell.strip() for cell in cells]
    distinct = {text for text in set(texts) if not is_missing(text)}
    counts = [1] * len(texts) if rows is None else rows
    days = {text for text in distinct if _DATE.fullmatch(text) or _MOMENT.fullmatch(text)}
    if days:
        _refuse_few(name, "dates", [text in distinct and text not in days for text in texts], counts)
    if days == distinct and distinct:
        return _coded(
            texts, _moments(name, days), "datetime64[us]" if any(map(_MOMENT.fullmatch, days)) else "datetime64[D]"
        )
    decimal = "," if any(map(_COMMA.fullmatch, distinct)) else "."
    numbers = {text for text in distinct if _NUMBER.fullmatch(text) or (decimal == "," and _COMMA.fullmatch(text))}
    words = distinct - numbers
    if words or not distinct:
        if not any(any(map(str.isdigit, word)) for word in words):
            _refuse_few(name, "numbers", [text in words for text in texts], counts)
        return as_texts(texts, keeps_words=bool(words))
    if decimal == ",":
        _refuse_thousands(name, numbers)
    return _coded(texts, _numbers(name, numbers, decimal), None, decimal)


def as_texts(cells: Sequence[str], values: Container[str] = (), *, keeps_words: bool = False) -> Coded:
    """Return the cells as texts; a word for a missing value is one only if ``values`` has it.

    With ``keeps_words`` only an empty cell and ``?`` are missing.
    """
    texts = [cell.strip() for cell in cells]
    if keeps_words:
        present = {text for text in texts if text not in ("", MISSING)}
    else:
        present = {text for text in texts if text in values or not is_missing(text)}
    return _coded(texts, {text: text for text in sorted(present)}, object)


def _coded(texts: Sequence[str], meaning: Mapping[str, Any], kind: Any, decimal: str = ".") -> Coded:
    """Code the texts by what they mean; one without a meaning is missing."""
    code_of = {text: code for code, text in enumerate(meaning)}
    codes = np.fromiter((code_of.get(text, -1) for text in texts), dtype=np.int64, count=len(texts))
    return Coded(np.array(list(meaning.values()), dtype=kind), codes, decimal)


def _refuse_few(name: str, kind: str, others: Sequence[bool], counts: Sequence[int]) -> None:
    """Raise UnusableColumn for numbers or dates with a few other cells among them, such as "unknown"."""
    number, total = sum(itertools.compress(counts, others)), sum(counts)
    if 0 < number <= _FEW * total:
        raise UnusableColumn(
            f"Column '{name}' is {kind} but for {number} of {total} cells; leave missing {kind} empty."
        )


def _refuse_thousands(name: str, numbers: set[str]) -> None:
    if all(_THOUSANDS.fullmatch(number) for number in numbers if "," in number):
        raise UnusableColumn(
            f"Column '{name}' has commas before three digits only: they may be decimal or of thousands. "
            "Write the numbers without thousands, or with a decimal point."
        )
    if any("." in number for number in numbers):
        raise UnusableColumn(f"Column '{name}' has numbers with a point and numbers with a comma.")


def _moments(name: str, texts: set[str]) -> dict[str, np.datetime64]:
    try:
        return {text: np.datetime64(text.replace(" ", "T")) for text in sorted(texts)}
    except ValueError:
        raise UnusableColumn(f"Column '{name}' holds a date that no calendar has.") from None


def _numbers(name: str, distinct: Iterable[str], decimal: str) -> dict[str, int | float]:
    whole = {cell: int(cell) for cell in distinct if _WHOLE.fullmatch(cell)}
    rest = {cell: float(cell.replace(decimal, ".")) for cell in distinct if cell not in whole}
    largest = max(map(abs, whole.values()), default=0)
    rounded = (len(cell) > _DIGITS_OF_A_FLOAT and _is_rounded(cell, number) for cell, number in rest.items())
    if largest > (_LARGEST_IN_A_FLOAT if rest else _LARGEST) or any(rounded):
        raise UnusableColumn(f"Column '{name}' holds numbers too long to be kept exactly; drop it, or shorten them.")
    return {**whole, **rest}


def _is_rounded(cell: str, number: float) -> bool:
    """Return whether a number of more digits than a float keeps would become another one."""
    written = Decimal(cell.replace(",", "."))
    digits = len(written.normalize().as_tuple().digits)
    return digits > _DIGITS_OF_A_FLOAT and math.isfinite(number) and written != Decimal(repr(number))


def inert(cell: str) -> str:
    """Return the cell as a spreadsheet shows it, never evaluates it: a formula gets an apostrophe before it.

    A carriage return becomes a line feed: the writer quotes only what ends its own lines.
    """
    cell = cell.replace("\r\n", "\n").replace("\r", "\n")
    if cell.startswith(_STARTS_FORMULA) and not _HARMLESS.fullmatch(cell):
        return f"'{cell}"
    return cell
