"""Statements of many requests on one connection, sent together and answered in their order (libpq's pipeline mode).

Nothing here waits: what the database has answered is read when its socket is readable. A statement the database refuses
takes those sent with it along; their requests are answered by threads that may wait.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

import psycopg
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

_OK = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


class Statement(Protocol):
    """A prepared statement (``common.postgres.prepared``)."""

    name: str

    @property
    def is_named(self) -> bool: ...

    def send_prepare(self, connection: PGconn) -> None: ...
    def send(self, connection: PGconn, parameters: Sequence[bytes | None]) -> None: ...


class Waiter(Protocol):
    """What a result goes to."""

    def take(self, result: PGresult) -> None:
        """Go on with the result."""

    def lost(self) -> None:
        """Go on without one: the connection or the statement failed."""

    def late(self) -> None:
        """Go on without one: it has not come in time."""


class PipelineLost(Exception):
    """The connection is of no more use; ``give_up`` says who still waits."""


class Pipeline:
    """Sends statements and gives each result to the one it belongs to."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._owner, self._connection = connection, connection.pgconn
        self._connection.nonblocking = 1
        self._connection.enter_pipeline_mode()
        # Readable where there are results. libpq forgets it, and closes it, when the connection fails.
        self.descriptor = int(self._connection.socket)
        self._prepared: set[str] = set()
        self._waiting: deque[tuple[float, Waiter | None]] = deque()
        self._has_unsent = False

    def send(self, statement: Statement, parameters: Sequence[bytes | None], waiter: Waiter, *, now: float) -> None:
        """Queue one execution. Raises PipelineLost; ``waiter`` is not among those who wait then."""
        try:
            if statement.is_named and statement.name not in self._prepared:
                statement.send_prepare(self._connection)
                self._prepared.add(statement.name)
                self._waiting.append((now, None))  # the answer to preparing goes to no request
            statement.send(self._connection, parameters)
        except psycopg.Error as exc:
            raise PipelineLost from exc
        self._waiting.append((now, waiter))
        self._has_unsent = True

    def flush(self) -> None:
        """Send what is queued. Raises PipelineLost."""
        if not self._has_unsent:
            return
        self._has_unsent = False
        try:
            self._connection.pipeline_sync()
            # A statement is some hundred bytes: the socket takes them, or libpq sends the rest with the next.
            self._connection.flush()
        except psycopg.Error as exc:
            raise PipelineLost from exc

    def receive(self) -> None:
        """Give out the results that are there. Raises PipelineLost."""
        connection = self._connection
        try:
            connection.consume_input()
            while self._waiting and not connection.is_busy():
                self._take(connection.get_result())
        except psycopg.Error as exc:
            raise PipelineLost from exc

    def oldest(self) -> float | None:
        """Return when the statement was sent that has waited longest, None where none waits."""
        return self._waiting[0][0] if self._waiting else None

    def give_up(self) -> list[Waiter]:
        """Close the connection and return whom no result will reach."""
        self._owner.close()
        waiting = [waiter for _, waiter in self._waiting if waiter is not None]
        self._waiting.clear()
        return waiting

    def _take(self, result: PGresult | None) -> None:
        # None ends the results of one statement; a mark ends those sent together.
        if result is None or result.status == ExecStatus.PIPELINE_SYNC:
            return
        _, waiter = self._waiting.popleft()
        if result.status not in _OK:
            self._prepared.clear()
        if waiter is not None:
            waiter.take(result) if result.status in _OK else waiter.lost()
