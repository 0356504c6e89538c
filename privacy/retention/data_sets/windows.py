"""The rolling window: entries of a person beyond the last so many go, where a decision does not allow all of them.

A batch is a range of people. Newer entries than the plan do not push further ones out: the window is that of the plan.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from privacy.retention.data_sets import extents
from privacy.retention.data_sets.extents import Extent
from privacy.retention.tables import NOTE, NOTED, Batch, Counted, Deleted, Position, Table, noted, one

Pair = tuple[UUID, str]
# Whether a person's entries of a purpose may all be kept; with True the decision is logged.
MayKeepAll = Callable[[UUID, str, bool], bool]
_PAGE = 1_000
_FIRST: Pair = (UUID(int=0), "")


@dataclass(frozen=True, kw_only=True)
class Window(Table):
    """Entries beyond the last ones of each person and purpose, in the order of ``newest``."""

    newest: str
    may_keep_all: MayKeepAll

    def count(self, extent: Extent) -> int:
        return self.examine(extent).due

    def examine(self, extent: Extent) -> Counted:
        """Count for a plan. People who may keep everything are left out by the decision about each."""
        due = held = 0
        oldest: list[datetime] = []
        for pairs in self._pages(extent):
            free, kept, first = self._measured(extent, pairs)
            due, held = due + free, held + kept
            oldest += [first] if first else []
        where = extents.scope(self.columns, extent)
        [stored] = one(f"SELECT count(*) FROM {self.table} WHERE {where}", self._values(extent))  # noqa: S608
        return Counted(due, held, 0, stored, min(oldest, default=None))

    def _measured(self, extent: Extent, pairs: Sequence[Pair]) -> tuple[int, int, datetime | None]:
        found: tuple[int, int, datetime | None] = one(
            "SELECT count(*) FILTER (WHERE NOT is_kept), count(*) FILTER (WHERE is_kept),"  # noqa: S608
            f" min(age) FILTER (WHERE NOT is_kept) FROM (SELECT o.{self.age} AS age,"
            f" {extents.kept(self._as('o'), extent)} AS is_kept FROM {self._over(extent)}"
            f" WHERE {extents.free(self._as('o'), extent)}) r",
            self._values(extent, pairs),
        )
        return found

    def oldest_due(self, extent: Extent, limit: int) -> list[datetime]:
        pairs = next(self._pages(extent), [])
        statement = f"SELECT o.{self.age} FROM {self._over(extent)} WHERE {self._free(extent)} ORDER BY 1 LIMIT {limit}"  # noqa: S608
        return [row[0] for row in self._rows(statement, self._values(extent, pairs))]

    def sample(self, extent: Extent, limit: int) -> list[str]:
        pairs = next(self._pages(extent), [])
        digest = f"encode(sha256(({self.key_digest})), 'hex')"
        statement = (
            f"SELECT {digest} FROM (SELECT o.* FROM {self._over(extent)} WHERE {self._free(extent)}) r"  # noqa: S608
            f" ORDER BY {self.age}, {self.key} LIMIT {limit}"
        )
        return [row[0] for row in self._rows(statement, self._values(extent, pairs))]

    def has_due(self, extent: Extent) -> bool:
        return any(self._measured(extent, pairs)[0] for pairs in self._pages(extent))

    def locate(self, extent: Extent, start: Position | None, rows: int) -> Position | None:
        """Return the first person behind a batch of about so many rows; None where none is left."""
        found, seen, after = 0, False, _pair(start)
        while page := self._beyond(extent, after, inclusive=not seen):
            for ref, purpose, beyond in page:
                if found and found + beyond > rows:
                    return Position(extent.before, f"{ref}/{purpose}")
                found += beyond
            after, seen = (page[-1][0], page[-1][1]), True
        return None

    def delete_batch(self, extent: Extent, batch: Batch, *, keep: bool) -> Deleted:
        """Delete what is beyond the windows of a range of people, and note the keys, in one statement."""
        pairs = list(self._of_range(extent, batch))
        content = "(SELECT string_agg(record_send(gone), ''::bytea) FROM gone)" if keep else "NULL::bytea"
        found = one(
            f"WITH beyond AS (SELECT o.* FROM {self._over(extent)} WHERE {self._free(extent)}),"  # noqa: S608
            f" gone AS (DELETE FROM {self.table} t USING beyond b"
            f" WHERE (t.{self.age_key}, t.{self.key}) = (b.{self.age_key}, b.{self.key}) RETURNING t.*),"
            f" noted AS ({NOTE} SELECT {NOTED}, count(*), coalesce(string_agg({self.key_digest}, ''::bytea), '')"
            " FROM gone HAVING count(*) > 0 OR %(reached)s::timestamptz IS NOT NULL RETURNING rows)"
            f" SELECT coalesce((SELECT rows FROM noted), 0), {content}",
            self._values(extent, pairs) | noted(self.name, batch),
        )
        return Deleted(*found)

    @property
    def age_key(self) -> str:
        """The column that stands before the identifier in the table's key."""
        return self.newest.split(maxsplit=1)[0]

    def _of_range(self, extent: Extent, batch: Batch) -> Iterator[Pair]:
        after, seen = _pair(batch.start), False
        end = _pair(batch.end) if batch.end else None
        while page := self._beyond(extent, after, inclusive=not seen):
            for ref, purpose, _rows in page:
                if end is not None and (ref, purpose) >= end:
                    return
                if not self.may_keep_all(ref, purpose, True):
                    yield ref, purpose
            after, seen = (page[-1][0], page[-1][1]), True

    def _pages(self, extent: Extent) -> Iterator[list[Pair]]:
        after, seen = _FIRST, False
        while page := self._beyond(extent, after, inclusive=not seen):
            pairs = [(ref, purpose) for ref, purpose, _rows in page if not self.may_keep_all(ref, purpose, False)]
            if pairs:
                yield pairs
            after, seen = (page[-1][0], page[-1][1]), True

    def _beyond(self, extent: Extent, after: Pair, *, inclusive: bool) -> list[tuple[UUID, str, int]]:
        """Return the next people with more entries than the window, and how many more."""
        sign = ">=" if inclusive else ">"
        statement = (
            f"SELECT {self.person}, {self.purpose}, count(*) - %(keep_last)s FROM {self.table}"  # noqa: S608
            f" WHERE {extents.scope(self.columns, extent)} AND {self.age} <= %(before)s"
            f" AND ({self.person}, {self.purpose}) {sign} (%(ref)s, %(of)s) GROUP BY 1, 2"
            f" HAVING count(*) > %(keep_last)s ORDER BY 1, 2 LIMIT {_PAGE}"
        )
        return self._rows(statement, self._values(extent) | {"ref": after[0], "of": after[1]})

    def _over(self, extent: Extent) -> str:
        """Return the entries beyond the windows of the pairs, as ``o``."""
        return (
            "unnest(%(refs)s::uuid[], %(purposes)s::text[]) AS pair(ref, of), LATERAL"  # noqa: S608
            f" (SELECT * FROM {self.table} WHERE {self.person} = pair.ref AND {self.purpose} = pair.of"
            f" AND {self.age} <= %(before)s ORDER BY {self.newest} OFFSET %(keep_last)s) o"
        )

    def _free(self, extent: Extent) -> str:
        entry = self._as("o")
        return f"NOT {extents.kept(entry, extent)} AND {extents.free(entry, extent)}"

    def _as(self, alias: str) -> extents.Columns:
        of = self.columns
        named = {"purpose": of.purpose, "person": of.person, "age": of.age, "kind": of.kind}
        return replace(of, **{name: f"{alias}.{column}" for name, column in named.items()})

    def _values(self, extent: Extent, pairs: Sequence[Pair] = ()) -> dict[str, Any]:
        listed = {"refs": [ref for ref, _ in pairs], "purposes": [purpose for _, purpose in pairs]}
        return {**extents.values(self.columns, extent), "keep_last": extent.keep_last, **listed}

    def _rows(self, statement: str, values: dict[str, Any]) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())


def _pair(at: Position | None) -> Pair:
    if at is None:
        return _FIRST
    ref, _, purpose = at.key.partition("/")
    return UUID(ref), purpose
