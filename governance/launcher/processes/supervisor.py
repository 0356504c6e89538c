"""Supervisor that keeps the processes of an instance running until a request to stop.

One thread, one loop: each turn looks at every process, starts what ended and is due again, and goes
to sleep until something happens.
"""

import contextlib
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from governance.launcher import console
from governance.launcher.errors import InstanceError
from governance.launcher.home.home import Home
from governance.launcher.home.locks import hold
from governance.launcher.processes.child import Child
from governance.launcher.processes.logs import bound, tail
from governance.launcher.processes.process_records import write_records
from governance.launcher.processes.processes import ProcessId, wait_until
from governance.launcher.processes.restarts import RestartPolicy
from governance.launcher.processes.stopping import StopSignals

TURN_S = 0.5
_READY_POLL_S = 0.02
_LOG_CHECK_S = 60.0
_END_S = 15.0


class Server(Protocol):
    """Embedded server: started before the children and stopped after them."""

    name: str

    def process(self) -> ProcessId | None: ...
    def start(self) -> None: ...
    def check_ready(self) -> bool: ...
    def stop(self) -> None: ...


class Supervisor:
    """Supervisor of the servers and children of one home."""

    def __init__(self, home: Home, *, servers: Sequence[Server], children: Sequence[Child], stop: StopSignals) -> None:
        self._home = home
        self._servers = servers
        self._children = children
        self._stop = stop
        self._watched: dict[str, Server | Child] = {}
        self._policies: dict[str, RestartPolicy] = {}
        self._down: set[str] = set()
        self._recorded: object = None
        self._complaints: set[str] = set()
        self._logs_checked_at = 0.0
        self._seen: dict[str, ProcessId] = {}
        self._claim = _file_id(home.supervisor_lock)

    def start_servers(self) -> None:
        """Start the servers, all at once, and wait until each answers or a stop is requested."""
        with hold(self._home.start_lock):
            for server in self._servers:
                self._start(server)
            for server in self._servers:
                self._wait_for(server)

    def start_children(self, *, ready: bool) -> None:
        """Start the children not started yet; ``ready`` includes those that wait for readiness."""
        for child in self._children:
            if child.name not in self._watched and (ready or not child.spec.starts_when_ready):
                self._start(child)
        self._record()

    def turn(self, *, wait_s: float = TURN_S) -> None:
        """Restart what ended and is due, then wait for the next event, ``wait_s`` seconds at most.

        Raises InstanceError once the home is not the one this supervisor has claimed.
        """
        if self._has_lost_home():
            raise InstanceError(f"{self._home.path} was deleted or replaced under its instance.")
        now = time.monotonic()
        for watched in self._watched.values():
            self._look_after(watched, now)
        self._record()
        self._bound_logs(now)
        self._stop.pause(wait_s)

    def shut_down(self) -> None:
        """Stop the children in their order, then the servers; a second request kills the children."""
        for order in sorted({child.spec.stop_order for child in self._children}):
            self._stop_together([child for child in self._children if child.spec.stop_order == order])
        is_lost = self._has_lost_home()
        if not is_lost:
            self._record()
        # In a home of another launcher that lock is the other's.
        with contextlib.nullcontext() if is_lost else hold(self._home.start_lock):
            for server in reversed(self._servers):
                server.stop()
        if is_lost:
            self._end_attached()

    def _end_attached(self) -> None:
        """End servers that another launcher started: their own records went with the home."""
        names = {server.name for server in self._servers}
        left = [process for name, process in self._seen.items() if name in names and process.is_alive()]
        for number in (signal.SIGINT, signal.SIGKILL):
            for process in left:
                process.send(number)
            if wait_until(lambda: not any(process.is_alive() for process in left), timeout_s=_END_S):
                return

    def _has_lost_home(self) -> bool:
        try:
            return self._claim != _file_id(self._home.supervisor_lock)
        except OSError:
            return False  # a disk that does not answer for a moment has lost nothing

    def _wait_for(self, server: Server) -> None:
        while not self._stop.requested() and not server.check_ready():
            self._stop.pause(_READY_POLL_S)

    def _start(self, watched: Server | Child) -> None:
        policy = self._policies.setdefault(watched.name, RestartPolicy())
        policy.started(time.monotonic())
        self._watched[watched.name] = watched
        watched.start()

    def _look_after(self, watched: Server | Child, now: float) -> None:
        policy = self._policies[watched.name]
        process = watched.process()
        if process is not None:
            self._seen[watched.name] = process
            return
        if watched.name not in self._down:
            self._down.add(watched.name)
            policy.ended(now)
            self._report(watched, policy, now)
        elif now >= policy.due_at:
            self._restart(watched)

    def _restart(self, watched: Server | Child) -> None:
        # A start that fails, on a full disk for instance, is one more early end and not the supervisor's.
        try:
            self._start(watched)
        except Exception as exc:  # noqa: BLE001 - the edge that keeps everything else running
            self._policies[watched.name].ended(time.monotonic())
            console.say(f"{watched.name} could not be started again: {exc}")
            return
        self._down.discard(watched.name)

    def _report(self, watched: Server | Child, policy: RestartPolicy, now: float) -> None:
        if policy.deserves_complaint():
            log = self._home.log(watched.name)
            console.say(f"{watched.name} keeps ending; the last lines of {log}:\n{tail(log)}")
        elif not self._stop.requested():
            delay = policy.due_at - now
            console.say(f"{watched.name} ended; it starts again {f'in {delay:.0f} s' if delay > 0 else 'now'}")

    def _stop_together(self, children: Sequence[Child]) -> None:
        for child in children:
            child.ask_to_stop()
        asked_at = time.monotonic()
        while running := [child for child in children if child.process() is not None]:
            for child in running:
                if self._stop.insisted() or time.monotonic() - asked_at > child.spec.stop_within_s:
                    child.kill()
            self._stop.pause(0.1)

    def _record(self) -> None:
        current = [child.process() for child in self._children]
        if current == self._recorded:
            return
        if self._try("The list of processes could not be written", self._write_records):
            self._recorded = current

    def _write_records(self) -> None:
        write_records(self._home, self._children)

    def _bound_logs(self, now: float) -> None:
        if now - self._logs_checked_at < _LOG_CHECK_S:
            return
        self._logs_checked_at = now
        for log in self._home.logs.glob("*.log"):
            self._try(f"{log} could not be shortened", lambda log=log: bound(log))  # type: ignore[misc]

    def _try(self, failure: str, action: Callable[[], None]) -> bool:
        try:
            action()
        except OSError as exc:
            self._complain_once(f"{failure}: {exc.strerror}")
            return False
        return True

    def _complain_once(self, sentence: str) -> None:
        if sentence not in self._complaints:
            self._complaints.add(sentence)
            console.say(sentence)


def _file_id(path: Path) -> tuple[int, int] | None:
    """Return the identity of a file, None where there is none."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino
