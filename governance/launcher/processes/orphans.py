"""Processes whose own parent ended before them: adopted on Linux, and ended.

A process that made a session of its own escapes its group, and a server that became a daemon its parent. The kernel
hands both to the nearest ancestor that asked for it (``prctl(2)``, ``PR_SET_CHILD_SUBREAPER``).
"""

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Iterator

from governance.launcher.processes.processes import ProcessId, children, identify

_PR_SET_CHILD_SUBREAPER = 36
_POLL_S = 0.05


@contextlib.contextmanager
def nothing_left_behind(*, within_s: float = 30.0) -> Iterator[None]:
    """End all that the block started and left running; only on Linux.

    Each is asked with SIGTERM, so that an instance stops its servers itself, and killed after ``within_s`` seconds.
    """
    try:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    except AttributeError:
        yield
        return
    spared = set(children(os.getpid()))
    try:
        yield
    finally:
        _end_all(spared, within_s)


def _end_all(spared: set[int], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    asked: set[ProcessId] = set()
    # Only a look that finds none is the last: what a process leaves is handed up while it ends, after one was taken.
    while below := set(children(os.getpid())) - spared:
        left = _running(below)
        number = signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL
        for process in left if number == signal.SIGKILL else left - asked:
            with contextlib.suppress(PermissionError):
                process.send(number)
        asked |= left
        time.sleep(_POLL_S)


def _running(pids: set[int]) -> set[ProcessId]:
    """Return those of the children that run, zombies among them collected: the rest is handed up when these end."""
    found = set()
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        process = identify(pid)
        if process is not None:
            found.add(process)
    return found
