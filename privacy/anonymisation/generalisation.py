"""Domains of quasi-identifiers: how values become ordered codes, and the label of a set of codes.

A column of numbers or dates generalises to a range (``17..25``), a categorical one to the set of values present
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

from privacy.anonymisation.errors import BadHierarchy, UnusableColumn

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
Column = npt.NDArray[Any]

MISSING = "?"
_LARGEST_EXACT_INTEGER = 2**53


@dataclass(frozen=True)
class Coded:
    """A column as ``codes`` of its ``values``, one a row; -1 is a missing value.

    Values are numbers, days or moments (numpy's datetime64), or texts. ``decimal`` is the sign before the fraction of a
    number, as the column writes it.
    """

    values: Column
    codes: IntArray
    decimal: str = "."

    def __len__(self) -> int:
        return len(self.codes)


class Domain(Protocol):
    """The ordered values of one column; code ``i`` stands for the ``i``-th of ``size`` values."""

    @property
    def kind(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def missing(self) -> int:
        """Return the code that stands for a missing value; -1 where none is missing."""

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
    """Distinct numbers, days or moments in ascending order; with ``has_missing`` code 0 is the missing value."""

    values: Column
    has_missing: bool
    decimal: str = "."
    kind: str = "range"

    @property
    def size(self) -> int:
        return len(self.values) + self.has_missing

    @property
    def missing(self) -> int:
        return 0 if self.has_missing else -1

    @cached_property
    def positions(self) -> FloatArray:
        above = _above_the_first(self.values)
        width = above[-1] if len(above) else 0.0
        places = above / width if width > 0 else np.zeros(len(above))
        # Missing lies a whole domain away, so mixed classes are the first to be split.
        return np.concatenate(([-1.0], places)) if self.has_missing else places

    def label(self, codes: IntArray) -> str:
        numbers = codes[1:] if self._holds_missing(codes) else codes
        if len(numbers) == 0:
            return MISSING
        low, high = (self._spelt(code) for code in (numbers[0], numbers[-1]))
        span = low if low == high else f"{low}..{high}"
        return f"{MISSING}|{span}" if self._holds_missing(codes) else span

    def loss(self, codes: IntArray) -> float:
        if self._holds_missing(codes):
            return 1.0 if len(codes) > 1 else 0.0
        return float(self.positions[codes[-1]] - self.positions[codes[0]])

    def _spelt(self, code: int) -> str:
        return _spell(self.values[code - self.has_missing]).replace(".", self.decimal)

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

    @property
    def missing(self) -> int:
        return self.values.index(MISSING) if MISSING in self.values else -1

    def label(self, codes: IntArray) -> str:
        return "|".join(sorted([self._escaped[code] for code in codes.tolist()]))

    def loss(self, codes: IntArray) -> float:
        return (len(codes) - 1) / (self.size - 1) if len(codes) > 1 else 0.0

    @cached_property
    def _escaped(self) -> list[str]:
        return [_escape(value) for value in self.values]


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
            with source.open(encoding="utf-8-sig", newline="") as lines:
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
        if paths and all(len(path) == 1 and ";" in path[0] for path in paths.values()):
            raise BadHierarchy(f"{name}: levels are separated by commas, not by semicolons.")
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

    @property
    def missing(self) -> int:
        return next((code for code, path in enumerate(self.paths) if path[0] == MISSING), -1)

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


def encode(
    name: str, column: Column | Coded, hierarchy: Hierarchy | None = None, *, rows: IntArray | None = None
) -> tuple[Domain, IntArray]:
    """Return the domain of ``column`` and its entries as codes; see ``domain_of``.

    ``rows`` says how many rows have each entry, 1 unless given; an entry of no row is not in the domain.
    """
    coded = as_coded(name, column)
    counts = np.bincount(coded.codes + 1, weights=rows, minlength=len(coded.values) + 1).astype(np.int64)
    domain, code_of = domain_of(name, coded, np.roll(counts, -1), hierarchy)
    return domain, code_of[coded.codes]


def as_coded(name: str, column: Column | Coded) -> Coded:
    """Return the distinct values of a column and which of them each row has. Masked entries, None and "" are missing.

    Raises UnusableColumn for what is no column of numbers, days, moments or texts.
    """
    if isinstance(column, Coded):
        return column
    if column.ndim != 1 or column.dtype.kind not in "iufbUOM":
        raise UnusableColumn(f"Column '{name}' must be one-dimensional numbers, dates or texts, not {column.dtype}.")
    if column.dtype.kind in "iufM":
        missing = np.ma.getmaskarray(column)
        values, found = np.unique(np.ma.getdata(column)[~missing], return_inverse=True)
        codes = np.full(len(column), -1, dtype=np.int64)
        codes[~missing] = found
        return Coded(values, codes)
    entries = column.tolist()  # a masked entry becomes None
    texts = {entry: _text(name, entry) for entry in dict.fromkeys(entries)}
    place = {text: number for number, text in enumerate(dict.fromkeys(texts.values()))}
    place_of = {entry: place[text] for entry, text in texts.items()}
    codes = np.fromiter(map(place_of.__getitem__, entries), dtype=np.int64, count=len(entries))
    return Coded(np.array(list(place), dtype=object), codes)


def domain_of(name: str, coded: Coded, counts: IntArray, hierarchy: Hierarchy | None = None) -> tuple[Domain, IntArray]:
    """Return the domain of a column and the code of each of its values, that of a missing one last.

    ``counts`` says how many rows have each of them. Numbers, days and moments become ranges unless a hierarchy is
    given; texts are categories. The order of ``coded.values`` has no influence.

    Raises UnusableColumn for NaN and infinity, BadHierarchy if the hierarchy lacks a value of the column.
    """
    if coded.values.dtype.kind in "iufM" and hierarchy is None:
        return _numeric(name, coded, has_missing=bool(counts[-1]))
    texts = [_text(name, value) for value in coded.values.tolist()] + [MISSING]
    rows: Counter[str] = Counter()
    for text, number in zip(texts, counts.tolist(), strict=True):
        rows[text] += number
    if not rows[MISSING]:
        del rows[MISSING]
    if hierarchy is not None:
        return _hierarchical(name, texts, rows, hierarchy)
    values = tuple(sorted(rows, key=lambda value: (-rows[value], value)))
    return CategoricalDomain(values), _places(texts, values)


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


def _numeric(name: str, coded: Coded, *, has_missing: bool) -> tuple[Domain, IntArray]:
    if coded.values.dtype.kind != "i" and not np.isfinite(coded.values).all():
        raise _not_finite(name)
    values, places = np.unique(coded.values, return_inverse=True)
    return NumericDomain(values, has_missing, coded.decimal), np.append(places + has_missing, 0)


def _hierarchical(
    name: str, texts: Sequence[str], rows: Mapping[str, int], hierarchy: Hierarchy
) -> tuple[Domain, IntArray]:
    absent = set(rows) - set(hierarchy.paths)
    if absent - {MISSING}:
        raise BadHierarchy(f"The hierarchy of '{name}' lacks {len(absent)} of the values in the column.")
    domain = HierarchicalDomain.of(hierarchy.with_missing() if absent else hierarchy)
    return domain, _places(texts, [path[0] for path in domain.paths])


def _places(texts: Sequence[str], values: Sequence[str]) -> IntArray:
    """Return where each text is among the values; -1 for one that no row has."""
    place_of = {value: place for place, value in enumerate(values)}
    return np.array([place_of.get(text, -1) for text in texts], dtype=np.int64)


def _above_the_first(ascending: Column) -> FloatArray:
    """Return how far numbers, days or moments lie above the first, or half of that: enough for a place on a line."""
    if ascending.dtype.kind == "f":
        halves: FloatArray = ascending.astype(np.float64) / 2  # the width of the widest domain stays finite
        return halves - halves[:1]
    # Whole numbers are subtracted before they become floats, which would make neighbours beyond 2^53 one. The
    # difference of any two of 64 bits is one without a sign.
    whole = ascending if ascending.dtype.kind == "u" else ascending.astype(np.int64)
    unsigned = whole.astype(np.uint64)
    return (unsigned - unsigned[:1]).astype(np.float64)


def _spell(number: Any) -> str:
    if isinstance(number, np.datetime64):
        return str(number)
    whole = isinstance(number, int | np.integer) or (number.is_integer() and abs(number) < _LARGEST_EXACT_INTEGER)
    return str(int(number)) if whole else repr(float(number))


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("|", "\\|")
