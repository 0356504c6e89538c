"""An engine in a folder of its own that goes with it; no Django.

What an engine spills or exchanges there is personal data. A process that is killed leaves its folder behind: the next
one to open an engine, or the nightly job, removes what no process holds.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from common.analytics.engine import Engine

_LOCK = "lock"


@dataclass(frozen=True)
class Workshop:
    """Where engines work, which one, and with how much memory. ``master`` is Spark's: this machine, or a cluster's."""

    root: Path
    kind: str = "duckdb"
    memory_mb: int = 2048
    master: str = "local[*]"

    @contextmanager
    def open(self) -> Iterator[Engine]:
        """Open an engine; at the end it is closed and its folder is gone."""
        sweep(self.root)
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=self.root))
        begun = folder / "begun"
        with begun.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            begun.rename(folder / _LOCK)  # held before it can be seen
            try:
                opened = self._opened(folder)
                try:
                    yield opened
                finally:
                    opened.close()
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def _opened(self, folder: Path) -> Engine:
        # Each is loaded where it is used: DuckDB by jobs, Spark where it is installed.
        if self.kind == "spark":
            from common.analytics.spark import Spark

            return Spark(folder, master=self.master, memory_mb=self.memory_mb)
        from common.analytics.duckdb import DuckDB

        return DuckDB(folder, memory_mb=self.memory_mb)


def sweep(root: Path) -> int:
    """Remove folders of processes that were killed; return how many."""
    left = [folder for folder in root.glob("*") if _is_left(folder)]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return len(left)


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
