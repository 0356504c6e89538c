"""Supervised process: how it is started, and how it ends together with all it started itself."""

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from governance.launcher.processes.logs import open_log
from governance.launcher.processes.processes import ProcessId, identify

# Set in the environment of every child and inherited by its own: proof of belonging to an instance.
MARK = "ASSENT_CHILD_OF"
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, kw_only=True)
class ChildSpec:
    """Specification of a child; supervising another process means adding one of these."""

    name: str
    command: tuple[str, ...]
    stop_order: int = 0
    """Children of a lower number stop first; those with the same one stop together."""
    stop_within_s: float = 10.0
    """How long it may take to end its work after SIGTERM before it is killed."""
    starts_when_ready: bool = False
    """Start only after the instance answers, so that the answer does not wait for this child."""


class Child:
    """A process in a session of its own, restarted and stopped by the supervisor.

    Must be started from the thread that lives as long as the launcher: on Linux the child gets SIGTERM when that thread
    ends for any reason.
    """

    def __init__(self, spec: ChildSpec, *, environment: Mapping[str, str], folder: Path, log: Path) -> None:
        self.spec = spec
        self.name = spec.name
        self.log = log
        self._environment = environment
        self._folder = folder
        self._popen: subprocess.Popen[bytes] | None = None
        self._identity: ProcessId | None = None

    def start(self) -> None:
        """Start the process; its output goes to its log."""
        log = open_log(self.log)
        try:
            self._popen = subprocess.Popen(
                self.spec.command,
                env=self._environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(),
            )
        finally:
            os.close(log)
        self._identity = identify(self._popen.pid)

    def process(self) -> ProcessId | None:
        """Return the running process, None if it has ended; its group is ended with it."""
        if self._popen is not None and self._has_ended(self._popen):
            self._reap(self._popen)
        return self._identity

    def ask_to_stop(self) -> None:
        """Signal the process, not its group, to end its work: it knows its own workers best."""
        if self._identity is not None:
            self._identity.send(signal.SIGTERM)

    def kill(self) -> None:
        """End the process and everything it started, now."""
        if self._popen is not None:
            _signal_group(self._popen.pid, signal.SIGKILL)
            self._reap(self._popen)

    def _has_ended(self, popen: subprocess.Popen[bytes]) -> bool:
        # WNOWAIT leaves the dead process in place, so that its pid, the group's number, cannot be reused yet.
        return os.waitid(os.P_PID, popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _reap(self, popen: subprocess.Popen[bytes]) -> None:
        # Workers of a killed server would otherwise keep the port.
        _signal_group(popen.pid, signal.SIGKILL)
        popen.wait()
        self._popen, self._identity = None, None


def die_with_parent() -> Callable[[], None] | None:
    """Return the function a child runs before its program so that it ends with its parent; None if not on Linux."""
    try:
        prctl = ctypes.CDLL(None).prctl
    except AttributeError:
        return None
    parent = os.getpid()

    def arrange() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        # The parent may have ended before the signal was asked for.
        if os.getppid() != parent:
            os._exit(1)

    return arrange


def _signal_group(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
