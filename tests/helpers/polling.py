"""Wait for what another thread does, with a bound and without guessing how long it takes."""

import time
from collections.abc import Callable

from django.db import connection

PATIENCE_S = 300


def until(happened: Callable[[], object], what: str) -> None:
    """Return once ``happened()`` is true; fail with ``what`` if it never becomes so."""
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, f"It never came to this: {what}"
        time.sleep(0.01)


def until_waiting_for_locks(connections: int = 1) -> None:
    """Return once so many other connections to this database are held up by a lock."""
    until(lambda: are_waiting_for_locks(connections), f"{connections} connections wait for a lock")


def are_waiting_for_locks(connections: int = 1) -> bool:
    """Return whether so many other connections to this database are held up by a lock."""
    with connection.cursor() as cursor:
        # Inside a transaction the activity would be the one seen first.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0] >= connections)
