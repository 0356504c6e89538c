"""People whose row a release left out: which rows an attacker takes for theirs in two releases.

A row that is left out shows nothing, so who looks for a person in it finds, by what is known of the person, every row
that is left out and every class that covers the person. In a release that shows the row it is found by its class. The
rows that fit in both releases are the candidates. Each of them could be exchanged with the person's own and both
releases would look the same, so even who knows of all people what can be known cannot rule one out. Pure; no Django.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from privacy.anonymisation.generalisation import Hierarchy, IntArray
from privacy.releases.measures.labels import below, fitting

if TYPE_CHECKING:
    from privacy.anonymisation.partition.items import BoolArray

MOST_COMPARED = 50_000_000  # people with a row left out, times pairs of classes; beyond, each pair is alone
_AT_ONCE = 4_000_000  # of them


@dataclass(frozen=True)
class Side:
    """Classes of a copy: by column the labels there are, and which each class has.

    ``left_out``: the one that shows nothing, None where it has none. ``ranges``: columns whose labels are ranges.
    """

    labels: Mapping[str, tuple[Sequence[str], IntArray]]
    left_out: int | None
    ranges: frozenset[str] = frozenset()
    trees: Mapping[str, Hierarchy] = field(default_factory=dict)

    def covered(self, values: Mapping[str, Any]) -> "BoolArray":
        """Return which classes cover each person, by their values of each column: people by classes."""
        people, classes = len(next(iter(values.values()))), len(next(iter(self.labels.values()))[1])
        found: BoolArray = np.ones((people, classes), dtype=bool)
        for name, (texts, of_class) in self.labels.items():
            known, of_person = np.unique(values[name], return_inverse=True)
            labels, tree = np.array(texts, dtype=object), self.trees.get(name)
            fits = below(labels, known, tree) if tree else fitting(labels, known, ranges=name in self.ranges)
            found &= fits[of_class][:, of_person.reshape(-1)].T
        if self.left_out is not None:
            found[:, self.left_out] = True
        return found


@dataclass(frozen=True)
class Found:
    """What a release shows of the same rows as another: the class of each, -1 where it is not in it."""

    side: Side
    of_pairs: IntArray
    of_people: IntArray
    values: Mapping[str, Any]

    @cached_property
    def _is_left_out(self) -> "BoolArray":
        found: BoolArray = self.of_people == (-2 if self.side.left_out is None else self.side.left_out)
        return found

    @cached_property
    def _covered(self) -> "BoolArray":
        """Return which classes may be those of each person whose row it leaves out; last, that there is none."""
        covered = self.side.covered({name: each[self._is_left_out] for name, each in self.values.items()})
        return np.hstack([covered, np.zeros((len(covered), 1), dtype=bool)])

    def fits(self, people: slice) -> "BoolArray":
        """Return which pairs of classes may have the rows of people, as far as this release says."""
        fits: BoolArray = self.of_people[people, None] == self.of_pairs[None, :]
        hidden = np.flatnonzero(self._is_left_out[people])
        if len(hidden):
            before = int(self._is_left_out[: people.start].sum())
            fits[hidden] = self._covered[before : before + len(hidden)][:, self.of_pairs]
        return fits


def candidates(ours: Found, theirs: Found, rows: IntArray) -> IntArray:
    """Return how many rows may be those of each person; ``rows`` are those of each pair of classes."""
    step = max(1, _AT_ONCE // max(1, len(rows)))
    counted = [
        (ours.fits(slice(start, start + step)) & theirs.fits(slice(start, start + step))) @ rows
        for start in range(0, len(ours.of_people), step)
    ]
    return np.concatenate(counted) if counted else np.zeros(0, dtype=np.int64)
