"""Store that is a query over a table of ours, and counts over several of them in one statement."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.db.models import CharField, Count, QuerySet, Value

from privacy.rights.stores.seam import Description, Erasure, Member, Removed, Row, Store

_AT_ONCE = 5_000
Query = Callable[[UUID], QuerySet[Any]]


def members(*named: tuple[str, str, str]) -> tuple[Member, ...]:
    return tuple(Member(*each) for each in named)


@dataclass(frozen=True)
class TableStore:
    """Store that is a query: its members are the columns that are named, and no others.

    ``names``: the column that names the person, where rows are anonymised: it gets a random number that is noted
    nowhere.
    """

    description: Description
    query: Query
    names: str = ""

    def locate(self, ref: UUID) -> bool:
        return self.query(ref).exists()

    def export(self, ref: UUID) -> Iterable[Row]:
        return list(self.query(ref).values(*(member.name for member in self.description.members)))

    def count(self, ref: UUID) -> int:
        return self.query(ref).count()

    def left(self, ref: UUID) -> QuerySet[Any]:
        """Return the rows that no erasure leaves."""
        return self.query(ref)

    def left_elsewhere(self, ref: UUID) -> int:
        """Return how many rows outside of tables no erasure leaves: a store that keeps files counts theirs."""
        return 0

    def erase(self, ref: UUID, erasure: Erasure) -> Removed:
        found = list(self.query(ref).order_by("pk").values_list("pk", flat=True))
        for first in range(0, len(found), _AT_ONCE):
            self.query(ref).filter(pk__in=found[first : first + _AT_ONCE]).delete()
        return Removed(len(found), digest_of_keys(found))

    def anonymise(self, ref: UUID, erasure: Erasure) -> Removed:
        found = list(self.query(ref).order_by("pk").values_list("pk", flat=True))
        if found:
            self.query(ref).filter(pk__in=found).order_by().update(**{self.names: uuid4()})
        return Removed(len(found), digest_of_keys(found))

    def verify(self, ref: UUID) -> int:
        return self.left(ref).count() + self.left_elsewhere(ref)


def digest_of_keys(keys: Iterable[Any]) -> str:
    """Return the SHA-256 over keys in their order; empty where there are none."""
    digest, is_any = hashlib.sha256(), False
    for key in keys:
        digest.update((bytes(key) if isinstance(key, bytes | memoryview) else str(key).encode()) + b"\n")
        is_any = True
    return digest.hexdigest() if is_any else ""


def count_all(stores: Iterable[Store], ref: UUID) -> dict[str, int]:
    """Return how many rows each store holds about a person: the tables in one statement."""
    return _counted(stores, ref, lambda store: store.query(ref), lambda store: store.count(ref))


def verify_all(stores: Iterable[Store], ref: UUID) -> dict[str, int]:
    """Return by store what an erasure left that it should not have: the tables in one statement, and files."""
    every = list(stores)
    left = _counted(every, ref, lambda store: store.left(ref), lambda store: store.verify(ref))
    for store in every:
        if isinstance(store, TableStore):
            left[store.description.name] += store.left_elsewhere(ref)
    return left


def _counted(
    stores: Iterable[Store],
    ref: UUID,
    of_table: Callable[[TableStore], QuerySet[Any]],
    of_other: Callable[[Store], int],
) -> dict[str, int]:
    counts: dict[str, int] = {}
    queries = []
    for store in stores:
        name = store.description.name
        if isinstance(store, TableStore):
            counts[name] = 0
            queries.append(_count_of(name, of_table(store)))
        else:
            counts[name] = of_other(store)
    if queries:
        rows: Iterable[Mapping[str, Any]] = queries[0].union(*queries[1:], all=True) if queries[1:] else queries[0]
        counts.update({row["of_store"]: row["of_rows"] for row in rows})
    return counts


def _count_of(name: str, query: QuerySet[Any]) -> QuerySet[Any]:
    named = query.order_by().annotate(of_store=Value(name, output_field=CharField())).values("of_store")
    counted: QuerySet[Any] = named.annotate(of_rows=Count("*")).values("of_store", "of_rows")
    return counted
