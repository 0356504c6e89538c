"""Statements of the hot paths: prepared once per connection, run through libpq, with a time limit.

They run on the connection Django holds for the thread (and so inside its transaction, if there is one), but speak to
libpq directly: the generality of a cursor costs more than these statements themselves.

Behind a pooler in transaction mode the next transaction may have another session, which does not know the statement, or
knows it from another client: with ``DATABASE_POOLING=transaction`` each execution sends the statement along, unnamed.
"""

import logging
import select
import threading
from collections.abc import Sequence

import psycopg
from django.conf import settings
from django.db import connections
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult

from common import tracing
from common.tracing import Attributes

logger = logging.getLogger(__name__)
Parameter = bytes | None
_SESSION_LOST = ("42P05", "26000")  # duplicate_prepared_statement, invalid_sql_statement_name
POOLER = "the database is behind a pooler in transaction mode: set DATABASE_POOLING=transaction"
_OK = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


class StatementTimeout(psycopg.OperationalError):
    """Timeout of the database; its connection has been closed."""


def is_of_pooler(error: BaseException | None) -> bool:
    """Say whether a statement failed because the session is shared, which no retry mends."""
    return isinstance(error, psycopg.Error) and error.sqlstate in _SESSION_LOST


class _Thread(threading.local):
    connection: PGconn | None = None
    poll: select.poll
    names: set[bytes]


_thread = _Thread()


def _named(statement: "PreparedStatement", _parameters: Sequence[Parameter]) -> Attributes:
    return {"db.system.name": "postgresql", "db.query.summary": statement.name}


class PreparedStatement:
    """A prepared statement. Parameters and results are bytes in PostgreSQL's text or binary format."""

    def __init__(self, name: str, sql: str, types: Sequence[int], *, binary: bool, timeout_ms: int) -> None:
        self.sql = sql
        self.executions = 0  # what tests count
        self.name = name
        self._name, self._types = name.encode(), list(types)
        self._format = Format.BINARY if binary else Format.TEXT
        self._formats = [self._format] * len(self._types)
        self._timeout_ms = timeout_ms

    @property
    def is_named(self) -> bool:
        """Whether a connection has to be sent the statement once, before its first execution."""
        return settings.DATABASE_POOLING == "session"

    @tracing.traced("sql", given=_named)
    def execute(self, parameters: Sequence[Parameter]) -> PGresult:
        """Execute once. Raises StatementTimeout, or the psycopg error of the server's SQLSTATE."""
        connection = self._connection()
        self.send(connection, parameters)
        return self._answer(connection)

    def send_prepare(self, connection: PGconn) -> None:
        """Send the statement itself, which a connection needs once."""
        # Preparing waits for locks on the tables as well as executing does.
        connection.send_prepare(self._name, self.sql.encode(), self._types)

    def send(self, connection: PGconn, parameters: Sequence[Parameter]) -> None:
        """Send one execution; the caller reads its result."""
        self.executions += 1
        if self.is_named:
            connection.send_query_prepared(self._name, parameters, self._formats, self._format)
        else:
            connection.send_query_params(self.sql.encode(), parameters, self._types, self._formats, self._format)

    def _connection(self) -> PGconn:
        wrapper = connections["default"]
        if wrapper.connection is None:
            wrapper.ensure_connection()
        connection: PGconn = wrapper.connection.pgconn
        if _thread.connection is not connection:
            # With the connection, as it may be put aside for another one and come back: its session knows them still.
            _thread.names = vars(wrapper.connection).setdefault("assent_prepared", set())
            _thread.connection, _thread.poll = connection, select.poll()
            _thread.poll.register(connection.socket, select.POLLIN)
        if self.is_named and self._name not in _thread.names:
            self.send_prepare(connection)
            self._answer(connection)
            _thread.names.add(self._name)
        return connection

    def _answer(self, connection: PGconn) -> PGresult:
        connection.flush()
        while connection.is_busy():
            if not _thread.poll.poll(self._timeout_ms):
                connections["default"].close()
                raise StatementTimeout("The database did not answer in time.")
            connection.consume_input()
        result = connection.get_result()
        while connection.get_result() is not None:
            pass
        return _checked(result)


def _checked(result: PGresult | None) -> PGresult:
    if result is None:
        raise psycopg.OperationalError("The connection was lost.")
    if result.status not in _OK:
        error = psycopg.errors.error_from_result(result)
        if is_of_pooler(error):
            logger.error("A statement failed: %s", POOLER)
        raise error
    return result
