"""Pause in the removal of drained spools while a backup runs.

Between the dump of the database and the copy of the spool a drained file must not go: its lines would be in neither.
The pause is a lock on a file, so it ends with the process that holds it.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings


def _file() -> Path:
    return Path(settings.ASSENT_HOME) / "backup.lock"


@contextmanager
def paused() -> Iterator[None]:
    """Keep every drained spool for the block."""
    with _file().open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_on() -> bool:
    """Return whether a backup keeps drained spools."""
    try:
        with _file().open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
