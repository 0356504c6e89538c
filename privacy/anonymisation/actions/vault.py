"""The vault as actions know it: tokens that can be traced back, and keys of people. An installation keeps it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

KEY_BYTES = 64


@dataclass(frozen=True)
class PersonKey:
    """Key of one person: ``name`` stands in each value that it encrypts. Without it such a value cannot be read."""

    name: str
    secret: bytes = field(repr=False)


class Vault(Protocol):
    def tokens(self, column: str, pairs: Sequence[tuple[str, str]]) -> Sequence[str]:
        """Return the token of each pair of a person and a value, the same each time it is asked."""

    def keys(self, people: Sequence[str]) -> Sequence[PersonKey]:
        """Return the key of each person, made where there is none."""
