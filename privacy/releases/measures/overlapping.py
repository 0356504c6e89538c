"""What two releases of one table, or of one data set, give away together.

An attacker who knows a person's quasi-identifiers finds the person's class in each of two releases. What is left is
what both have in common (Ganta, Kasiviswanathan and Smith, "Composition attacks and auxiliary information in data
privacy", KDD 2008): copies keep the order of their rows, so rows can be linked, and sensitive values can be intersected
in any order. Rows of a data set at two moments are linked by their key in the register; those of one moment only are a
group of their own in each class, as who came or went between is known to many (Xiao and Tao, "m-invariance", SIGMOD
2007). Whose row a release left out is looked for in every class that may be theirs (``left_out``).

The engine joins and counts: rows and classes are files, never held at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from common.analytics import opening
from common.analytics.engine import Engine, Query, Type
from privacy.anonymisation.actions import wanted
from privacy.anonymisation.coding import Tally
from privacy.anonymisation.errors import AnonymisationError
from privacy.anonymisation.files.opening import open_table
from privacy.anonymisation.files.texts import texts_of
from privacy.anonymisation.generalisation import MISSING, Hierarchy, IntArray
from privacy.anonymisation.kanonymity import SUPPRESSED_LABEL
from privacy.models import TableRelease, UploadedTable
from privacy.releases import uploads
from privacy.releases.asking import Asked
from privacy.releases.inputs import sources, trees
from privacy.releases.measures.left_out import MOST_COMPARED, Found, Side, candidates
from privacy.releases.profiling import Role


@dataclass(frozen=True)
class Overlap:
    """What two releases leave together. ``rows``: the fewest that may be one person's; ``values``: the fewest sensitive
    values that a person may have, None where they do not both show one.
    """

    rows: int
    values: int | None

    @property
    def smallest(self) -> int:
        return self.rows if self.values is None else min(self.rows, self.values)


def overlap(first: TableRelease, report: Mapping[str, Any], second: TableRelease) -> Overlap:
    """Lay a release, with the report of its copy, on an earlier one.

    Where a file is gone that says which rows are the same, nothing is left.
    """
    ours, theirs = Asked.of(first), Asked.of(second)
    by_key = first.table.sha256 != second.table.sha256
    shown = [name for name in ours.sensitive if name in (*theirs.sensitive, *theirs.columns(Role.OTHER))]
    with opening.engine() as engine:
        sides = []
        try:
            for name, release, said in (("ours", first, report), ("theirs", second, second.report or {})):
                sides.append(_add_classes(engine, name, release, said["result"], shown))
                if by_key:
                    _add_keys(engine, f"{name}_keys", release.table)
                    if not _are_distinct(engine, f"{name}_keys"):
                        return Overlap(0, None)
        except (FileNotFoundError, AnonymisationError):
            return Overlap(0, None)
        laid = _Laid(engine, by_key, sides[0], sides[1])
        values = [laid.fewest_values(place) for place in range(len(shown))]
        return Overlap(laid.fewest_rows(), min(values, default=None))


@dataclass(frozen=True)
class _Copy:
    """A release as the engine has it: its classes, and where the values of its people are."""

    release: TableRelease
    names: Sequence[str]
    side: Side

    @property
    def left_out(self) -> int:
        """Return the class of the rows that are left out; -2, which is none, without any."""
        return -2 if self.side.left_out is None else self.side.left_out

    def values(self, places: IntArray) -> dict[str, Any]:
        """Return the values of quasi-identifiers in rows of its table, as labels write them; -1 is no row."""
        at, found = 0, {name: np.full(len(places), MISSING, dtype=object) for name in self.names}
        with uploads.opened(self.release.table) as plain:
            for part in open_table(plain, named=uploads.file_of(self.release.table)).batches(self.names):
                length = len(next(iter(part.values())))
                here = np.flatnonzero((places >= at) & (places < at + length))
                for name, column in part.items():
                    texts = texts_of(column).take(pa.array(places[here] - at)).to_pylist()
                    found[name][here] = [text or MISSING for text in texts]
                at += length
        return found


@dataclass(frozen=True)
class _Laid:
    """Two releases in the engine, as tables of rows with their classes."""

    engine: Engine
    by_key: bool
    ours: _Copy
    theirs: _Copy

    def fewest_rows(self) -> int:
        """Return the fewest rows that may be one person's.

        Rows that both show are found by their two classes. Where what is known of the others cannot be read any more,
        or there are too many of them, they are found alike.
        """
        if self.ours.side.left_out is None and self.theirs.side.left_out is None:
            return self._least(f"SELECT 1 AS one, min(entries) AS least FROM ({self._pairs}) pairs")  # noqa: S608
        pairs = self._numbers(self._pairs, ("ours", "theirs", "entries"))
        is_shown = (pairs["ours"] != self.ours.left_out) & (pairs["theirs"] != self.theirs.left_out)
        people = self._numbers(self._left_out, ("place", "other", "ours", "theirs"))
        try:
            if len(people["place"]) * len(is_shown) > MOST_COMPARED:
                return int(pairs["entries"].min())
            counted = candidates(
                Found(self.ours.side, pairs["ours"], people["ours"], self.ours.values(people["place"])),
                Found(self.theirs.side, pairs["theirs"], people["theirs"], self.theirs.values(people["other"])),
                pairs["entries"],
            )
        except (FileNotFoundError, AnonymisationError):
            return int(pairs["entries"].min())
        return int(np.concatenate([counted, pairs["entries"][is_shown]]).min())

    def fewest_values(self, place: int) -> int:
        """Return the fewest values of a sensitive column that a person may have by both classes."""
        return self._least(f"""
