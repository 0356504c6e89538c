"""Strict Mondrian: halve groups of equal tuples for as long as both halves pass the tests.

LeFevre, DeWitt and Ramakrishnan, "Mondrian multidimensional k-anonymity", ICDE 2006. Strict means that equal
tuples are never separated, so the rows can be grouped to (tuple, count) first without changing the result.
All classes of one depth are split together: the work is a few array operations per depth, not per class.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from privacy.anonymisation.generalisation import Domain, FloatArray, IntArray

BoolArray = npt.NDArray[np.bool_]

_LARGEST_KEY = 2**62


@dataclass(frozen=True)
class Groups:
    """Rows with equal quasi-identifiers (and equal sensitive value, if one is given), counted.

    ``codes`` has shape (quasi-identifiers, groups); ``counts`` and ``sensitive`` have one entry per group. The
    sensitive code ``unstated`` stands for a missing value, which is none: -1 where nothing is missing.
    """

    codes: IntArray
    counts: IntArray
    sensitive: IntArray | None = None
    unstated: int = -1

    def take(self, index: IntArray) -> "Groups":
        """Return the groups at ``index``, in that order."""
        sensitive = None if self.sensitive is None else self.sensitive[index]
        return Groups(self.codes[:, index], self.counts[index], sensitive, self.unstated)


class SplitTest(Protocol):
    """Test whether candidate classes may stand; a split happens only if both halves may."""

    def __call__(self, groups: Groups, classes: IntArray, number: int) -> BoolArray:
        """Judge ``number`` candidate classes; ``classes`` holds the class (0..number-1) of each group."""


def at_least_k(k: int) -> SplitTest:
    """Allow classes of ``k`` rows or more (Sweeney 2002)."""

    def may_stand(groups: Groups, classes: IntArray, number: int) -> BoolArray:
        return class_sizes(groups, classes, number) >= k

    return may_stand


def distinct_l(least: int) -> SplitTest:
    """Allow classes with ``least`` or more distinct sensitive values (Machanavajjhala et al. 2006)."""

    def may_stand(groups: Groups, classes: IntArray, number: int) -> BoolArray:
        return distinct_sensitive(groups, classes, number) >= least

    return may_stand


def class_sizes(groups: Groups, classes: IntArray, number: int) -> IntArray:
    """Count the rows of each class."""
    sizes = np.zeros(number, dtype=np.int64)
    np.add.at(sizes, classes, groups.counts)
    return sizes


def distinct_sensitive(groups: Groups, classes: IntArray, number: int) -> IntArray:
    """Count the different stated sensitive values of each class. Raises ValueError if the groups carry none."""
    if groups.sensitive is None:
        raise ValueError("l-diversity needs a sensitive column.")
    stated = groups.sensitive != groups.unstated
    return _distinct(classes[stated], groups.sensitive[stated], number)


def group_rows(columns: Sequence[IntArray], sizes: Sequence[int]) -> tuple[IntArray, IntArray, IntArray]:
    """Group equal rows of coded columns: (a row of each group, the group of each row, rows per group).

    Groups come in the order of their codes, independent of the order of the rows.
    """
    key, span = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column, size in zip(columns, sizes, strict=True):
        if span * size > _LARGEST_KEY:
            distinct, key = np.unique(key, return_inverse=True)
            span = len(distinct)
        key, span = key * size + column, span * size
    _, first, inverse, counts = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    return first, inverse, counts


def partition(groups: Groups, domains: Sequence[Domain], tests: Sequence[SplitTest]) -> IntArray:
    """Return the class of each group, numbered from 0 without gaps.

    Starts from one class of everything, which the caller has tested, and halves classes until no cut leaves
    two classes that pass all ``tests``. The same groups give the same classes, always.
    """
    classes = np.zeros(len(groups.counts), dtype=np.int64)
    open_groups, settled = np.arange(len(classes)), 0
    while len(open_groups):
        part = np.unique(classes[open_groups], return_inverse=True)[1]
        upper, was_split = _split_all(groups.take(open_groups), part, domains, tests)
        staying = ~was_split[part]
        # Finished classes are numbered below those still open; the halves of one class stay neighbours.
        finished, numbers = np.unique(part[staying], return_inverse=True)
        classes[open_groups[staying]] = settled + numbers
        settled += len(finished)
        classes[open_groups[~staying]] = settled + 2 * part[~staying] + upper[~staying]
        open_groups = open_groups[~staying]
    return classes


def _split_all(
    groups: Groups, part: IntArray, domains: Sequence[Domain], tests: Sequence[SplitTest]
) -> tuple[BoolArray, BoolArray]:
    """Try to halve every part: (whether each group is in the upper half, whether each part was split)."""
    number = int(part.max()) + 1
    spreads = np.stack([_spread(part, codes, domain) for codes, domain in zip(groups.codes, domains, strict=True)])
    preference = np.argsort(-spreads, axis=0, kind="stable")
    upper, was_split = np.zeros(len(part), dtype=bool), np.zeros(number, dtype=bool)
    for axis in preference:
        willing = ~was_split & (spreads[axis, np.arange(number)] > 0)
        tried = np.flatnonzero(willing[part])
        if len(tried) == 0:
            break
        candidates = groups.take(tried)
        above = _above_the_median(candidates.codes[axis[part[tried]], np.arange(len(tried))], part[tried], candidates)
        allowed = _both_halves_stand(candidates, part[tried], above, number, tests) & willing
        upper[tried] = np.where(allowed[part[tried]], above, upper[tried])
        was_split |= allowed
    return upper, was_split


def _both_halves_stand(
    groups: Groups, part: IntArray, above: BoolArray, number: int, tests: Sequence[SplitTest]
) -> BoolArray:
    halves = 2 * part + above
    stand = np.ones(2 * number, dtype=bool)
    for test in tests:
        stand &= test(groups, halves, 2 * number)
    return stand[::2] & stand[1::2]


def _above_the_median(values: IntArray, part: IntArray, groups: Groups) -> BoolArray:
    """Cut each part between two of its values so that the halves differ least in rows.

    Of equally good cuts the lowest is taken.
    """
    size = int(values.max()) + 1
    places, place_of = np.unique(part * size + values, return_inverse=True)
    rows_at = class_sizes(groups, place_of, len(places))
    owner = places // size
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    up_to = np.cumsum(rows_at)
    before = np.repeat(up_to[starts] - rows_at[starts], np.diff(starts, append=len(places)))
    total = np.repeat(np.add.reduceat(rows_at, starts), np.diff(starts, append=len(places)))
    imbalance = np.abs(2 * (up_to - before) - total)
    order = np.lexsort((places, imbalance, owner))
    cut_of = np.zeros(int(part.max()) + 1, dtype=np.int64)
    cut_of[owner[starts]] = places[order[starts]]
    return part * size + values > cut_of[part]


def _spread(part: IntArray, codes: IntArray, domain: Domain) -> FloatArray:
    """Measure how much of its domain each part spans: a share of the width, or of the number of values."""
    number = int(part.max()) + 1
    positions = domain.positions
    if positions is None:
        return (_distinct(part, codes, number) - 1).astype(np.float64) / max(domain.size - 1, 1)
    places = positions[codes]
    lowest: FloatArray = np.full(number, np.inf)
    highest: FloatArray = np.full(number, -np.inf)
    np.minimum.at(lowest, part, places)
    np.maximum.at(highest, part, places)
    return highest - lowest


def _distinct(part: IntArray, codes: IntArray, number: int) -> IntArray:
    size = int(codes.max(initial=0)) + 1
    return np.bincount(np.unique(part * size + codes) // size, minlength=number)
