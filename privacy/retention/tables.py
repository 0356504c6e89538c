"""A table of personal data as a data set of retention: counted, looked at, and deleted by ranges of its age.

One statement a batch, over a range of the age index: it reads the keys and deletes the rows of one snapshot, so both
are the same rows. Rows returned by the deletion, locked one by one, or looked up by key would cost more than they do
(docs/benchmarks.md).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.db import connection

from common.postgres import binary
from privacy.retention.data_sets import extents
from privacy.retention.data_sets.extents import Columns, Extent

# A batch in the manifest and as the checkpoint of its run.
NOTE = "INSERT INTO privacy_disposalbatch (disposal_id, store, number, reached, reached_key, rows, keys)"
NOTED = "%(run)s::uuid, %(store)s, %(number)s::integer, %(reached)s::timestamptz, %(reached_key)s"


@dataclass(frozen=True)
class Stored:
    """Rows of one kind about one person under one purpose, and when the oldest and the newest were received."""

    purpose: str
    kind: str
    rows: int
    oldest: datetime
    newest: datetime


@dataclass(frozen=True)
class Position:
    """Place in a data set: before every row of an age, or, with a key, before one among the rows of an instant."""

    at: datetime
    key: str


@dataclass(frozen=True)
class Counted:
    """Rows of an extent: those due, kept by holds, kept by law, all that a schedule is about, and the oldest due."""

    due: int
    held: int
    kept_by_law: int
    stored: int
    oldest: datetime | None


@dataclass(frozen=True)
class Batch:
    """One batch of a run: which it is, and the range that it deletes. Without an end, to the end of the extent."""

    run: UUID
    number: int
    start: Position | None
    end: Position | None


@dataclass(frozen=True)
class Deleted:
    """Outcome of one batch: how many rows, and the rows themselves where they were asked for."""

    rows: int
    content: bytes | None


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table under retention. Names are code, never input."""

    name: str  # shown to people: "events"
    table: str
    purpose: str = "purpose"
    person: str = "subject_ref"
    age: str = "received_at"
    key: str = "id"
    key_type: str = "uuid"
    # 16 bytes that stand for the key in a manifest: as it is where it is a digest, hashed where it says something.
    key_digest: str = "uuid_send(id)"
    kind: str = ""  # the column by which a law names some of the rows
    only: str = ""  # a condition for the rows that count as the data set
    ended: str = ""  # the condition of a row whose person withdrew
    deletes: bool = True  # whether rows go; otherwise they are changed
    can_undo: bool = True  # whether rows that a run keeps for its undo are all there was

    @property
    def columns(self) -> Columns:
        return Columns(self.name, self.table, self.purpose, self.person, self.age, self.kind, self.only, self.ended)

    def count(self, extent: Extent) -> int:
        """Count the rows a run would remove."""
        where, values = self._where(extent)
        [count] = one(f"SELECT count(*) FROM {self.table} WHERE {where}", values)  # noqa: S608
        return int(count)

    def examine(self, extent: Extent) -> Counted:
        """Count for a plan: also what holds keep, and how much the purpose has."""
        found = one(
            "SELECT count(*) FILTER (WHERE is_over AND is_free AND NOT is_held),"  # noqa: S608
            " count(*) FILTER (WHERE is_over AND is_free AND is_held), count(*) FILTER (WHERE is_over AND NOT is_free),"
            " count(*), min(age) FILTER (WHERE is_over AND is_free AND NOT is_held)"
            f" FROM (SELECT {self.age} AS age, {extents.over(self.columns, extent)} AS is_over,"
            f" {extents.free(self.columns, extent)} AS is_free, {extents.kept(self.columns, extent)} AS is_held"
            f" FROM {self.table} WHERE {extents.scope(self.columns, extent)}) r",
            extents.values(self.columns, extent),
        )
        return Counted(*found)

    def stored(self, subject_ref: UUID) -> list[Stored]:
        """Return what is stored about one person, by purpose and kind."""
        kind = self.kind or "''"
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {self.purpose}, {kind}, count(*), min({self.age}), max({self.age}) FROM {self.table}"  # noqa: S608
                f" WHERE {self.person} = %s GROUP BY 1, 2 ORDER BY 1, 2",
                [subject_ref],
            )
            return [Stored(*row) for row in cursor.fetchall()]

    def oldest_due(self, extent: Extent, limit: int) -> list[datetime]:
        """Return when the oldest rows were received that a run would remove, oldest first."""
        where, values = self._where(extent)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {self.age} FROM {self.table} WHERE {where} ORDER BY {self.age} LIMIT {limit}",  # noqa: S608
                values,
            )
            return [row[0] for row in cursor.fetchall()]

    def oldest(self, extent: Extent) -> datetime | None:
        """Return when the oldest row of an extent was received, held ones among them."""
        return self._first(*self._extent(extent))

    def oldest_stored(self, extent: Extent) -> datetime | None:
        """Return when the oldest row was received that a schedule is about, whether it is due or not."""
        return self._first(extents.scope(self.columns, extent), extents.values(self.columns, extent))

    def _first(self, where: str, values: dict[str, Any]) -> datetime | None:
        [oldest] = one(f"SELECT min({self.age}) FROM {self.table} WHERE {where}", values)  # noqa: S608
        return cast("datetime | None", oldest)

    def sample(self, extent: Extent, limit: int) -> list[str]:
        """Return digests of the oldest keys, so that a plan can be held against the data without showing it."""
        where, values = self._where(extent)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT encode(sha256({self.key_digest}), 'hex') FROM {self.table} WHERE {where}"  # noqa: S608
                f" ORDER BY {self.age}, {self.key} LIMIT {limit}",
                values,
            )
            return [row[0] for row in cursor.fetchall()]

    def has_due(self, extent: Extent) -> bool:
        """Return whether anything is left to delete: the verification after a run."""
        where, values = self._where(extent)
        [found] = one(f"SELECT EXISTS (SELECT FROM {self.table} WHERE {where})", values)  # noqa: S608
        return bool(found)

    def locate(self, extent: Extent, start: Position | None, rows: int) -> Position | None:
        """Return where a range of so many rows from ``start`` ends; None where the extent ends before that.

        It ends at an age, which is quicker to compare than an age with a key; where one instant has more rows than
        the range may have, at a key.
        """
        where, values = self._range(extent, start, None)
        order = f"{self.age}, {self.key}" if start is not None and start.key else self.age
        found = one(
            f"SELECT {self.age} FROM {self.table} WHERE {where}"  # noqa: S608
            f" ORDER BY {order} OFFSET {rows} LIMIT 1",
            values,
        )
        if found is None:
            return None
        if found[0] > (start.at if start else cast("datetime", self._first(where, values))):
            return Position(found[0], "")
        order = f"{self.age}, {self.key}"
        found = one(
            f"SELECT {order} FROM {self.table} WHERE {where} ORDER BY {order} OFFSET {rows} LIMIT 1",  # noqa: S608
            values,
        )
        return Position(found[0], str(found[1]))

    def delete_batch(self, extent: Extent, batch: Batch, *, keep: bool) -> Deleted:
        """Delete a range and note the keys and where to go on, in one statement. Held people stay.

        The keys never leave the database. Nothing is noted where the extent ended and nothing was left of it.
        """
        where, values = self._range(extent, batch.start, batch.end)
        where += f" AND NOT {self.is_kept(extent)}"
        content = "string_agg(record_send(r), ''::bytea)" if keep else "NULL::bytea"
        found = one(
            f"WITH seen AS MATERIALIZED (SELECT count(*) AS rows,"  # noqa: S608
            f" coalesce(string_agg({self.key_digest}, ''::bytea), '') AS keys, {content} AS content"
            f" FROM {self.table} r WHERE {where}),"
            f" noted AS ({NOTE} SELECT {NOTED}, rows, keys FROM seen"
            " WHERE rows > 0 OR %(reached)s::timestamptz IS NOT NULL),"
            f" gone AS (DELETE FROM {self.table} WHERE {where})"
            " SELECT rows, content FROM seen",
            values | noted(self.name, batch),
        )
        return Deleted(*found)

    def _range(self, extent: Extent, start: Position | None, end: Position | None) -> tuple[str, dict[str, Any]]:
        where, values = self._extent(extent)
        for sign, place, name in ((">=", start, "start"), ("<", end, "end")):
            if place is None:
                continue
            values[name] = place.at
            if place.key:
                where += f" AND ({self.age}, {self.key}) {sign} (%({name})s, %({name}_key)s::{self.key_type})"
                values[f"{name}_key"] = place.key
            else:
                where += f" AND {self.age} {sign} %({name})s"
        return where, values

    def is_kept(self, extent: Extent) -> str:
        """Return the condition for rows that a hold or a restriction keeps."""
        return f"({extents.kept(self.columns, extent)})"

    def _where(self, extent: Extent) -> tuple[str, dict[str, Any]]:
        where, values = self._extent(extent)
        return f"{where} AND NOT {self.is_kept(extent)}", values

    def _extent(self, extent: Extent) -> tuple[str, dict[str, Any]]:
        conditions = [part(self.columns, extent) for part in (extents.scope, extents.over, extents.free)]
        where = " AND ".join(each for each in conditions if each != "true")
        return where, extents.values(self.columns, extent)


def one(statement: str, values: dict[str, Any]) -> Any:
    """Return the first row of a statement; None where there is none."""
    return next(iter(binary.rows(statement, values)), None)


def note_end(store: str, run: UUID, number: int) -> None:
    """Note that a pass over a data set reached its end without another row."""
    batch = Batch(run, number, None, None)
    one(f"{NOTE} SELECT {NOTED}, 0, ''::bytea RETURNING 1", noted(store, batch))


def noted(store: str, batch: Batch) -> dict[str, Any]:
    end = batch.end
    return {
        "run": batch.run,
        "store": store,
        "number": batch.number,
        "reached": end.at if end else None,
        "reached_key": end.key if end else "",
    }


def store_binary(table: str, columns: dict[str, Any]) -> None:
    """Insert a row whose values travel in binary: the ORM would write a megabyte as two of text."""
    names, places = ", ".join(columns), ", ".join(f"%({name})s" for name in columns)
    one(f"INSERT INTO {table} ({names}) VALUES ({places}) RETURNING 1", columns)  # noqa: S608
