"""Tables whose combinations outgrow the memory: grouped, sorted and joined by an engine of SQL (ADR 0064, ADR 0069).

Rows are coded part by part into a file. The engine groups them into combinations, sorted so that like lies near like,
as blocks are (``partition.arrangement``). They come back in parts of a bounded number, and each part becomes classes by
itself, with the values of the whole table. A part ends where the quasi-identifiers change, and is large enough to stand
alone: what is promised of a class holds in all of them. At last the engine joins each row with its class, in the order
of the rows.

Everything that an engine returns is whole numbers in a stated order, so DuckDB and Apache Spark give the same copy, bit
by bit; a table that is one part gives the one that is made without an engine.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from common.analytics.engine import Engine, Query, Type
from privacy.anonymisation.coding import Coder, encoded_values
from privacy.anonymisation.errors import TooFewRows
from privacy.anonymisation.generalisation import Domain, Hierarchy, IntArray
from privacy.anonymisation.kanonymity import Counted, form_part, goal_of
from privacy.anonymisation.measuring.queries import Questions
from privacy.anonymisation.measuring.result import Part, Result, assembled, let_go
from privacy.anonymisation.partition.arrangement import information, ranked
from privacy.anonymisation.partition.items import Items
from privacy.anonymisation.partition.method import may_stand
from privacy.anonymisation.sensitive import Sensitive, combined, laid_out
from privacy.anonymisation.wish import Wish

_READ = 1 << 18
_CODES: Any = pa.int32()


class Rounds:
    """A table whose classes are formed by an engine: ``result``, and the class of each row, part by part."""

    def __init__(
        self,
        parts: Iterator[Mapping[str, pa.Array]],
        names: Sequence[str],
        wish: Wish,
        trees: Mapping[str, Hierarchy],
        engine: Engine,
        *,
        most: int,
    ) -> None:
        self._engine, self._wish, self._most, self._lengths = engine, wish, most, list[int]()
        self._domains = self._code(parts, names, trees)
        # Columns of the engine's tables have names of their own: what people call theirs is never part of a query.
        self._columns = dict(zip(names, [f"c{place}" for place in range(len(names))], strict=True))
        self._quasi = {name: domain for name, domain in self._domains.items() if name not in wish.roles}
        engine.add("entries", engine.folder / "entries.parquet")
        self._combinations, self._sensitive = self._of_sensitive()
        number = self._group()
        self._questions = Questions(self._quasi, number)
        measured = list(self._form())
        whole, maps = assembled(measured)
        self._class_of = np.append(np.concatenate(maps), -1)
        self.result = Result(
            **vars(whole), wish=wish, domains=self._quasi, sensitive=self._sensitive, questions=self._questions
        )

    def classes(self) -> Iterator[IntArray]:
        """Yield the class of each row, in the parts in which they came."""
        on = " AND ".join(f"e.{column} = f.{column}" for column in self._columns.values())
        self._engine.add("formed", self._engine.folder / "formed.parquet")
        query = Query(
            f"SELECT e.place AS place, f.number AS number FROM entries e JOIN formed f ON {on}",  # noqa: S608 (own names)
            {"place": Type.INTEGER, "number": Type.INTEGER},
            ("place",),
        )
        found = (self._class_of[batch.column("number").to_numpy()] for batch in self._engine.batches(query))
        yield from _cut(found, self._lengths)

    def _code(
        self, parts: Iterator[Mapping[str, pa.Array]], names: Sequence[str], trees: Mapping[str, Hierarchy]
    ) -> dict[str, Domain]:
        """Write the codes of each row; return the domains of the columns."""
        raw, coded = self._engine.folder / "raw.parquet", self._engine.folder / "entries.parquet"
        coder = Coder(names)
        rows = [np.zeros(1, dtype=np.int64) for _ in names]
        fields = [(f"c{place}", _CODES) for place in range(len(names))]
        with parquet.ParquetWriter(raw, pa.schema(fields), use_dictionary=False) as out:
            for part in parts:
                codes = coder.codes(part)
                self._lengths.append(len(codes[0]))
                rows = [
                    _added(before, np.bincount(column, minlength=size))
                    for before, column, size in zip(rows, codes, coder.sizes, strict=True)
                ]
                out.write_batch(
                    pa.record_batch([pa.array(column, _CODES) for column in codes], schema=pa.schema(fields))
                )
        domains, code_of = {}, []
        for (name, values), of_value in zip(coder.values.items(), rows, strict=True):
            domains[name], found = encoded_values(
                name, list(values), np.roll(of_value, -1), self._wish, trees.get(name)
            )
            code_of.append(np.roll(found, 1))  # a missing value is the first of the raw codes
        schema, place = pa.schema([("place", pa.int64()), *fields]), 0
        with parquet.ParquetWriter(coded, schema, use_dictionary=False) as out:
            for batch in parquet.ParquetFile(raw).iter_batches(_READ):
                columns = [of[column.to_numpy()] for of, column in zip(code_of, batch.columns, strict=True)]
                places = pa.array(np.arange(place, place + len(batch)), pa.int64())
                place += len(batch)
                out.write_batch(
                    pa.record_batch([places, *(pa.array(column, _CODES) for column in columns)], schema=schema)
                )
        raw.unlink()
        return domains

    def _of_sensitive(self) -> tuple[list[IntArray], dict[str, Sensitive]]:
        """Return the combinations of sensitive values, a row each column, in their order, and the columns."""
        names = list(self._wish.sensitive_columns)
        if not names:
            return [], {}
        found = self._count(names)
        encoded = {name: (self._domains[name], found[self._columns[name]]) for name in names}
        _, sensitive = combined(encoded, found["entries"])
        return [codes for _, codes in encoded.values()], sensitive

    def _count(self, names: Sequence[str]) -> dict[str, IntArray]:
        """Count the rows of each combination of some columns."""
        columns = [self._columns[name] for name in names]
        table = self._engine.table(_grouped_by(columns, columns))
        return {name: table[name].to_numpy().astype(np.int64) for name in table.column_names}

    def _group(self) -> int:
        """Write the combinations, like near like; return how many there are."""
        domains, telling = list(self._quasi.values()), None
        if self._combinations:
            sensitive = list(self._wish.sensitive_columns)
            telling = [self._says(name, sensitive) for name in self._quasi]
        names = list(self._quasi)
        first = [self._columns[names[place]] for place in ranked(domains, telling)]
        others = [column for column in self._columns.values() if column not in first]
        query = _grouped_by(list(self._columns.values()), [*first, *others])
        return self._engine.write(query, self._engine.folder / "combinations.parquet")

    def _says(self, name: str, sensitive: Sequence[str]) -> float:
        """Return what a quasi-identifier says about the sensitive values."""
        found = self._count([name, *sensitive])
        values = self._combination([found[self._columns[each]] for each in sensitive])
        return information(found[self._columns[name]], values, found["entries"])

    def _combination(self, codes: Sequence[IntArray]) -> IntArray:
        """Return which combination of sensitive values each of some rows has."""
        if len(codes) == 1:
            return codes[0]
        known, asked = (np.zeros(len(of[0]), dtype=np.int64) for of in (self._combinations, codes))
        for name, one, other in zip(self._wish.sensitive_columns, self._combinations, codes, strict=True):
            size = self._domains[name].size
            known, asked = known * size + one, asked * size + other
        return np.searchsorted(known, asked)

    def _form(self) -> Iterator[Part]:
        """Form the classes of each part, and write down which combination has which."""
        fields = [(column, _CODES) for column in self._columns.values()]
        schema, before, has_any = pa.schema([*fields, ("number", pa.int64())]), 0, False
        with parquet.ParquetWriter(self._engine.folder / "formed.parquet", schema) as out:
            for codes, table in self._parts():
                part, classes = form_part(table, self._wish, self._questions)
                numbers = np.where(classes < 0, -1, classes + before)
                before += len(part.rows)
                arrays = [*(pa.array(column, _CODES) for column in codes), pa.array(numbers, pa.int64())]
                out.write_batch(pa.record_batch(arrays, schema=schema))
                has_any = True
                yield let_go(part)
        if not has_any:
            raise TooFewRows(f"The table has 0 rows; k={self._wish.k} needs at least as many.")

    def _parts(self) -> Iterator[tuple[IntArray, Counted]]:
        """Yield the combinations in parts that can stand alone: their codes, and the part as a table.

        One part is held back: where the last rows cannot stand alone, they belong to it.
        """
        held: IntArray | None = None
        for found in self._slices():
            held = found if held is None else np.concatenate([held, found], axis=1)
            if self._stands(found) and held.shape[1] > found.shape[1]:
                before = held[:, : -found.shape[1]]
                if self._stands(before):
                    yield self._as_table(before)
                    held = found
        if held is not None:
            yield self._as_table(held)

    def _slices(self) -> Iterator[IntArray]:
        """Yield the combinations as codes with their rows last, in slices that end where quasi-identifiers change."""
        quasi = [place for place, name in enumerate(self._columns) if name in self._quasi]
        waiting = np.zeros((len(self._columns) + 1, 0), dtype=np.int64)
        file = parquet.ParquetFile(self._engine.folder / "combinations.parquet")
        for batch in file.iter_batches(min(_READ, self._most)):
            waiting = np.concatenate([waiting, np.stack([column.to_numpy() for column in batch.columns])], axis=1)
            while waiting.shape[1] > self._most:
                changes = np.flatnonzero((waiting[quasi, 1:] != waiting[quasi, :-1]).any(axis=0)) + 1
                late = changes[changes >= self._most]
                if not len(late):
                    break
                yield waiting[:, : late[0]]
                waiting = waiting[:, late[0] :]
        if waiting.shape[1]:
            yield waiting

    def _as_table(self, found: IntArray) -> tuple[IntArray, Counted]:
        ordered = found[:, np.lexsort(found[-2::-1])]
        codes = dict(zip(self._columns, ordered, strict=False))
        sensitive = [codes[name] for name in self._wish.sensitive_columns]
        items = Items(
            np.stack([codes[name] for name in self._quasi]),
            ordered[-1],
            self._combination(sensitive) if sensitive else None,
            None if self._wish.person is None else codes[self._wish.person],
            *laid_out(self._sensitive),
        )
        return ordered[:-1], Counted(self._quasi, items, self._sensitive)

    def _stands(self, found: IntArray) -> bool:
        _, table = self._as_table(found)
        return may_stand(table.items, goal_of(table, self._wish))


def _grouped_by(columns: Sequence[str], key: Sequence[str]) -> Query:
    listed = ", ".join(columns)
    return Query(
        f"SELECT {listed}, count(*) AS entries FROM entries GROUP BY {listed}",  # noqa: S608 (own names)
        {**dict.fromkeys(columns, Type.SMALL), "entries": Type.INTEGER},
        tuple(key),
    )


def _added(before: IntArray, more: IntArray) -> IntArray:
    grown: IntArray = np.zeros(max(len(before), len(more)), dtype=np.int64)
    grown[: len(before)] += before
    grown[: len(more)] += more
    return grown


def _cut(arrays: Iterator[IntArray], lengths: Sequence[int]) -> Iterator[IntArray]:
    """Yield the entries of arrays in pieces of given lengths."""
    waiting = np.zeros(0, dtype=np.int64)
    for length in lengths:
        held, has = [waiting], len(waiting)
        while has < length:
            held.append(next(arrays))
            has += len(held[-1])
        whole = np.concatenate(held)
        yield whole[:length]
        waiting = whole[length:]
