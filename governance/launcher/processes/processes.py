"""Process identity beyond doubt: a pid alone may belong to another program by now.

A process is its pid together with the moment it started. On Linux that comes from ``/proc``
(``proc(5)``: field 22 of ``stat`` plus the boot id, as ticks begin anew at every boot); elsewhere
from ``ps``.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_HAS_PROC = (PROC / "self" / "stat").exists()
_BOOT_ID = PROC / "sys" / "kernel" / "random" / "boot_id"
_GONE_STATES = frozenset("ZX")
_POLL_S = 0.02


@dataclass(frozen=True)
class ProcessId:
    """A process of this machine; ``started`` is opaque and only ever compared."""

    pid: int
    started: str

    def is_alive(self) -> bool:
        """Say whether this very process still runs; a zombie does not."""
        return started_at(self.pid) == self.started

    def send(self, number: signal.Signals) -> None:
        """Signal the process if it is still the same one."""
        if self.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


_outliving: list[subprocess.Popen[bytes]] = []


def let_outlive(process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """Keep the handle of a server that is meant to run on: Python warns when a running child's handle is lost."""
    _outliving[:] = [known for known in _outliving if known.poll() is None]
    _outliving.append(process)
    return process


def identify(pid: int) -> ProcessId | None:
    """Return the running process with this pid, None if there is none."""
    started = started_at(pid)
    return None if started is None else ProcessId(pid, started)


def started_at(pid: int) -> str | None:
    """Return the start of a running process as an opaque text, None if it does not run."""
    if not _HAS_PROC:
        return _ps_started_at(pid)
    fields = stat_fields(pid)
    if fields is None or fields[0] in _GONE_STATES:
        return None
    return f"{_boot_id()}:{fields[19]}"


def stat_fields(pid: int) -> list[str] | None:
    """Return ``/proc/PID/stat`` from the state on: state, parent, group, session, ..."""
    try:
        text = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The second field is the program's name in brackets and may itself hold brackets and spaces.
    return text.rpartition(")")[2].split()


def all_pids() -> list[int]:
    """Return the pids of every process ``/proc`` shows; empty where there is no ``/proc``."""
    if not _HAS_PROC:
        return []
    return [int(name) for name in os.listdir(PROC) if name.isdigit()]  # noqa: PTH208 - Path per process is slow


def children(pid: int) -> list[int]:
    """Return the pids directly below ``pid``; ended ones that were not waited for among them."""
    return _by_parent().get(pid, [])


def descendants(pid: int) -> list[int]:
    """Return the pids below ``pid``, itself first, children before their children."""
    below, family = _by_parent(), [pid]
    for member in family:
        family.extend(below.get(member, ()))
    return family


def _by_parent() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for pid in all_pids():
        fields = stat_fields(pid)
        if fields is not None:
            found.setdefault(int(fields[1]), []).append(pid)
    return found


def command_line(pid: int) -> list[str]:
    """Return a process's arguments, empty if it does not run; where there is no ``/proc``, as one text.

    Open to every user, unlike a process's folder or environment: root in a container may not look
    into another user's processes (``ptrace(2)``, access mode checks).
    """
    if not _HAS_PROC:
        return [_ps(pid, "command=")]
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    except OSError:
        return []


def runs(pid: int, *, program: str, argument: str) -> bool:
    """Say whether a process is ``program`` (a file name) started with exactly this argument."""
    words = command_line(pid)
    if not _HAS_PROC:
        return bool(words) and program in words[0] and argument in words[0]
    return bool(words) and Path(words[0]).name == program and argument in words


def started_epoch(pid: int) -> float | None:
    """Return when a running process started, in seconds of the epoch; None where that is unknown."""
    fields = stat_fields(pid)
    if fields is None:
        return None
    since_boot_s = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + since_boot_s


def memory_bytes(pid: int, *, with_descendants: bool = True) -> int | None:
    """Return the memory of a process and all below it, shared pages counted in proportion."""
    family = descendants(pid) if with_descendants else [pid]
    sizes = [size for size in map(_memory_of_one, family) if size is not None]
    return sum(sizes) if sizes else None


def wait_until(condition: Callable[[], bool], *, timeout_s: float) -> bool:
    """Wait until ``condition()`` holds and return True, or return False after ``timeout_s`` seconds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


def _memory_of_one(pid: int) -> int | None:
    # Pss needs the right to trace the process; VmRSS is open to all and counts shared pages fully.
    for file, key in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        with contextlib.suppress(OSError):
            for line in (PROC / str(pid) / file).read_text().splitlines():
                if line.startswith(key):
                    return int(line.split()[1]) * 1024
    return None


def _ps_started_at(pid: int) -> str | None:
    state, _, started = _ps(pid, "stat=,lstart=").partition(" ")
    return None if not started or state[0] in _GONE_STATES else started.strip()


def _ps(pid: int, columns: str) -> str:
    command = ["ps", "-o", columns, "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
