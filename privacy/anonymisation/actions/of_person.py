"""What actions share whose result differs from person to person: each pair of person and value is changed once."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa

from privacy.anonymisation.actions import cells

Pairs = Sequence[tuple[str, str | None]]
Refused = Callable[[int, cells.Unfit], Exception]  # of the pair at a place


class OfPerson(ABC):
    """An action on ``column`` by the column ``person``. Its ``said`` is that of ``acting.Acting``."""

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
