"""Domains of quasi-identifiers: how values become ordered codes, and the label of a set of codes.

A numeric column generalises to a range (``17..25``), a categorical one to the set of values present
(``Local-gov|Private``), one with a hierarchy to the lowest common ancestor (``Government``). A missing value
(a masked entry, ``None``, an empty string) is a category of its own, spelt ``?``, and never hides in a range.
"""

import csv
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
Column = npt.NDArray[Any]

MISSING = "?"
_LARGEST_EXACT_INTEGER = 2**53


class AnonymisationError(ValueError):
    """Failure to anonymise as requested; nothing weaker is produced instead."""


class UnusableColumn(AnonymisationError):
    """Refusal of a column with values that have no place in a domain (NaN, infinity, an unsupported type)."""


class BadHierarchy(AnonymisationError):
    """Refusal of a generalisation hierarchy that is not a tree, or does not cover its column."""


class Domain(Protocol):
    """The ordered values of one column; code ``i`` stands for the ``i``-th of ``size`` values."""

    @property
    def kind(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def positions(self) -> FloatArray | None:
        """Return the place of each code on a line of length 1, or None where only the number of values counts."""

    def label(self, codes: IntArray) -> str:
        """Name the smallest generalisation covering ``codes`` (ascending, distinct, not empty)."""

    def loss(self, codes: IntArray) -> float:
        """Return the normalised certainty penalty of that generalisation, in [0, 1].

        Xu et al., "Utility-based anonymization using local recoding", KDD 2006.
        """


@dataclass(frozen=True)
class NumericDomain:
    """Distinct finite numbers in ascending order; with ``has_missing`` code 0 is the missing value."""

    values: Column
    has_missing: bool
    kind: str = "range"

    @property
    def size(self) -> int:
        return len(self.values) + self.has_missing

    @cached_property
    def positions(self) -> FloatArray:
        # Halving first keeps the width of the widest representable domain finite.
        halves = self.values.astype(np.float64) / 2
        width = halves[-1] - halves[0] if len(halves) else 0.0
        places = (halves - halves[0]) / width if width > 0 else np.zeros(len(halves))
        # Missing lies a whole domain away, so mixed classes are the first to be split.
        return np.concatenate(([-1.0], places)) if self.has_missing else places

    def label(self, codes: IntArray) -> str:
        numbers = codes[1:] if self._holds_missing(codes) else codes
        if len(numbers) == 0:
            return MISSING
        low, high = (_spell(self.values[code - self.has_missing]) for code in (numbers[0], numbers[-1]))
        span = low if low == high else f"{low}..{high}"
        return f"{MISSING}|{span}" if self._holds_missing(codes) else span

    def loss(self, codes: IntArray) -> float:
        if self._holds_missing(codes):
            return 1.0 if len(codes) > 1 else 0.0
        return float(self.positions[codes[-1]] - self.positions[codes[0]])

    def _holds_missing(self, codes: IntArray) -> bool:
        return self.has_missing and int(codes[0]) == 0


@dataclass(frozen=True)
class CategoricalDomain:
    """Distinct texts, the most frequent first: cuts then part the common values from the rare ones."""

    values: tuple[str, ...]
    kind: str = "set"
    positions: None = None

    @property
    def size(self) -> int:
        return len(self.values)

    def label(self, codes: IntArray) -> str:
        return "|".join(sorted(_escape(self.values[code]) for code in codes))

    def loss(self, codes: IntArray) -> float:
        return (len(codes) - 1) / (self.size - 1) if len(codes) > 1 else 0.0


@dataclass(frozen=True)
class Hierarchy:
    """A tree of generalisations: for each raw value its path (the value, coarser levels, the root)."""

    paths: Mapping[str, tuple[str, ...]]

    @classmethod
    def read(cls, source: Path) -> "Hierarchy":
        """Read a CSV file without header: raw value first, coarser levels after it, ``*`` last.

        Raises BadHierarchy naming the file and the line that spoils the tree.
        """
        try:
            lines = source.read_text(encoding="utf-8-sig").splitlines()
            rows = [tuple(cell.strip() for cell in row) for row in csv.reader(lines, skipinitialspace=True)]
        except (UnicodeDecodeError, csv.Error) as exc:
            raise BadHierarchy(f"{source.name} is not a CSV file in UTF-8.") from exc
        paths: dict[str, tuple[str, ...]] = {}
        for number, path in enumerate(rows, start=1):
            if path and paths.setdefault(path[0], path) != path:
                raise BadHierarchy(f"{source.name}, line {number}: a second path for the same value.")
        return cls.of(paths, name=source.name)

    @classmethod
    def of(cls, paths: Mapping[str, tuple[str, ...]], *, name: str = "hierarchy") -> "Hierarchy":
        """Check that ``paths`` are equally long, end in ``*`` and form one tree."""
        lengths, roots = {len(path) for path in paths.values()}, {path[-1] for path in paths.values()}
        if len(lengths) != 1 or roots != {"*"}:
            raise BadHierarchy(f"{name}: every line needs the same number of levels, with '*' as the last.")
        parents: dict[tuple[int, str], str] = {}
        for path in paths.values():
            for level, (node, parent) in enumerate(pairwise(path)):
                if parents.setdefault((level, node), parent) != parent:
                    raise BadHierarchy(f"{name}: '{node}' has two parents, '{parents[level, node]}' and '{parent}'.")
        return cls(paths)

    def with_missing(self) -> "Hierarchy":
        """Return the tree with the missing value as one more child of the root."""
        levels = len(next(iter(self.paths.values())))
        return Hierarchy({**self.paths, MISSING: (MISSING,) * (levels - 1) + ("*",)})


@dataclass(frozen=True)
class HierarchicalDomain:
    """The leaves of a hierarchy in depth-first order, so a run of codes stays in few subtrees."""

    paths: tuple[tuple[str, ...], ...]
    kind: str = "hierarchy"
    positions: None = None

    @classmethod
    def of(cls, hierarchy: Hierarchy) -> "HierarchicalDomain":
        first_seen: dict[tuple[int, str], int] = {}
        for path in hierarchy.paths.values():
            for node in enumerate(path):
                first_seen.setdefault(node, len(first_seen))

        def from_the_root(path: tuple[str, ...]) -> list[int]:
            return [first_seen[node] for node in reversed(list(enumerate(path)))]

        return cls(tuple(sorted(hierarchy.paths.values(), key=from_the_root)))

    @property
    def size(self) -> int:
        return len(self.paths)

    def label(self, codes: IntArray) -> str:
        return self.paths[int(codes[0])][self._level(codes)]

    def loss(self, codes: IntArray) -> float:
        if len(codes) == 1:
            return 0.0
        level = self._level(codes)
        return (self._leaves[level, self.paths[codes[0]][level]] - 1) / (self.size - 1)

    def _level(self, codes: IntArray) -> int:
        # In depth-first order the first and the last leaf have the ancestor of all between them.
        pairs = zip(self.paths[codes[0]], self.paths[codes[-1]], strict=True)
        return next(level for level, (one, other) in enumerate(pairs) if one == other)

    @cached_property
    def _leaves(self) -> Counter[tuple[int, str]]:
        return Counter(node for path in self.paths for node in enumerate(path))


def encode(name: str, column: Column, hierarchy: Hierarchy | None = None) -> tuple[Domain, IntArray]:
    """Return the domain of ``column`` and its values as codes, one per row.

    Integers and floats (masked entries are missing) become ranges unless a hierarchy is given; texts,
    booleans and objects are categories. Raises UnusableColumn for NaN, infinity and other types,
    BadHierarchy if the hierarchy lacks a value of the column.
    """
    if column.ndim != 1 or column.dtype.kind not in "iufbUO":
        raise UnusableColumn(f"Column '{name}' must be one-dimensional numbers or texts, not {column.dtype}.")
    if hierarchy is not None:
        return _encode_hierarchical(name, _texts(name, column), hierarchy)
    if column.dtype.kind in "iuf":
        return _encode_numeric(name, column)
    return _encode_categorical(_texts(name, column))


def _texts(name: str, column: Column) -> list[str]:
    values = column.tolist()  # a masked entry becomes None
    spelt = {value: _text(name, value) for value in dict.fromkeys(values)}
    return [spelt[value] for value in values]


def _text(name: str, value: object) -> str:
    if value is None or value == "":
        return MISSING
    if not isinstance(value, float):
        return str(value)
    if not math.isfinite(value):
        raise _not_finite(name)
    return _spell(value)


def _not_finite(name: str) -> UnusableColumn:
    return UnusableColumn(f"Column '{name}' holds NaN or infinity; leave missing numbers empty (masked).")


def _encode_numeric(name: str, column: Column) -> tuple[Domain, IntArray]:
    missing = np.ma.getmaskarray(column)
    present = np.ma.getdata(column)[~missing]
    if not np.isfinite(present).all():
        raise _not_finite(name)
    values, codes = np.unique(present, return_inverse=True)
    domain = NumericDomain(values, has_missing=bool(missing.any()))
    rows = np.zeros(len(column), dtype=np.int64)
    rows[~missing] = codes + domain.has_missing
    return domain, rows


def _encode_categorical(texts: Sequence[str]) -> tuple[Domain, IntArray]:
    counts = Counter(texts)
    values = tuple(sorted(counts, key=lambda value: (-counts[value], value)))
    return CategoricalDomain(values), _codes(texts, values)


def _encode_hierarchical(name: str, texts: Sequence[str], hierarchy: Hierarchy) -> tuple[Domain, IntArray]:
    absent = set(texts) - set(hierarchy.paths)
    if absent - {MISSING}:
        raise BadHierarchy(f"The hierarchy of '{name}' lacks {len(absent)} of the values in the column.")
    domain = HierarchicalDomain.of(hierarchy.with_missing() if absent else hierarchy)
    return domain, _codes(texts, [path[0] for path in domain.paths])


def _codes(texts: Sequence[str], values: Sequence[str]) -> IntArray:
    code_of = {value: code for code, value in enumerate(values)}
    return np.fromiter(map(code_of.__getitem__, texts), dtype=np.int64, count=len(texts))


def _spell(number: float) -> str:
    whole = isinstance(number, int | np.integer) or (number.is_integer() and abs(number) < _LARGEST_EXACT_INTEGER)
    return str(int(number)) if whole else repr(float(number))


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("|", "\\|")
