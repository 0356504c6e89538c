"""Aggregation: a day's entries become counts of groups of enough people, and go.

A day is whole in a batch, as the people of a group cannot be counted across batches without keeping who they were.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from privacy.retention.data_sets.extents import Extent
from privacy.retention.tables import NOTE, NOTED, Batch, Deleted, Position, Table, noted, one

_DAY = timedelta(days=1)


def end_of_day(moment: datetime) -> datetime:
    """Return the last moment of the last day, by UTC, that is over at a moment."""
    return _day(moment) - timedelta(microseconds=1)


def _day(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True, kw_only=True)
class Counted(Table):
    """A table whose rows are counted by ``groups`` into the table ``counts`` while they are deleted.

    A group of fewer than ``smallest`` people is counted with the others of its day that differ in the last column
    alone; where those are too few as well, nothing is kept of them.
    """

    counts: str
    groups: tuple[str, ...]
    smallest: Callable[[], int] = field(repr=False)

    def locate(self, extent: Extent, start: Position | None, rows: int) -> Position | None:
        """Return where the last whole day of about so many rows ends; a larger day is a batch of its own."""
        end = super().locate(extent, start, rows)
        if end is None:
            return None
        first = start.at if start else self.oldest(extent) or end.at
        day = max(_day(end.at), _day(first) + _DAY)
        return Position(day, "") if day <= extent.before else None

    def delete_batch(self, extent: Extent, batch: Batch, *, keep: bool) -> Deleted:
        """Delete a range of days, count their groups, and note the keys, in one statement."""
        where, values = self._range(extent, batch.start, batch.end)
        day = f"({self.age} AT TIME ZONE 'UTC')::date"
        names = ", ".join(self.groups)
        broader = ", ".join(self.groups[:-1])
        found = one(
            f"WITH gone AS (DELETE FROM {self.table}"  # noqa: S608
            f" WHERE {where} AND NOT {self.is_kept(extent)} RETURNING *),"
            f" entries AS (SELECT {day} AS day, {names}, {self.person} AS who FROM gone),"
            f" groups AS (SELECT day, {names}, count(*) AS entries, count(DISTINCT who) AS people"
            f" FROM entries GROUP BY day, {names}),"
            f" others AS (SELECT e.day, {_of('e', self.groups[:-1])}, count(*) AS entries,"
            " count(DISTINCT e.who) AS people"
            f" FROM entries e JOIN groups g USING (day, {names}) WHERE g.people < %(smallest)s"
            f" GROUP BY e.day, {_of('e', self.groups[:-1])}),"
            f" counted AS (INSERT INTO {self.counts} (day, {names}, entries, people)"
            f" SELECT day, {names}, entries, people FROM groups WHERE people >= %(smallest)s UNION ALL"
            f" SELECT day, {broader}, NULL, entries, people FROM others WHERE people >= %(smallest)s),"
            f" noted AS ({NOTE} SELECT {NOTED}, count(*), coalesce(string_agg({self.key_digest}, ''::bytea), '')"
            " FROM gone HAVING count(*) > 0 OR %(reached)s::timestamptz IS NOT NULL RETURNING rows)"
            " SELECT coalesce((SELECT rows FROM noted), 0), NULL::bytea",
            values | noted(self.name, batch) | {"smallest": self.smallest()},
        )
        return Deleted(*found)


def _of(alias: str, names: tuple[str, ...]) -> str:
    return ", ".join(f"{alias}.{name}" for name in names)
