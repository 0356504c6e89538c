"""Embedded PostgreSQL server of an instance: started, found again, stopped.

The server outlives the launcher, however that ends, and the next one attaches to it through
``postmaster.pid``. It listens on a unix socket only and asks for a password.
"""

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from governance.launcher.errors import InstanceError, disk_full, reports_full_disk
from governance.launcher.home.home import Home
from governance.launcher.home.server_user import server_user
from governance.launcher.home.sockets import postgres_socket_folder
from governance.launcher.processes.logs import open_log, tail
from governance.launcher.processes.processes import (
    ProcessId,
    all_pids,
    command_line,
    identify,
    let_outlive,
    runs,
    wait_until,
)
from governance.launcher.servers.postgres_binaries import postgres_programs
from governance.launcher.servers.postgres_cluster import (
    DATABASE,
    ROLE,
    ServerPrograms,
    ensure_cluster_place,
    is_of_another_home,
    make_cluster,
)


def _shared_buffers_mb() -> int:
    """Return an eighth of the memory: reads that leave the buffers cost a decision up to a fifth more."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    return min(max(memory // 8, 128), 2048)


# Every setting that is not PostgreSQL's default, and why.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",  # no TCP: the socket is the only door
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": f"{_shared_buffers_mb()}MB",
    "wal_compression": "on",
    "synchronous_commit": "on",  # an answered consent is on the disk
    "random_page_cost": "1.1",  # solid-state disks
    "jit": "off",  # compiling costs more than the short statements of the decision path
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    # What a scrub needs (privacy/scrub): segments of the log end with their content, and no log quotes a row.
    "wal_recycle": "off",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
# For clusters that are deleted after use.
THROWAWAY_SETTINGS: Mapping[str, str] = {
    **SETTINGS,
    "shared_buffers": "128MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}

_STOP_S = 30.0
_ORPHANS_S = 5.0
_READY_LINE = 7


class PostgresServer:
    """Database server of one home."""

    name = "postgres"

    def __init__(self, home: Home, settings: Mapping[str, str] = SETTINGS) -> None:
        self.home = home
        self.log = home.log(self.name)
        self._settings = settings
        self._user = server_user()
        self._cluster_name = f"assent-{home.mark}"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def _data(self) -> Path:
        return (self.home.path / "postgres").resolve() / "data"

    @property
    def url(self) -> str:
        """Return the connection address of this instance's role and database, password included."""
        password = quote(self.home.secret("postgres_password"), safe="")
        folder = quote(str(postgres_socket_folder(self.home, self._user)), safe="")
        return f"postgresql://{ROLE}:{password}@/{DATABASE}?host={folder}"

    def process(self) -> ProcessId | None:
        """Return the running server, started by any launcher, None if it does not run."""
        if self._child is not None and self._child.poll() is None:
            return identify(self._child.pid)
        return self._recorded()

    def start(self) -> None:
        """Start the server, or attach to the one that runs; does not wait until it answers.

        Makes the cluster first if there is none. Raises InstanceError if that cannot be done.
        """
        if self.process() is not None:
            return
        ensure_cluster_place(self.home, self._user)
        programs = ServerPrograms(postgres_programs(self._user), self._user)
        if not self._data.exists():
            self._make_cluster(programs)
        self._clear_remains()
        self._child = let_outlive(self._spawn(programs))

    def check_ready(self) -> bool:
        """Say whether connections are accepted; raises InstanceError if the server has ended."""
        if self._is_ready():
            return True
        if self.process() is None:
            raise self._not_started()
        return False

    def stop(self) -> None:
        """Stop the server, ending open sessions (a "fast" shutdown)."""
        running = self.process()
        if running is None:
            return
        # SIGINT rolls open transactions back and writes a checkpoint; SIGQUIT leaves that to recovery.
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            running.send(number)
            if wait_until(lambda: not running.is_alive(), timeout_s=_STOP_S):
                break
        self._reap()

    def _make_cluster(self, programs: ServerPrograms) -> None:
        password = self.home.secret("postgres_password")
        durable = self._settings.get("fsync") != "off"
        make_cluster(self._data, programs=programs, password=password, durable=durable)

    def _spawn(self, programs: ServerPrograms) -> subprocess.Popen[bytes]:
        log = open_log(self.log)
        folder = postgres_socket_folder(self.home, self._user)
        options = {
            **self._settings,
            "unix_socket_directories": str(folder),
            "cluster_name": self._cluster_name,
        }
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        try:
            return subprocess.Popen(
                programs.command("postgres", "-D", str(self._data), *arguments),
                env=programs.environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal is the launcher's business
                **self._user.popen_arguments(),
            )
        finally:
            os.close(log)

    def _recorded(self) -> ProcessId | None:
        if is_of_another_home(self.home):
            return None
        lines = self._pid_file()
        pid = int(lines[0]) if lines and lines[0].isdigit() else 0
        return identify(pid) if pid and self._is_ours(pid) else None

    def _pid_file(self) -> list[str]:
        try:
            return (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _is_ready(self) -> bool:
        running, lines = self.process(), self._pid_file()
        if running is None or len(lines) <= _READY_LINE or lines[0] != str(running.pid):
            return False
        return lines[_READY_LINE].strip() == "ready"

    def _is_ours(self, pid: int) -> bool:
        # Sessions name themselves after the cluster; the server keeps the arguments it was given.
        title = " ".join(command_line(pid)[:1])
        return title.startswith(f"postgres: {self._cluster_name}: ") or runs(
            pid, program="postgres", argument=str(self._data)
        )

    def _clear_remains(self) -> None:
        """Make way for a new server after one that was killed.

        Its sessions still hold the shared memory for a moment, and a pid file that names another
        program's pid would make PostgreSQL refuse to start.
        """
        self._reap()
        if not wait_until(lambda: not self._orphans(), timeout_s=_ORPHANS_S):
            for orphan in self._orphans():
                orphan.send(signal.SIGKILL)
            wait_until(lambda: not self._orphans(), timeout_s=_ORPHANS_S)
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        for lock in postgres_socket_folder(self.home, self._user).glob(".s.PGSQL.*"):
            lock.unlink(missing_ok=True)

    def _orphans(self) -> list[ProcessId]:
        candidates = [identify(pid) for pid in all_pids() if self._is_ours(pid)]
        return [process for process in candidates if process is not None]

    def _reap(self) -> None:
        if self._child is not None and self._child.poll() is not None:
            self._child = None

    def _not_started(self) -> InstanceError:
        last = tail(self.log)
        if reports_full_disk(last):
            return disk_full(self._data)
        return InstanceError(f"PostgreSQL did not start; the last lines of {self.log}:\n{last}")
