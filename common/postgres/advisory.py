"""Advisory locks that are held for longer than a transaction of the work they guard."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import DatabaseError, connection


@contextmanager
def held(key: int) -> Iterator[bool]:
    """Try to hold the lock for the block, and yield whether it is held.

    It belongs to a transaction on a connection of its own: a lock of a session would stay behind with another client
    where a pooler gives each transaction another session. The server frees it when the process ends, however it does.
    """
    own = connection.copy()
    try:
        own.set_autocommit(False)
        with own.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [key])
            [is_held] = cursor.fetchone()
        yield bool(is_held)
    finally:
        # A closed connection is noticed by its server a moment later: without its answer to a rollback the lock is
        # still held for who asks next.
        with suppress(DatabaseError):
            own.rollback()
        own.close()
