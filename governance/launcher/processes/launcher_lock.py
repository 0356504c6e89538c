"""Launcher lock: one launcher at most for each home, and a record of which."""

import contextlib
import json
import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from governance.launcher.errors import refused
from governance.launcher.home.home import Home
from governance.launcher.home.locks import LockHeldError, hold
from governance.launcher.processes.processes import ProcessId, identify


@dataclass(frozen=True, kw_only=True)
class RunningLauncher:
    """A running launcher: its process, the port it serves, the embedded servers it looks after."""

    pid: int
    started: str
    port: int
    embedded: list[str]
    home: str = ""
    """The mark of the home; empty in a record of an earlier release."""

    @property
    def identity(self) -> ProcessId:
        return ProcessId(self.pid, self.started)


@contextlib.contextmanager
def claim(home: Home, *, port: int, embedded: Sequence[str]) -> Iterator[None]:
    """Become the one launcher of ``home`` for the block; raises InstanceError if there is one already."""
    try:
        with hold(home.supervisor_lock, wait=False) as descriptor:
            _write(descriptor, home, port, embedded)
            yield
            os.ftruncate(descriptor, 0)
    except LockHeldError:
        found = find_launcher(home)
        where = f" on port {found.port}" if found else ""
        raise refused(
            f"{home.path} is already running{where}; stop it with: ./assent down --home {shlex.quote(str(home.path))}"
        ) from None


def find_launcher(home: Home) -> RunningLauncher | None:
    """Return the running launcher of ``home``, None if there is none."""
    try:
        launcher = RunningLauncher(**json.loads(home.supervisor_lock.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    # A copied home holds the record of the original's launcher.
    is_ours = launcher.home in {"", home.mark}
    return launcher if is_ours and launcher.identity.is_alive() else None


def _write(descriptor: int, home: Home, port: int, embedded: Sequence[str]) -> None:
    own = identify(os.getpid())
    launcher = RunningLauncher(
        pid=os.getpid(),
        started=own.started if own else "",
        port=port,
        embedded=list(embedded),
        home=home.mark,
    )
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(asdict(launcher)).encode(), 0)
