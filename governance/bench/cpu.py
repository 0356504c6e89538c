"""Processor time of what is measured and of PostgreSQL: user and system time, from Linux's ``/proc``."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
# Fields of /proc/PID/stat (proc(5)), counted from the state, which follows the program's name in brackets.
_PARENT = 1
_OWN_AND_ENDED_CHILDREN = slice(11, 15)
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


@dataclass
class CpuTime:
    """Seconds of processor time; ``database`` is None where PostgreSQL runs on another machine."""

    process: float = 0.0
    database: float | None = None

    def us_per(self, count: int) -> tuple[float, float | None]:
        """Return both in microseconds for each of ``count``."""
        return self.process / count * 1e6, None if self.database is None else self.database / count * 1e6


@contextmanager
def measured(pid: int) -> Iterator[CpuTime]:
    """Measure the block: what it costs the process ``pid`` and PostgreSQL is known at its end."""
    server = postgres_pid()
    time, before, database_before = CpuTime(), cpu_seconds(pid), cpu_seconds(server or 0)
    yield time
    time.process = cpu_seconds(pid) - before
    time.database = cpu_seconds(server) - database_before if server else None


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and all its descendants, those included that have ended and were waited for."""
    return sum(sum(_stat(process)[_OWN_AND_ENDED_CHILDREN]) for process in _family(pid)) * _TICK_S


def postgres_pid() -> int | None:
    """Return the process id of the PostgreSQL server in use; None where it runs on another machine."""
    connection.ensure_connection()
    info = connection.connection.info
    # A name of a folder is a socket's. A connection pooler on this machine is none of our server's processes.
    if not info.host.startswith((*_THIS_MACHINE, "/")) or _name(info.backend_pid) != "postgres":
        return None
    return _stat(info.backend_pid)[_PARENT]


def _family(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        children.setdefault(_stat(int(entry.name))[_PARENT], []).append(int(entry.name))
    family, queue = [], [pid]
    while queue:
        current = queue.pop()
        family.append(current)
        queue.extend(children.get(current, []))
    return family


def _stat(pid: int) -> list[int]:
    """Return the numbers of ``/proc/PID/stat``, the state as 0; only zeros for a process that has gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return [0] * _OWN_AND_ENDED_CHILDREN.stop
    return [0, *map(int, text[text.rindex(")") + 2 :].split()[1:])]


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
