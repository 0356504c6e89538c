"""Commands ``status`` and ``down``: what runs in a home, and how it is ended."""

import json
import signal
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from governance.launcher import console
from governance.launcher.errors import NOT_RUNNING, InstanceError
from governance.launcher.home.home import Home, find_home
from governance.launcher.home.locks import hold
from governance.launcher.process_specs import process_specs
from governance.launcher.processes.launcher_lock import RunningLauncher, find_launcher
from governance.launcher.processes.process_records import end_leftovers, read_records
from governance.launcher.processes.processes import memory_bytes, started_epoch, wait_until
from governance.launcher.processes.readiness import is_ready
from governance.launcher.processes.supervisor import Server
from governance.launcher.servers.postgres import PostgresServer
from governance.launcher.servers.valkey import ValkeyServer

_DOWN_S = 30.0
_MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class ProcessStatus:
    """One process as shown; ``since`` in seconds of the epoch, None for what does not run."""

    name: str
    state: str
    pid: int | None = None
    since: float | None = None
    memory_bytes: int | None = None


def show_status(home_path: Path, *, as_json: bool) -> int:
    """Show the processes and the readiness of a home; return 0 if it is ready and 3 if not."""
    home = find_home(home_path)
    launcher = find_launcher(home) if home else None
    statuses = list(_statuses(home, launcher)) if home else []
    ready = launcher is not None and is_ready(launcher.port)
    port = launcher.port if launcher else None
    if as_json:
        processes = [asdict(each) for each in statuses]
        content = {"home": str(home_path.absolute()), "port": port, "ready": ready, "processes": processes}
        console.announce(json.dumps(content, indent=2))
    else:
        if launcher:
            _show_table(statuses)
        console.announce(_verdict(home_path, port, ready=ready))
    return 0 if ready else NOT_RUNNING


def stop_instance(home_path: Path) -> int:
    """Stop the instance of a home, its launcher or what that left behind; return 0.

    Raises InstanceError if the launcher does not end within 30 s.
    """
    home = find_home(home_path)
    if home is None:
        console.say(f"there is no instance at {home_path.absolute()}")
        return 0
    stopped = _stop_launcher(home) or _stop_remains(home)
    console.say("stopped" if stopped else "nothing was running")
    return 0


def _statuses(home: Home, launcher: RunningLauncher | None) -> Iterator[ProcessStatus]:
    if launcher:
        yield _status("launcher", launcher.pid, own_memory_only=True)
    for server in _servers(home):
        process = server.process()
        if process:
            yield _status(server.name, process.pid)
        elif launcher and server.name not in launcher.embedded:
            yield ProcessStatus(name=server.name, state="external")
        else:
            yield ProcessStatus(name=server.name, state="stopped")
    records = {record.name: record for record in read_records(home) if record.identity.is_alive()}
    for spec in process_specs(home, port=launcher.port if launcher else 0):
        record = records.get(spec.name)
        yield _status(spec.name, record.pid) if record else ProcessStatus(name=spec.name, state="stopped")


def _status(name: str, pid: int, *, own_memory_only: bool = False) -> ProcessStatus:
    memory = memory_bytes(pid, with_descendants=not own_memory_only)
    return ProcessStatus(name=name, state="running", pid=pid, since=started_epoch(pid), memory_bytes=memory)


def _show_table(statuses: list[ProcessStatus]) -> None:
    console.announce(f"{'name':<10}{'state':<10}{'pid':>8}  {'since':<21}{'memory':>10}")
    for each in statuses:
        since = datetime.fromtimestamp(each.since, UTC).strftime("%Y-%m-%d %H:%M:%SZ") if each.since else ""
        memory = f"{each.memory_bytes / _MIB:.0f} MB" if each.memory_bytes else ""
        console.announce(f"{each.name:<10}{each.state:<10}{each.pid or '':>8}  {since:<21}{memory:>10}".rstrip())


def _verdict(home_path: Path, port: int | None, *, ready: bool) -> str:
    if port is None:
        return f"not running ({home_path.absolute()})"
    return f"{'ready' if ready else 'not ready'} at http://localhost:{port}/"


def _servers(home: Home) -> tuple[Server, ...]:
    return (PostgresServer(home), ValkeyServer(home))


def _stop_launcher(home: Home) -> bool:
    launcher = find_launcher(home)
    if launcher is None:
        return False
    launcher.identity.send(signal.SIGTERM)
    if not wait_until(lambda: not launcher.identity.is_alive(), timeout_s=_DOWN_S):
        raise InstanceError(f"The launcher (pid {launcher.pid}) did not end within {_DOWN_S:.0f} s.")
    return True


def _stop_remains(home: Home) -> bool:
    ended = bool(end_leftovers(home))
    with hold(home.start_lock):
        running = [server for server in reversed(_servers(home)) if server.process()]
        for server in running:
            server.stop()
    return ended or bool(running)
