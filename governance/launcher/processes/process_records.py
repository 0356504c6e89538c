"""Record of a home's children across launchers: ``run/processes.json``.

A launcher that was killed leaves children behind. The next one ends those it can prove to be this
home's: the recorded process itself (pid and start), or members of its session that carry this
home's mark in their environment.
"""

import json
import os
import signal
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from governance.launcher.home.home import Home, write_private
from governance.launcher.processes.child import MARK, Child
from governance.launcher.processes.processes import PROC, ProcessId, all_pids, identify, stat_fields, wait_until

_SESSION_FIELD = 3
_GRACE_S = 3.0


@dataclass(frozen=True, kw_only=True)
class ProcessRecord:
    """One child as last started; ``started`` as in ProcessId, ``home`` as in RunningLauncher."""

    name: str
    pid: int
    started: str
    home: str = ""

    @property
    def identity(self) -> ProcessId:
        return ProcessId(self.pid, self.started)


def write_records(home: Home, children: Iterable[Child]) -> None:
    """Record the children that run now."""
    running = [(child, child.process()) for child in children]
    records = [
        ProcessRecord(name=child.name, pid=process.pid, started=process.started, home=home.mark)
        for child, process in running
        if process is not None
    ]
    write_private(_file(home), json.dumps([asdict(record) for record in records]))


def read_records(home: Home) -> list[ProcessRecord]:
    """Return the recorded children, running or not; a damaged file, or one of the home this is a copy of, is empty."""
    try:
        records = [ProcessRecord(**entry) for entry in json.loads(_file(home).read_text())]
    except (OSError, ValueError, TypeError):
        return []
    return [record for record in records if record.home in {"", home.mark}]


def end_leftovers(home: Home) -> list[str]:
    """End what a killed launcher left behind and return the names of what was ended."""
    found = {record.name: _survivors(home, record) for record in read_records(home)}
    left = [process for processes in found.values() for process in processes]
    for process in left:
        process.send(signal.SIGTERM)
    if not wait_until(lambda: not any(process.is_alive() for process in left), timeout_s=_GRACE_S):
        for process in left:
            process.send(signal.SIGKILL)
        wait_until(lambda: not any(process.is_alive() for process in left), timeout_s=_GRACE_S)
    return sorted(name for name, processes in found.items() if processes)


def _survivors(home: Home, record: ProcessRecord) -> list[ProcessId]:
    leader = [record.identity] if record.identity.is_alive() else []
    members = [identify(pid) for pid in all_pids() if _belongs(pid, session=record.pid, home=home)]
    return leader + [member for member in members if member is not None and member.pid != record.pid]


def _belongs(pid: int, *, session: int, home: Home) -> bool:
    fields = stat_fields(pid)
    return fields is not None and int(fields[_SESSION_FIELD]) == session and _is_marked(pid, home)


def _is_marked(pid: int, home: Home) -> bool:
    try:
        environment = (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False
    return os.fsencode(f"{MARK}={home.mark}") in environment.split(b"\0")


def _file(home: Home) -> Path:
    return home.run / "processes.json"