WITH pairs AS ({self._pairs}),
in_ours AS (SELECT DISTINCT class_number, shown{place} AS shown FROM ours),
in_theirs AS (SELECT DISTINCT class_number, shown{place} AS shown FROM theirs),
held AS (
  SELECT p.ours, p.theirs, count(t.shown) AS shared FROM pairs p
  JOIN in_ours o ON o.class_number = p.ours
  LEFT JOIN in_theirs t ON t.class_number = p.theirs AND t.shown = o.shown
  WHERE p.ours NOT IN (-1, {self.ours.left_out}) AND p.theirs NOT IN (-1, {self.theirs.left_out})
  GROUP BY p.ours, p.theirs
  UNION ALL
  SELECT p.ours, p.theirs, count(o.shown) AS shared FROM pairs p
  JOIN in_ours o ON o.class_number = p.ours
  WHERE p.ours <> {self.ours.left_out} AND p.theirs = {self.theirs.left_out}
  GROUP BY p.ours, p.theirs
  UNION ALL
  SELECT p.ours, p.theirs, count(t.shown) AS shared FROM pairs p
  JOIN in_theirs t ON t.class_number = p.theirs
  WHERE p.theirs <> {self.theirs.left_out} AND p.ours = {self.ours.left_out}
  GROUP BY p.ours, p.theirs)
SELECT 1 AS one, min(shared) AS least FROM held""")  # noqa: S608 (own names)

    @property
    def _pairs(self) -> str:
        """Return the rows that two classes have in common, for each pair that has any; -1 for rows of one side only."""
        return f"SELECT ours, theirs, count(*) AS entries FROM ({self._rows}) GROUP BY ours, theirs"  # noqa: S608

    @property
    def _left_out(self) -> str:
        """Return the rows that one of them leaves out."""
        is_left_out = f"ours = {self.ours.left_out} OR theirs = {self.theirs.left_out}"
        return f"SELECT * FROM ({self._rows}) WHERE {is_left_out}"  # noqa: S608 (own names)

    @property
    def _rows(self) -> str:
        """Return all rows with their places and classes in both; -1 where a row is in one alone."""
        return (
            "SELECT coalesce(a.place, -1) AS place, coalesce(b.place, -1) AS other,"  # noqa: S608 (own names)
            " coalesce(a.class_number, -1) AS ours, coalesce(b.class_number, -1) AS theirs"
            f" FROM {self._side('ours')} a FULL OUTER JOIN {self._side('theirs')} b ON a.link = b.link"
        )

    def _side(self, name: str) -> str:
        """Return the rows of a release with what links them to the other's: their place, or their key."""
        if not self.by_key:
            return f"(SELECT place, place AS link, class_number FROM {name})"  # noqa: S608
        return f"(SELECT c.place, k.link, c.class_number FROM {name} c JOIN {name}_keys k ON k.place = c.place)"  # noqa: S608

    def _numbers(self, sql: str, names: tuple[str, ...]) -> dict[str, IntArray]:
        found = self.engine.table(Query(sql, dict.fromkeys(names, Type.INTEGER), names[:2]))
        return {name: found[name].to_numpy() for name in names}

    def _least(self, sql: str) -> int:
        found = self.engine.table(Query(sql, {"one": Type.SMALL, "least": Type.INTEGER}, ("one",)))
        return int(found["least"][0].as_py() or 0)


def _are_distinct(engine: Engine, keys: str) -> bool:
    sql = f"SELECT 1 AS one, count(*) - count(DISTINCT link) AS twice FROM {keys}"  # noqa: S608 (own names)
    found = engine.table(Query(sql, {"one": Type.SMALL, "twice": Type.INTEGER}, ("one",)))
    return bool(found["twice"][0].as_py() == 0)


def _add_classes(
    engine: Engine, name: str, release: TableRelease, result: Mapping[str, Any], shown: Sequence[str]
) -> _Copy:
    """Write the class of each row, and the sensitive values that are compared, as a table of the engine."""
    asked = Asked.of(release)
    copy, names = open_table(uploads.copy_of(release)), asked.columns(Role.QUASI)
    fields = [("class_number", pa.int64()), *((f"shown{place}", pa.string()) for place in range(len(shown)))]
    with Tally(names) as tally:
        for columns in copy.batches(names):
            tally.add(columns)
        labels, rows = tally.combinations()
        values = copy.batches(shown) if shown else iter(())
        parts = (
            [pa.array(classes, pa.int64()), *(texts_of(column) for column in next(values).values())]
            if shown
            else [pa.array(classes, pa.int64())]
            for classes in tally.of_rows()
        )
        _add(engine, name, fields, parts)
    return _Copy(release, names, _side(asked, result, labels, rows))


def _side(
    asked: Asked, result: Mapping[str, Any], labels: Mapping[str, tuple[list[Any], IntArray]], rows: IntArray
) -> Side:
    """Return the classes by their labels; where what a label covers cannot be said, no row counts as left out."""
    starred = [np.array(texts, dtype=object)[codes] == SUPPRESSED_LABEL for texts, codes in labels.values()]
    left_out = np.flatnonzero(np.logical_and.reduce(starred))
    changed = set(labels).intersection(wanted.columns_of(asked.acting))
    # With the root of every hierarchy as its label, a class looks like rows that are left out, and shows the rest.
    is_clear = len(left_out) == 1 and rows[left_out[0]] == result["suppressed"] and not changed
    try:
        read = {name: Hierarchy.read(path) for name, path in trees.files(asked.hierarchies).items()}
    except AnonymisationError:
        read, is_clear = {}, False
    ranges = frozenset(name for name, kind in result["generalised_as"].items() if kind == "range")
    return Side(labels, int(left_out[0]) if is_clear else None, ranges, read)


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
