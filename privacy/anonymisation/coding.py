"""Columns as codes, part by part: from a file of any length to the combinations that occur in it, counted.

Values get a code when they first occur. Only the distinct combinations of a part are kept, and for each row which of
them it has, in a temporary file: memory grows with the combinations, not with the rows.
"""

import contextlib
import datetime as dt
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from privacy.anonymisation.columns import as_texts, typed
from privacy.anonymisation.errors import UnusableColumn
from privacy.anonymisation.generalisation import Coded, Column, Domain, Hierarchy, IntArray, encode
from privacy.anonymisation.kanonymity import Counted, check_people, count
from privacy.anonymisation.partition.items import group_rows
from privacy.anonymisation.wish import Wish

_LARGEST_KEY = 2**62
_MERGED_AT = 1 << 22  # combinations


class TooManyCombinations(Exception):
    """A table has more combinations than fit into memory: they are grouped by rounds of SQL (``rounds``)."""


class Coder:
    """Codes of the values of some columns, one more than their place in ``values``; 0 is a missing value."""

    def __init__(self, names: Sequence[str]) -> None:
        self.values: dict[str, dict[Any, int]] = {name: {} for name in names}
        self._translations: dict[str, tuple[pa.Array, IntArray]] = {}

    def codes(self, columns: Mapping[str, pa.Array]) -> list[IntArray]:
        """Return the codes of one part, a column each."""
        return [self._code(name, values, columns[name]) for name, values in self.values.items()]

    @property
    def sizes(self) -> list[int]:
        """Return how many codes each column has by now."""
        return [len(values) + 1 for values in self.values.values()]

    def _code(self, name: str, values: dict[Any, int], column: pa.Array) -> IntArray:
        coded = column if isinstance(column, pa.DictionaryArray) else column.dictionary_encode()
        before, translate = self._translations.get(name, (None, np.zeros(0, dtype=np.int32)))
        if before is None or not before.equals(coded.dictionary):
            of_place = [
                0 if value is None else values.setdefault(value, len(values)) + 1
                for value in _listed(name, coded.dictionary)
            ]
            translate = np.array([*of_place, 0], dtype=np.int32)
            self._translations[name] = coded.dictionary, translate
        indices = coded.indices
        places = indices.fill_null(len(coded.dictionary)) if indices.null_count else indices
        found: IntArray = translate[places.to_numpy(zero_copy_only=False)]
        return found


def _listed(name: str, values: pa.Array) -> list[Any]:
    try:
        found: list[Any] = values.to_pylist()
    except (ValueError, OverflowError):
        raise UnusableColumn(
            f"Column '{name}' holds times finer than a microsecond, or beyond the year 9999: round or drop it."
        ) from None
    return found


class Tally:
    """The distinct combinations of some columns, counted, and which of them each row has; a context for its file.

    Raises TooManyCombinations where there are more than ``most``.
    """

    def __init__(self, names: Sequence[str], *, most: int | None = None) -> None:
        self.names = names
        self._coder, self._most = Coder(names), most
        self._pending: list[tuple[Column, IntArray]] = []
        self._maps: list[IntArray] = []
        self._lengths: list[int] = []
        self._waiting = 0
        self._of_rows = tempfile.TemporaryFile()  # noqa: SIM115 (a tally closes it)

    def __enter__(self) -> "Tally":
        return self

    def __exit__(self, *exc: object) -> None:
        self._of_rows.close()

    def add(self, columns: Mapping[str, pa.Array]) -> None:
        """Count the rows of one part."""
        codes, of_row = _distinct(self._coder.codes(columns), self._coder.sizes)
        of_row.tofile(self._of_rows)
        self._lengths.append(len(of_row))
        self._maps.append(np.arange(codes.shape[1]) + sum(part.shape[1] for part, _ in self._pending))
        self._pending.append((codes, np.bincount(of_row, minlength=codes.shape[1])))
        self._waiting += codes.shape[1]
        if self._waiting > _MERGED_AT:
            self._merge()

    def _merge(self) -> None:
        """Make one table of the combinations of all parts so far."""
        nothing = np.zeros((len(self.names), 0), dtype=np.int32)
        codes = np.concatenate([nothing, *(part for part, _ in self._pending)], axis=1)
        rows = np.concatenate([np.zeros(0, dtype=np.int64), *(part for _, part in self._pending)])
        merged, into = _distinct(list(codes), self._coder.sizes)
        if self._most is not None and merged.shape[1] > self._most:
            raise TooManyCombinations
        self._maps = [into[of_part] for of_part in self._maps]
        counted = np.bincount(into, weights=rows, minlength=merged.shape[1]).astype(np.int64)
        self._pending, self._waiting = [(merged, counted)], 0

    def combinations(self) -> tuple[Mapping[str, tuple[list[Any], IntArray]], IntArray]:
        """Return the values of each column with the code of each combination (-1 missing), and the rows of each."""
        self._merge()
        ((codes, rows),) = self._pending
        columns = {
            name: (list(values), of_column.astype(np.int64) - 1)
            for (name, values), of_column in zip(self._coder.values.items(), codes, strict=True)
        }
        return columns, rows

    def of_rows(self) -> Iterator[IntArray]:
        """Yield the combination of each row, in the parts in which they came."""
        self._of_rows.seek(0)
        for length, into in zip(self._lengths, self._maps, strict=True):
            yield into[np.fromfile(self._of_rows, dtype=np.int32, count=length)]


