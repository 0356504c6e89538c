"""Cells of a column, each distinct value treated once: texts by Arrow's dictionaries, and refusals that name the row.

A missing cell, or a word for one, stays as it is.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from privacy.anonymisation.columns import is_missing
from privacy.anonymisation.errors import UnusableColumn
from privacy.anonymisation.files.texts import as_texts
from privacy.anonymisation.generalisation import IntArray

Pair = tuple[str, str]  # a person, and a value of theirs


class Unfit(ValueError):
    """Failure of one value to be acted on; the text says why, and quotes nothing of it."""


def coded(column: pa.Array) -> tuple[list[str | None], IntArray]:
    """Return the texts of a column, None the last of them, and which of them each cell is."""
    if not isinstance(column, pa.DictionaryArray):
        column = column.dictionary_encode()
    texts = [*as_texts(column.dictionary).to_pylist(), None]
    indices = column.indices.fill_null(len(texts) - 1) if column.indices.null_count else column.indices
    return texts, indices.to_numpy(zero_copy_only=False).astype(np.int64)


def paired(column: pa.Array, person: pa.Array) -> tuple[list[tuple[str, str | None]], IntArray]:
    """Return the distinct pairs of a person and a value, and which of them each row is."""
    values, of_value = coded(column)
    people, of_person = coded(person)
    key = pa.array(of_person * len(values) + of_value).dictionary_encode()
    found = (divmod(each, len(values)) for each in key.dictionary.to_pylist())
    return [((people[one] or "").strip(), values[other]) for one, other in found], key.indices.to_numpy().astype(
        np.int64
    )


def is_stated(text: str | None) -> bool:
    return text is not None and not is_missing(text)


def written(texts: Sequence[str | None], of_row: IntArray) -> pa.Array:
    """Return a column with the text of each row's code, in a dictionary without repetitions."""
    values = pa.array(texts, pa.string()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(values.indices.take(pa.array(of_row)), values.dictionary)


def treated(
    name: str, column: pa.Array, treat: Callable[[str], str], first_row: int
) -> tuple[pa.Array, list[str | None], IntArray]:
    """Return a column whose stated values were treated, its texts before, and which of them each cell is.

    Raises UnusableColumn naming column and row.
    """
    values, of_row = coded(column)
    occurring = np.bincount(of_row, minlength=len(values)) > 0
    after: list[str | None] = []
    for place, value in enumerate(values):
        try:
            after.append(treat(value) if value is not None and occurring[place] and is_stated(value) else value)
        except Unfit as why:
            raise refused(name, of_row, place, first_row, why) from None
    return written(after, of_row), values, of_row


def refused(name: str, of_row: IntArray, place: int, first_row: int, why: Exception) -> UnusableColumn:
    """Return the refusal of a value, with the first row that has it, counted from 1 without the header."""
    row = first_row + int(np.argmax(of_row == place)) + 1
    return UnusableColumn(f"Column '{name}', row {row:,}: {why}")


def stated_in(values: Sequence[str | None], of_row: IntArray) -> int:
    """Return how many cells are stated."""
    is_one = np.array([is_stated(value) for value in values], dtype=bool)
    return int(is_one[of_row].sum())
