"""Lay rows once for each test process and copy them back for every test that starts from them.

What is laid is rolled back at once; its rows are kept in a schema of their own, and one function in the database puts
them back in a few milliseconds. The rows come back with the moments at which they were laid.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

# A change set is written step by step, which its triggers insist on: its rows cannot be copied as they end up.
LEFT_OUT = ["oversight_changeset", "oversight_change", "oversight_step"]
_TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
  AND relname <> ALL (%s) ORDER BY relname
"""
_COLUMNS = """
SELECT quote_ident(attname),
       attnum = ANY (SELECT unnest(conkey) FROM pg_constraint WHERE conrelid = attrelid AND contype = 'p'),
       pg_get_serial_sequence(attrelid::regclass::text, attname)
FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
"""


@dataclass(frozen=True)
class _Kept:
    """The rows of one table that were written, as COPY prints them, and how many were there before."""

    table: str
    columns: list[str]
    key: list[str]
    sequences: dict[str, int]
    rows: bytes
    before: int


class RowCopy:
    """The rows that ``lay`` writes, kept under ``name`` in the test database.

    ``over`` lays what is there before. ``fresh`` names columns of moments that are to be counted from the copying:
    table -> column. Rows may be added and changed, but not removed.
    """

    def __init__(
        self,
        name: str,
        lay: Callable[[], object],
        *,
        over: Callable[[], object] | None = None,
        fresh: Mapping[str, str] | None = None,
    ) -> None:
        self._schema = f"kept_{name}"
        self._fresh = fresh or {}
        with transaction.atomic():
            if over is not None:
                over()
            # Inside a savepoint the rows get new transaction numbers, greater than those from before.
            with transaction.atomic():
                kept = _written_by(lay)
            transaction.set_rollback(True)
        self._store(kept)

    def put(self) -> bool:
        """Copy the rows into the test's database; False, and nothing is done, where other rows are in their place."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {self._schema}.put()")
            return bool(cursor.fetchone()[0])

    def _store(self, kept: list[_Kept]) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"DROP SCHEMA IF EXISTS {self._schema} CASCADE")
            cursor.execute(f"CREATE SCHEMA {self._schema}")
            for part in kept:
                cursor.execute(f"CREATE TABLE {self._schema}.{part.table} (LIKE public.{part.table})")
                with cursor.copy(f"COPY {self._schema}.{part.table} ({', '.join(part.columns)}) FROM STDIN") as copy:
                    copy.write(part.rows)
            cursor.execute(self._function(kept))

    def _function(self, kept: list[_Kept]) -> str:
        taken = " OR ".join(f"(SELECT count(*) FROM public.{part.table}) <> {part.before}" for part in kept)
        steps = "\n".join(step for part in kept for step in self._steps(part))
        return f"""
            CREATE FUNCTION {self._schema}.put() RETURNS boolean LANGUAGE plpgsql AS $put$
            BEGIN
              IF {taken} THEN RETURN false; END IF;
              {steps}
              RETURN true;
            END $put$
        """

    def _steps(self, part: _Kept) -> list[str]:
        kept, moment = f"{self._schema}.{part.table}", self._fresh.get(part.table)
        columns = ", ".join(part.columns)
        values = ", ".join(
            f"{name} + (now() - (SELECT max({name}) FROM {kept}))" if name == moment else name for name in part.columns
        )
        update = f"ON CONFLICT ({', '.join(part.key)}) DO UPDATE SET {', '.join(map(_taken_over, part.columns))}"
        return [
            f"INSERT INTO public.{part.table} ({columns}) SELECT {values} FROM {kept} {update if part.before else ''};",
            # Never back: a test that commits may have used the numbers in between.
            *(
                f"PERFORM setval('{name}', greatest((SELECT last_value FROM {name}), {last}));"
                for name, last in part.sequences.items()
            ),
        ]


def _taken_over(column: str) -> str:
    return f"{column} = EXCLUDED.{column}"


def _written_by(lay: Callable[[], object]) -> list[_Kept]:
    with connection.cursor() as cursor:
        cursor.execute(_TABLES, [LEFT_OUT])
        tables = [table for (table,) in cursor.fetchall()]
        before = {table: _count(cursor, table) for table in tables}
        cursor.execute("CREATE TEMPORARY TABLE mark ON COMMIT DROP AS SELECT 1")
        began = _value(cursor, "SELECT xmin FROM mark")
        lay()
        parts = [_part(cursor, table, began, before[table]) for table in tables]
    return [part for part in parts if part.rows]


def _part(cursor: Any, table: str, began: int, before: int) -> _Kept:
    cursor.execute(_COLUMNS, [f"public.{table}"])
    described = cursor.fetchall()
    columns = [name for name, _is_key, _sequence in described]
    written = f"SELECT {', '.join(columns)} FROM public.{table} WHERE xmin::text::bigint >= {began}"
    with cursor.copy(f"COPY ({written}) TO STDOUT") as copy:
        rows = b"".join(map(bytes, copy))
    return _Kept(
        table=table,
        columns=columns,
        key=[name for name, is_key, _sequence in described if is_key],
        sequences={
            sequence: _value(cursor, f"SELECT last_value FROM {sequence}")
            for _name, _is_key, sequence in described
            if sequence
        },
        rows=rows,
        before=before,
    )


def _count(cursor: Any, table: str) -> int:
    return _value(cursor, f"SELECT count(*) FROM public.{table}")


def _value(cursor: Any, statement: str) -> int:
    cursor.execute(statement)
    return int(cursor.fetchone()[0])