def _distinct(columns: Sequence[IntArray], sizes: Sequence[int]) -> tuple[IntArray, IntArray]:
    """Return the distinct combinations, (columns, combinations), in the order in which they occur, and each row's."""
    key, span, recoded = columns[0].astype(np.int64), sizes[0], False
    for column, size in zip(columns[1:], sizes[1:], strict=True):
        if span * size > _LARGEST_KEY:
            coded = pa.array(key).dictionary_encode()
            key, span, recoded = coded.indices.to_numpy().astype(np.int64), len(coded.dictionary), True
        key *= size
        key += column
        span *= size
    coded = pa.array(key).dictionary_encode()
    of_row: IntArray = coded.indices.to_numpy()
    found: IntArray = coded.dictionary.to_numpy()
    codes: IntArray = np.empty((len(columns), len(found)), dtype=np.int32)
    if recoded:
        first = np.empty(len(found), dtype=np.int64)
        first[of_row[::-1]] = np.arange(len(of_row))[::-1]
        codes[:] = np.stack([column[first] for column in columns])
        return codes, of_row
    for place in reversed(range(len(columns))):
        found, codes[place] = np.divmod(found, sizes[place])
    return codes, of_row


def counted(tally: Tally, wish: Wish, hierarchies: Mapping[str, Hierarchy]) -> tuple[Counted, IntArray]:
    """Return the table that was tallied, and which of its items each combination is."""
    columns, rows = tally.combinations()
    encoded: dict[str, tuple[Domain, IntArray]] = {}
    for name, (values, codes) in columns.items():
        of_value = np.bincount(codes + 1, weights=rows, minlength=len(values) + 1).astype(np.int64)
        domain, code_of = encoded_values(name, values, np.roll(of_value, -1), wish, hierarchies.get(name))
        encoded[name] = domain, code_of[codes]
    first, item_of, _ = group_rows(
        [codes for _, codes in encoded.values()], [domain.size for domain, _ in encoded.values()]
    )
    of_items = np.bincount(item_of, weights=rows, minlength=len(first)).astype(np.int64)
    of_first = {name: (domain, codes[first]) for name, (domain, codes) in encoded.items()}
    return count(of_first, of_items, [name for name in tally.names if name not in wish.roles], wish), item_of


def encoded_values(
    name: str, values: Sequence[Any], rows: IntArray, wish: Wish, tree: Hierarchy | None
) -> tuple[Domain, IntArray]:
    """Return the domain of a column and the code of each of its values; ``rows`` of each, those missing last."""
    kind = "any"
    if tree is not None or name == wish.person:
        kind = "text"
    elif name in wish.sensitive_columns:
        kind = "sensitive"
    # A dictionary may hold values that no row has.
    occurring = [value if number else None for value, number in zip(values, rows.tolist(), strict=False)]
    domain, code_of = encode(name, meaning(name, [*occurring, None], rows, kind, tree), tree, rows=rows)
    if name == wish.person:
        check_people(name, domain)
    return domain, code_of


def meaning(name: str, values: Sequence[Any], rows: IntArray, kind: str, tree: Hierarchy | None) -> Coded:
    """Read what the values of a column are: texts by what they say, others by their type. The last is missing."""
    sample = next((value for value in values if value is not None), "")
    if isinstance(sample, bool | bytes) or not isinstance(sample, str | int | float | dt.date):
        values = [None if value is None else _spelt(value) for value in values]
    elif not isinstance(sample, str) and kind != "text":
        return _of_type(values)
    texts = ["" if value is None else str(value) for value in values]
    if kind == "text":
        return as_texts(texts, () if tree is None else tree.paths)
    if kind == "any":
        return typed(name, texts, rows.tolist())
    with contextlib.suppress(UnusableColumn):
        ordered = typed(name, texts, rows.tolist())
        if ordered.values.dtype.kind != "O":
            return ordered
    return as_texts(texts)  # of a sensitive value, a word for missing is none


def _spelt(value: Any) -> str:
    """Return a value that has no order here as text."""
    if isinstance(value, bytes):
        return value.hex()
    return str(value).lower() if isinstance(value, bool) else str(value)


def _of_type(values: Sequence[Any]) -> Coded:
    present = [value for value in values if value is not None]
    kind = None
    if isinstance(present[0], dt.datetime):
        kind = "datetime64[us]"
        present = [value.replace(tzinfo=None) for value in present]
    elif isinstance(present[0], dt.date):
        kind = "datetime64[D]"
    codes = np.cumsum([value is not None for value in values]) - 1
    codes[[value is None for value in values]] = -1
    return Coded(np.array(present, dtype=kind), codes)
