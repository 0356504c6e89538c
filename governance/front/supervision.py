"""The process above the serving ones: it holds the port, starts them, starts again what ends, and ends with them.

The socket is bound before the first of them runs, so a port in use is refused at once, and it is theirs together:
while one starts again the other takes all connections. They listen once they have loaded the application.
"""

import logging
import os
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

from governance.front import limits
from governance.front.listening import TABLE_BYTES
from governance.launcher.processes.restarts import RestartPolicy
from governance.launcher.processes.stopping import StopSignals

logger = logging.getLogger(__name__)
_ABSENT = b"\xff" * 4  # the share of a process that does not run (``listening.Shares``)
_TURN_S = 0.5
_STOP_WITHIN_S = limits.DRAIN_S + 1


@dataclass(frozen=True)
class Serving:
    """What is served, and where."""

    application: str
    host: str
    port: int
    workers: int


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that holds the port; no connection is accepted yet."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.SEND_BUFFER_BYTES)
    listener.bind((host, port))
    return listener


def supervise(serving: Serving) -> int:
    """Run the processes until a signal to stop; return the exit status."""
    try:
        listener = bound(serving.host, serving.port)
    except OSError as exc:
        logger.error("%s:%s cannot be listened on: %s", serving.host, serving.port, exc.strerror)  # noqa: TRY400
        return 1
    with StopSignals() as stop, listener, tempfile.TemporaryFile() as shares:
        shares.write(_ABSENT * (TABLE_BYTES // len(_ABSENT)))
        shares.flush()
        workers = [_Worker(serving, slot, listener, shares.fileno()) for slot in range(serving.workers)]
        while not stop.requested():
            for worker in workers:
                worker.look_after()
            stop.pause(_TURN_S)
        listener.close()
        _stop_all(workers, stop)
    return 0


def _stop_all(workers: "list[_Worker]", stop: StopSignals) -> None:
    for worker in workers:
        worker.ask_to_stop()
    ends = time.monotonic() + _STOP_WITHIN_S
    while any(worker.runs() for worker in workers):
        if stop.insisted() or time.monotonic() > ends:
            for worker in workers:
                worker.kill()
        stop.pause(0.1)


class _Worker:
    """A serving process, and the next one in its place."""

    def __init__(self, serving: Serving, slot: int, listener: socket.socket, shares: int) -> None:
        self._serving, self._slot, self._listener, self._shares = serving, slot, listener, shares
        self._policy = RestartPolicy()
        self._process: subprocess.Popen[bytes] | None = None

    def look_after(self) -> None:
        """Start the process, or again when it has ended and is due."""
        now = time.monotonic()
        if self._process is not None and self._process.poll() is not None:
            logger.warning("A serving process ended with status %s and starts again", self._process.returncode)
            self._policy.ended(now)
            os.pwrite(self._shares, _ABSENT, self._slot * len(_ABSENT))
            self._let_go()
        if self._process is None and now >= self._policy.due_at:
            self._policy.started(now)
            self._start()

    def runs(self) -> bool:
        """Say whether the process has not ended."""
        return self._process is not None and self._process.poll() is None

    def ask_to_stop(self) -> None:
        """Have it answer what it has accepted, and end."""
        if self._process is not None and self.runs():
            self._process.terminate()

    def kill(self) -> None:
        """End it now."""
        if self._process is not None:
            self._process.kill()

    def _start(self) -> None:
        descriptor = self._listener.fileno()
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "governance.front", "--workers", str(self._serving.workers)),
                *("--descriptor", str(descriptor), "--shares", str(self._shares), "--slot", str(self._slot)),
                self._serving.application,
            ],
            env={**os.environ, "ASSENT_FRONT_SUPERVISED": "1"},
            # Nothing is ever written: its end means that the supervisor is gone.
            stdin=subprocess.PIPE,
            pass_fds=[descriptor, self._shares],
        )

    def _let_go(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None
