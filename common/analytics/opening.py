"""The engine of the settings, in a folder of its own that goes with it.

What an engine spills or exchanges there is personal data. A process that is killed leaves its folder behind: the next
one to open an engine, or the nightly job, removes what no process holds.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from common.analytics.engine import Engine

_LOCK = "lock"


@contextmanager
def engine() -> Iterator[Engine]:
    """Open the engine of the settings; at the end it is closed and its folder is gone."""
    sweep()
    root = _root()
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=root))
    begun = folder / "begun"
    with begun.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        begun.rename(folder / _LOCK)  # held before it can be seen
        try:
            opened = _opened(folder)
            try:
                yield opened
            finally:
                opened.close()
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def sweep() -> int:
    """Remove folders of processes that were killed; return how many."""
    left = [folder for folder in _root().glob("*") if _is_left(folder)]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return len(left)


def _root() -> Path:
    return Path(settings.ANALYTICS_DIR)


def _is_left(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDONLY)
    except OSError:
        return False  # begun just now, or gone
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _opened(folder: Path) -> Engine:
    # Each is loaded where it is used: DuckDB by jobs, Spark where it is installed.
    if settings.ANALYTICS == "spark":
        from common.analytics.spark import Spark

        return Spark(folder, master=settings.SPARK_MASTER, memory_mb=settings.ANALYTICS_MEMORY_MB)
    from common.analytics.duckdb import DuckDB

    return DuckDB(folder, memory_mb=settings.ANALYTICS_MEMORY_MB)
