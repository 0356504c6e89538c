"""Tables and views of other PostgreSQL databases as sources of releases: the rows of one moment, read only.

The operator names the databases (``connections``), a change set names table and columns: nothing that an officer
types is an address or SQL. Everything is read in one read-only transaction on one snapshot, in which each statement has
a time limit, so that a view that never ends, writes, or waits for a lock, harms neither side.

People whose processing is restricted here are left out, found by the id that the other database has of them, or by
their pseudonym. A row without a key, or two with one, could not be compared with another release: refused.
"""

import logging
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection as own
from psycopg import errors, sql

from consent.pseudonyms import subject_ref
from privacy.models import ExternalTable
from privacy.releases.problems import TableRefused

logger = logging.getLogger(__name__)
STATEMENT_TIMEOUT_S = 300  # of the other server, for each statement; the rows stream within one
_LOCK_TIMEOUT_S = 5
_CONNECT_TIMEOUT_S = 5
_SILENT_S = 30  # a server that is gone is noticed in any state
RESTRICTED = "SELECT ref FROM consent_datasubject WHERE restricted OR limits <> '{}'::jsonb"
_SETTINGS = f"""
SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT_S}s'; SET LOCAL lock_timeout = '{_LOCK_TIMEOUT_S}s';
SET LOCAL idle_in_transaction_session_timeout = '{STATEMENT_TIMEOUT_S}s'; SET LOCAL search_path = pg_catalog;
SET LOCAL DateStyle = 'ISO'; SET LOCAL IntervalStyle = 'iso_8601'; SET LOCAL TimeZone = 'UTC'
"""  # two moments show one value alike, however the other server is set up
_WHY = (
    (errors.QueryCanceled, f"did not answer within {STATEMENT_TIMEOUT_S} seconds"),
    (errors.LockNotAvailable, "holds a lock on it: try again later"),
    (errors.UndefinedTable, "has no such table or view, or hides it"),
    (errors.InvalidSchemaName, "has no such table or view, or hides it"),
    (errors.UndefinedColumn, "has not all of its columns"),
    (errors.InsufficientPrivilege, "does not let this installation read it"),
    (errors.ReadOnlySqlTransaction, "would have to write for it: it is read only"),
    (errors.OperationalError, "cannot be reached, or ended the connection"),
)


def rows(table: ExternalTable) -> Generator[bytes]:
    """Yield a table's rows as CSV, by their keys: ``row``, ``person``, the columns. Raises TableRefused."""
    try:
        with _reading(table) as other:
            _refuse_unfit_keys(other, table)
            restricted = _restricted(other, table)
            with other.cursor() as cursor, cursor.copy(_selected(table, restricted)) as copying:
                for part in copying:
                    yield bytes(part)
    except psycopg.Error as failed:
        # Its text may hold a value of a row.
        logger.warning("The external table %s could not be read: %s.", table.slug, type(failed).__name__)
        raise TableRefused(f"The database “{table.connection}” {_why(failed)}: nothing was kept.") from None


def _why(failed: psycopg.Error) -> str:
    return next((said for kind, said in _WHY if isinstance(failed, kind)), "refused a statement, as the log says")


@contextmanager
def _reading(table: ExternalTable) -> Iterator[psycopg.Connection[Any]]:
    """Lend a connection inside a read-only transaction on one snapshot."""
    known = settings.EXTERNAL_DATABASES
    if table.connection not in known:
        raise TableRefused(f"This installation knows no database “{table.connection}”: EXTERNAL_DATABASES names them.")
    with psycopg.connect(
        **known[table.connection],
        application_name="assent-releases",
        client_encoding="utf8",
        connect_timeout=_CONNECT_TIMEOUT_S,
        keepalives_idle=_SILENT_S,
        tcp_user_timeout=_SILENT_S * 1000,
    ) as other:
        other.prepare_threshold = None  # a pooler in between may give each transaction another session
        other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        other.read_only = True
        other.execute(_SETTINGS)
        yield other


def _text(column: str) -> sql.Composed:
    """Return a column as text that equal values have alike, whatever its type and collation are."""
    return sql.SQL('({}::text COLLATE "C")').format(sql.Identifier(column))


def _refuse_unfit_keys(other: psycopg.Connection[Any], table: ExternalTable) -> None:
    counted = sql.SQL("SELECT count(*), count(DISTINCT nullif({}, '')) FROM {}")
    listed, named = other.execute(counted.format(_text(table.row_key), _relation(table))).fetchone() or (0, 0)
    if listed != named:
        raise TableRefused(f"“{table.row_key}” does not name each row: {listed:,} rows, {named:,} keys.")


def _restricted(other: psycopg.Connection[Any], table: ExternalTable) -> list[str]:
    """Return the values of the person column that name people whose processing is restricted here."""
    with own.cursor() as cursor:
        cursor.execute(RESTRICTED)
        refs = {row[0] for row in cursor.fetchall()}
    if not refs:
        return []
    spelled = set(map(str, refs))
    distinct = sql.SQL("SELECT DISTINCT {} FROM {}").format(_text(table.person), _relation(table))
    with other.cursor() as cursor:  # one by one: there may be far more people than memory
        named = (text for (text,) in cursor.stream(distinct) if text)
        return [text for text in named if text in spelled or subject_ref(text) in refs]


def _selected(table: ExternalTable, restricted: list[str]) -> sql.Composed:
    """Return the statement that streams the rows, one for each key."""
    return sql.SQL(
        'COPY (SELECT DISTINCT ON (1) {key} AS "row", {person} AS person, {columns} FROM {relation}'
        " WHERE {person} IS NULL OR {person} <> ALL({restricted}::text[]) ORDER BY 1)"
        " TO STDOUT (FORMAT csv, HEADER)"
    ).format(
        key=_text(table.row_key),
        person=_text(table.person),
        columns=sql.SQL(", ").join(map(sql.Identifier, table.columns)),
        relation=_relation(table),
        restricted=sql.Literal(restricted),
    )


def _relation(table: ExternalTable) -> sql.Identifier:
    return sql.Identifier(table.schema, table.relation)
