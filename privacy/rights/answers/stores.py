"""Stores of personal data, registered by the packages that hold it. What a request reaches is the list of these.

The seam is small, and the same for a connector to another system: locate, export, count; later erase, anonymise and
verify. A store names each member it gives out: what it does not name, no answer contains.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Member:
    """Member of a store's rows: its name, its JSON type, and what it is."""

    name: str
    kind: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a store holds: for whom, why, from where and until when, as Article 15 asks.

    ``is_provided``: the person provided it or was observed; a portability answer holds no other.
    """

    name: str
    title: str
    members: tuple[Member, ...]
    origin: str
    kept: str
    is_provided: bool


class Store(Protocol):
    @property
    def description(self) -> Description: ...

    def rows(self, ref: UUID) -> Iterable[Row]:
        """Return everything held about a person, in one statement."""

    def count(self, ref: UUID) -> int:
        """Return how many rows that is, by a query of its own: what an answer is verified against."""


_stores: dict[str, Store] = {}


def add(*stores: Store) -> None:
    """Register stores. Called in ``AppConfig.ready()``."""
    for store in stores:
        _stores[store.description.name] = store


def registered(*, provided_only: bool = False) -> Iterator[Store]:
    """Return the stores by name; with ``provided_only`` those that a portability answer holds."""
    for _name, store in sorted(_stores.items()):
        if store.description.is_provided or not provided_only:
            yield store
