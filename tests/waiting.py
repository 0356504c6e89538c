"""Wait for what another thread does, with a bound and without guessing how long it takes."""

import time
from collections.abc import Callable

from django.db import connection

PATIENCE_S = 30.0


def until(happened: Callable[[], object], what: str) -> None:
    """Return once ``happened()`` is true; fail with ``what`` if it never becomes so."""
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, f"It never came to this: {what}"
        time.sleep(0.01)


def until_somebody_waits_for_a_lock() -> None:
    """Return once another connection of this database is held up by one of ours."""

    def waiting() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            return bool(cursor.fetchone()[0])

    until(waiting, "somebody waits for a lock")
