"""What two releases of one table, or of one data set, give away together.

An attacker who knows a person's quasi-identifiers finds the person's class in each of two releases. What is left is
what both have in common (Ganta, Kasiviswanathan and Smith, "Composition attacks and auxiliary information in data
privacy", KDD 2008): copies keep the order of their rows, so rows can be linked, and sensitive values can be intersected
in any order. Rows of a data set at two moments are linked by their key in the register; those of one moment only are a
group of their own in each class, as who came or went between is known to many (Xiao and Tao, "m-invariance", SIGMOD
2007).

The engine joins and counts: rows and classes are files, never held at once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from common.analytics import opening
from common.analytics.engine import Engine, Query, Type
from privacy.anonymisation.coding import Tally
from privacy.anonymisation.errors import AnonymisationError
from privacy.anonymisation.files.opening import open_table
from privacy.anonymisation.files.texts import texts_of
from privacy.models import TableRelease, UploadedTable
from privacy.releases import uploads
from privacy.releases.asking import Asked
from privacy.releases.inputs import sources
from privacy.releases.profiling import Role

if TYPE_CHECKING:
    from privacy.anonymisation.tables import Table


@dataclass(frozen=True)
class Overlap:
    """What two releases leave together. ``rows``: of the smallest common class; ``values``: the fewest sensitive values
    that a person may have, None where they do not both show one.
    """

    rows: int
    values: int | None

    @property
    def smallest(self) -> int:
        return self.rows if self.values is None else min(self.rows, self.values)


def overlap(first: TableRelease, second: TableRelease) -> Overlap:
    """Lay two releases on each other. Where a file is gone that says which rows are the same, nothing is left."""
    ours, theirs = Asked.of(first), Asked.of(second)
    by_key = first.table.sha256 != second.table.sha256
    shown = [name for name in ours.sensitive if name in (*theirs.sensitive, *theirs.columns(Role.OTHER))]
    with opening.engine() as engine:
        try:
            for name, release, asked in (("ours", first, ours), ("theirs", second, theirs)):
                _add_classes(engine, name, open_table(uploads.copy_of(release)), asked.columns(Role.QUASI), shown)
                if by_key:
                    _add_keys(engine, f"{name}_keys", release.table)
        except (FileNotFoundError, AnonymisationError):
            return Overlap(0, None)
        rows = _least(engine, f"SELECT 1 AS one, min(entries) AS least FROM ({_pairs(by_key=by_key)}) pairs")  # noqa: S608
        values = [_least(engine, _common_values(place, by_key=by_key)) for place in range(len(shown))]
    return Overlap(rows, min(values, default=None))


def _least(engine: Engine, sql: str) -> int:
    found = engine.table(Query(sql, {"one": Type.SMALL, "least": Type.INTEGER}, ("one",)))
    return int(found["least"][0].as_py() or 0)


def _side(name: str, *, by_key: bool) -> str:
    """Return the rows of a release with what links them to the other's: their place, or their key."""
    if not by_key:
        return name
    return f"(SELECT k.link AS place, c.class_number FROM {name} c JOIN {name}_keys k ON k.place = c.place)"  # noqa: S608


def _pairs(*, by_key: bool) -> str:
    """Return the rows that two classes have in common, for each pair that has any; NULL for rows of one side only."""
    return (
        "SELECT a.class_number AS ours, b.class_number AS theirs, count(*) AS entries"  # noqa: S608 (own names)
        f" FROM {_side('ours', by_key=by_key)} a FULL OUTER JOIN {_side('theirs', by_key=by_key)} b"
        " ON a.place = b.place GROUP BY a.class_number, b.class_number"
    )


def _common_values(place: int, *, by_key: bool) -> str:
    """Return the fewest values of a sensitive column that occur in both classes of a pair."""
    return f"""
WITH pairs AS ({_pairs(by_key=by_key)}),
in_ours AS (SELECT DISTINCT class_number, shown{place} AS shown FROM ours),
in_theirs AS (SELECT DISTINCT class_number, shown{place} AS shown FROM theirs),
held AS (
  SELECT p.ours, p.theirs, count(t.shown) AS shared FROM pairs p
  JOIN in_ours o ON o.class_number = p.ours
  LEFT JOIN in_theirs t ON t.class_number = p.theirs AND t.shown = o.shown
  WHERE p.theirs IS NOT NULL GROUP BY p.ours, p.theirs)
SELECT 1 AS one, min(shared) AS least FROM held"""  # noqa: S608 (own names)


def _add_classes(engine: Engine, name: str, copy: "Table", names: Sequence[str], shown: Sequence[str]) -> None:
    """Write the class of each row, and the sensitive values that are compared, as a table of the engine."""
    fields = [("class_number", pa.int64()), *((f"shown{place}", pa.string()) for place in range(len(shown)))]
    with Tally(names) as tally:
        for columns in copy.batches(names):
            tally.add(columns)
        tally.combinations()
        values = copy.batches(shown) if shown else iter(())
        parts = (
            [pa.array(classes, pa.int64()), *(texts_of(column) for column in next(values).values())]
            if shown
            else [pa.array(classes, pa.int64())]
            for classes in tally.of_rows()
        )
        _add(engine, name, fields, parts)


def _add_keys(engine: Engine, name: str, table: UploadedTable) -> None:
    """Write the key of each row in the register."""
    with uploads.opened(table) as plain:
        rows = open_table(plain, named=uploads.file_of(table)).batches([sources.KEY])
        _add(engine, name, [("link", pa.string())], ([texts_of(part[sources.KEY])] for part in rows))


def _add(engine: Engine, name: str, fields: Sequence[tuple[str, Any]], parts: Iterator[Sequence[Any]]) -> None:
    """Write parts as one file, each row with its place, and add it."""
    schema, place, path = pa.schema([("place", pa.int64()), *fields]), 0, engine.folder / f"{name}.parquet"
    with parquet.ParquetWriter(path, schema) as out:
        for columns in parts:
            places = pa.array(np.arange(place, place + len(columns[0])))
            place += len(places)
            out.write_batch(pa.record_batch([places, *columns], schema=schema))
    engine.add(name, path)
