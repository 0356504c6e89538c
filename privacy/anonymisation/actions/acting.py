"""What an action on a column is to the job: it reads parts of the table, and says afterwards what it did."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from privacy.anonymisation.actions.keys import KeyRing
from privacy.anonymisation.actions.vault import Vault


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
