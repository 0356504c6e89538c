"""Delta-presence: how sure an attacker can be that a person of a public table is in the published one.

Nergiz, Atzori and Clifton, "Hiding the presence of individuals from shared databases", SIGMOD 2007. Each row of a class
is one of the people of the public table whom the class's labels cover, all equally likely; a person may be covered by
several classes, whose shares add up. Where classes do not overlap that is the paper's definition; an attacker who plays
overlapping classes off against each other is not measured.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from privacy.anonymisation.coding import Tally, meaning
from privacy.anonymisation.describing import Description
from privacy.anonymisation.errors import AnonymisationError, UnusableTable
from privacy.anonymisation.generalisation import (
    CategoricalDomain,
    Coded,
    Domain,
    FloatArray,
    Hierarchy,
    IntArray,
    NumericDomain,
)
from privacy.anonymisation.measuring.result import Result
from privacy.anonymisation.partition.items import BoolArray

if TYPE_CHECKING:
    from privacy.anonymisation.tables import Table

_AT_ONCE = 1 << 24  # pairs of a class and a combination


class PresenceTooCertain(AnonymisationError):
    """Refusal of a copy that says too surely of someone that he is in the table, or that he is not."""


@dataclass(frozen=True)
class Population:
    """A public table of all who could be in the one that is published, and the chances that are allowed."""

    table: "Table"
    least: float = 0.0
    most: float = 1.0

    def check(self) -> None:
        """Raise AnonymisationError for chances that are none."""
        if not 0 <= self.least <= self.most <= 1:
            raise AnonymisationError("The chances of presence are two numbers from 0 to 1, the smaller one first.")


@dataclass(frozen=True)
class Presence:
    """Chances of presence over all people of the public table, its rows, and the fewest that a class covers."""

    least: float
    most: float
    population: int
    fewest_covered: int


def presence(result: Result, population: Population, trees: Mapping[str, Hierarchy]) -> Presence:
    """Measure a result against a public table. Raises PresenceTooCertain, UnusableTable, UnusableColumn."""
    names = list(result.shown)
    population.table.require(names)
    with Tally(names) as tally:
        for columns in population.table.batches(names):
            tally.add(columns)
        values, rows = tally.combinations()
    if not len(rows):
        raise UnusableTable(f"'{population.table.path.name}' has no rows.")
    covers = _Covers(result, {name: _read(name, values[name], rows, result, trees) for name in names}, len(rows))
    covered = np.zeros(result.number)
    for part, covering in covers.parts():
        covered += rows[part] @ covering
    shares = result.rows / np.maximum(covered, 1)
    # Suppressed rows are a class that covers everyone.
    of_all = result.suppressed / float(rows.sum())
    chances = [covering @ shares for _, covering in covers.parts()]
    chance = np.minimum(np.concatenate(chances) + of_all, 1)
    found = Presence(
        float(chance.min()), float(chance.max()), int(rows.sum()), int(covered.min(initial=float(rows.sum())))
    )
    _refuse(found, population)
    return found


def _refuse(found: Presence, population: Population) -> None:
    if found.least < population.least or found.most > population.most:
        raise PresenceTooCertain(
            f"The chance that a person of '{population.table.path.name}' is in the table is {found.least:.4f} to "
            f"{found.most:.4f}, not within {population.least:g} to {population.most:g}: take a larger k."
        )


def _read(
    name: str, column: tuple[list[Any], IntArray], rows: IntArray, result: Result, trees: Mapping[str, Hierarchy]
) -> Coded:
    """Read a column of the public table as that of the table was read."""
    values, codes = column
    of_value = np.roll(np.bincount(codes + 1, weights=rows, minlength=len(values) + 1).astype(np.int64), -1)
    domain, kind = result.domains[name], "text" if name in trees else "any"
    found = meaning(name, [*values, None], of_value, kind, trees.get(name))
    if isinstance(domain, NumericDomain) != (found.values.dtype.kind in "iufM"):
        raise UnusableTable(f"'{name}' of the public table is of another type than in the table.")
    return Coded(found.values, found.codes[codes])


class _Covers:
    """Which class covers which combination of the public table."""

    def __init__(self, result: Result, columns: Mapping[str, Coded], number: int) -> None:
        self._result, self._columns, self._number = result, columns, number
        self._covered = {
            name: _by_label(result.domains[name], shown, columns[name].values) for name, shown in result.shown.items()
        }

    def parts(self) -> Iterator[tuple[slice, BoolArray]]:
        """Yield parts of the combinations with what covers each: (combinations, classes)."""
        length = max(_AT_ONCE // max(self._result.number, 1), 1)
        for start in range(0, self._number, length):
            part = slice(start, start + length)
            size = min(length, self._number - start)
            covering: BoolArray = np.ones((size, self._result.number), dtype=bool)
            for name, shown in self._result.shown.items():
                codes, of_code = np.unique(self._columns[name].codes[part], return_inverse=True)
                covering &= self._covered[name][codes][:, shown.label_of][of_code]
            yield part, covering


def _by_label(domain: Domain, shown: Description, values: npt.NDArray[Any]) -> BoolArray:
    """Return which label covers which value of the public table, the missing one last: (values, labels)."""
    found: BoolArray = np.zeros((len(values) + 1, len(shown.labels)), dtype=bool)
    for label, text in enumerate(shown.labels.tolist()):
        members = shown.members[shown.starts[label] : shown.starts[label + 1]]
        found[-1, label] = domain.missing >= 0 and domain.missing in members
        if isinstance(domain, NumericDomain):
            found[:-1, label] = _within(domain, members, values)
        elif isinstance(domain, CategoricalDomain):
            held = {domain.values[code] for code in members.tolist()}
            found[:-1, label] = [str(value) in held for value in values.tolist()]
        else:
            below = {path[0] for path in domain.paths if text in path}  # type: ignore[attr-defined]  # a hierarchy
            found[:-1, label] = [str(value) in below for value in values.tolist()]
    return found


def _within(domain: NumericDomain, members: IntArray, values: npt.NDArray[Any]) -> BoolArray | FloatArray:
    numbers = members[members != domain.missing] - domain.has_missing
    if not len(numbers):
        return np.zeros(len(values), dtype=bool)
    low, high = domain.values[numbers[0]], domain.values[numbers[-1]]
    inside: BoolArray = (values >= low) & (values <= high)
    return inside
