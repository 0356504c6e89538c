"""The seam of stores of personal data, and their registry. What a request reaches is the list of these.

Small, and the same for a table of ours and a connector to another system: locate, export, count, erase, anonymise,
verify. A store names each member it gives out, what becomes of its rows at an erasure, and, where they stay, on which
ground and how long.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

Row = Mapping[str, Any]


class Fate(StrEnum):
    """What an erasure does to the rows of a store."""

    ERASED = "erased"
    ANONYMISED = "anonymised"  # they stay, and no longer name the person
    KEPT = "kept"


@dataclass(frozen=True)
class Member:
    """Member of a store's rows: its name, its JSON type, and what it is."""

    name: str
    kind: str
    title: str


@dataclass(frozen=True)
class Kept:
    """Why rows stay after an erasure, and until when, counted from its day."""

    ground: str
    until: Callable[[date], date]


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a store holds: for whom, why, from where and until when, as Article 15 asks.

    ``is_provided``: the person provided it or was observed; a portability answer holds no other. ``tables``: the tables
    it stands for; a test asks that every table with a pseudonym has a store.
    """

    name: str
    title: str
    members: tuple[Member, ...]
    origin: str
    kept: str
    is_provided: bool
    tables: tuple[str, ...]
    fate: Fate = Fate.ERASED
    after: Kept | None = None

    def __post_init__(self) -> None:
        if (self.after is None) == (self.fate is Fate.KEPT):
            raise ValueError(f"{self.name}: what is kept has a ground and an end, and nothing else has them")


@dataclass(frozen=True)
class Erasure:
    """The erasure at work: its id, which is that of the request, and who carries it out."""

    id: UUID
    actor: str


@dataclass(frozen=True)
class Removed:
    """What a store did: its rows, a digest over their keys for the manifest, and what else the answer should say."""

    rows: int = 0
    keys_sha256: str = ""
    also: Mapping[str, Any] = field(default_factory=dict)


class Store(Protocol):
    @property
    def description(self) -> Description: ...

    def locate(self, ref: UUID) -> bool:
        """Return whether anything about a person is here."""

    def export(self, ref: UUID) -> Iterable[Row]:
        """Return everything held about a person, in one statement."""

    def count(self, ref: UUID) -> int:
        """Return how many rows that is, by a query of its own: what an answer is verified against."""

    def erase(self, ref: UUID, erasure: Erasure) -> Removed:
        """Remove a person's rows, in the caller's transaction. Only of a store that is erased."""

    def anonymise(self, ref: UUID, erasure: Erasure) -> Removed:
        """Take the person out of rows that stay, in the caller's transaction. Only of a store that is anonymised."""

    def verify(self, ref: UUID) -> int:
        """Return how many rows an erasure should have emptied and did not, by a query of its own."""


_stores: dict[str, Store] = {}


def add(*stores: Store) -> None:
    """Register stores. Called in ``AppConfig.ready()``."""
    for store in stores:
        _stores[store.description.name] = store


def find(name: str) -> Store:
    return _stores[name]


def registered(*, provided_only: bool = False) -> Iterator[Store]:
    """Return the stores by name; with ``provided_only`` those that a portability answer holds."""
    for _name, store in sorted(_stores.items()):
        if store.description.is_provided or not provided_only:
            yield store


def emptied() -> Iterator[Store]:
    """Return the stores that an erasure empties or takes the person out of."""
    return (store for store in registered() if store.description.fate is not Fate.KEPT)


def kept() -> Iterator[Store]:
    """Return the stores whose rows stay as proof."""
    return (store for store in registered() if store.description.fate is Fate.KEPT)
