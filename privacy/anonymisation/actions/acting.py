"""What an action on a column is to the job: it reads parts of the table, and says afterwards what it did."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from privacy.anonymisation.actions import cells
from privacy.anonymisation.actions.keys import KeyRing
from privacy.anonymisation.actions.vault import Vault

Pairs = Sequence[tuple[str, str | None]]
Refused = Callable[[int, cells.Unfit], Exception]  # of the pair at a place


@dataclass(frozen=True)
class Means:
    """What actions are carried out with: keys, the vault of an installation, and names to redact. Any may be absent."""

    keys: KeyRing | None = None
    vault: Vault | None = None
    names: frozenset[str] = frozenset()


class Acting(Protocol):
    """An action at work. ``companions``: the columns that it reads besides its own."""

    @property
    def companions(self) -> tuple[str, ...]: ...

    def begin(self) -> None:
        """Start a pass over the table: what is counted begins anew."""

    def apply(self, part: Mapping[str, pa.Array], first_row: int) -> pa.Array:
        """Return what becomes of the column in one part, whose first row is the ``first_row``-th of the table.

        Raises UnusableColumn naming column and row.
        """

    @property
    def said(self) -> Mapping[str, Any]:
        """Return what the report says of the last pass: parameters and counts, never a key or a value."""


class OfPerson(ABC):
    """An action on ``column`` by the column ``person``. Each pair of a person and a value is changed once."""

    def __init__(self, column: str, person: str) -> None:
        self._column, self._person = column, person
        self._cells = 0

    @property
    def companions(self) -> tuple[str, ...]:
        return (self._person,)

    def begin(self) -> None:
        self._cells = 0

    def apply(self, part: Mapping[str, pa.Array], first_row: int) -> pa.Array:
        found, of_row = cells.paired(part[self._column], part[self._person])
        texts = self._changed(found, lambda place, why: cells.refused(self._column, of_row, place, first_row, why))
        self._cells += cells.stated_in([value for _person, value in found], of_row)
        return cells.written(texts, of_row)

    @abstractmethod
    def _changed(self, pairs: Pairs, refused: Refused) -> Sequence[str | None]:
        """Return what becomes of each pair's value."""
