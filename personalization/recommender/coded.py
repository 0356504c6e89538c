"""Columns of values that repeat, as numbers into the distinct values: millions of rows in a few bytes each."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

_Value = TypeVar("_Value")
_Codes = NDArray[np.int32]


class Coded(Sequence[_Value], Generic[_Value]):
    """Column of which row i is ``values[codes[i]]``. Not every value needs to occur, and none is there twice."""

    __slots__ = ("codes", "values")
    __hash__ = None  # type: ignore[assignment]  # it holds arrays

    def __init__(self, codes: _Codes, values: Sequence[_Value]) -> None:
        self.codes, self.values = codes, values

    @classmethod
    def of(cls, column: Sequence[_Value]) -> "Coded[_Value]":
        """Number the values of a column in the order they come in."""
        if isinstance(column, Coded):
            return column
        numbers: dict[_Value, int] = {}
        codes = np.fromiter((numbers.setdefault(value, len(numbers)) for value in column), np.int32, len(column))
        return cls(codes, list(numbers))

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, row: int) -> _Value: ...
    @overload
    def __getitem__(self, row: slice) -> "Coded[_Value]": ...
    def __getitem__(self, row: int | slice) -> "_Value | Coded[_Value]":
        if isinstance(row, slice):
            return Coded(self.codes[row], self.values)
        return self.values[int(self.codes[row])]

    def __iter__(self) -> Iterator[_Value]:
        return map(self.values.__getitem__, self.codes.tolist())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def take(self, rows: NDArray[np.intp]) -> "Coded[_Value]":
        """Return the column of some rows."""
        return Coded(self.codes[rows], self.values)

    def distinct(self) -> list[_Value]:
        """Return the values that occur, in the order of their numbers."""
        return [self.values[code] for code in np.flatnonzero(self.counts()).tolist()]

    def counts(self) -> NDArray[np.intp]:
        """Return by number how many rows have the value."""
        return np.bincount(self.codes, minlength=len(self.values))

    def renumbered(self, order: Iterable[_Value]) -> NDArray[np.intp]:
        """Return each row's place in ``order``, -1 where its value is not there."""
        places = {value: place for place, value in enumerate(order)}
        table = np.array([places.get(value, -1) for value in self.values], dtype=np.intp)
        return table[self.codes] if len(table) else np.zeros(0, dtype=np.intp)
