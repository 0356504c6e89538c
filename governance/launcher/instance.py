"""Commands ``up`` and ``demo``: a whole instance in the foreground."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from governance.launcher import console
from governance.launcher.demonstration import MADE_UP_BUSINESS, Demonstration
from governance.launcher.errors import InstanceError, disk_full, reports_full_disk
from governance.launcher.foreground import Story, run_stoppable
from governance.launcher.home.home import Home, open_home
from governance.launcher.home.ports import hold_port, require_free_port
from governance.launcher.home.server_user import SHARED_USER, server_user
from governance.launcher.process_specs import manage_command, process_specs
from governance.launcher.processes.child import MARK, Child
from governance.launcher.processes.launcher_lock import claim
from governance.launcher.processes.logs import tail
from governance.launcher.processes.process_records import end_leftovers
from governance.launcher.processes.readiness import is_ready
from governance.launcher.processes.stopping import StopSignals
from governance.launcher.processes.supervisor import TURN_S, Server, Supervisor
from governance.launcher.servers.environment import CHECKOUT, instance_environment
from governance.launcher.servers.external_servers import ExternalServers, external_servers
from governance.launcher.servers.postgres import PostgresServer
from governance.launcher.servers.valkey import ValkeyServer

PREPARE = ("prepare", "--fast")
_EAGER_TURN_S = 0.05
_PATIENCE_S = 10.0
_LATE_S = 60.0
_INTERRUPTED = 130


def run_instance(home_path: Path, *, port: int, demo: Demonstration | None = None, certification: bool = False) -> int:
    """Run an instance until a request to stop, or the demonstration ends; return the exit status."""
    began = time.monotonic()
    external = external_servers(os.environ)
    home = open_home(home_path)
    servers = embedded_servers(home, external)
    names = [server.name for server in servers]
    with StopSignals() as stop, claim(home, port=port, embedded=names), hold_port(port):
        _clear_the_way(home, port)
        if PostgresServer.name in names and server_user().is_shared:
            console.say(SHARED_USER)
        environment = instance_environment(home, port=port, external=external)
        if demo:
            environment.setdefault("BUSINESS_NAME", MADE_UP_BUSINESS)
        if certification:
            environment["CERTIFICATION"] = "true"
        children = _children(home, port, environment)
        supervisor = Supervisor(home, servers=servers, children=children, stop=stop)
        story = Story(demo.commands(), environment=environment) if demo else None
        try:
            _start(home, supervisor, environment, stop)
            return _Run(supervisor, stop, port, began).until_the_end(story, exits=bool(demo and demo.exits))
        finally:
            if story:
                story.end()
            console.say("stopping")
            supervisor.shut_down()


def embedded_servers(home: Home, external: ExternalServers) -> list[Server]:
    """Return the servers this home has to run itself."""
    servers: list[Server] = []
    if external.database_url is None:
        servers.append(PostgresServer(home))
    if external.broker_url is None:
        servers.append(ValkeyServer(home))
    return servers


def _clear_the_way(home: Home, port: int) -> None:
    ended = end_leftovers(home)
    if ended:
        console.say(f"ended what an earlier start had left behind: {', '.join(ended)}")
    require_free_port(port)


def _children(home: Home, port: int, environment: Mapping[str, str]) -> list[Child]:
    marked = {**environment, MARK: home.mark}
    return [
        Child(spec, environment=marked, folder=CHECKOUT, log=home.log(spec.name))
        for spec in process_specs(home, port=port)
    ]


def _start(home: Home, supervisor: Supervisor, environment: Mapping[str, str], stop: StopSignals) -> None:
    console.say("starting the database and the queue")
    supervisor.start_servers()
    if stop.requested():
        return
    console.say("preparing the database")
    log = home.log("prepare")
    status = run_stoppable(manage_command(*PREPARE), environment=environment, log=log, stop=stop)
    if stop.requested():
        return
    if status != 0:
        raise preparation_failed(log)
    console.say("starting the web process")
    supervisor.start_children(ready=False)


def preparation_failed(log: Path) -> InstanceError:
    """Return the error for a database that could not be prepared."""
    last = tail(log)
    if reports_full_disk(last):
        return disk_full(log.parent)
    return InstanceError(f"The database could not be prepared; the last lines of {log}:\n{last}")


class _Run:
    """Run of an instance, from the start of the children to the request to stop."""

    def __init__(self, supervisor: Supervisor, stop: StopSignals, port: int, began: float) -> None:
        self._supervisor = supervisor
        self._stop = stop
        self._port = port
        self._began = began

    def until_the_end(self, story: Story | None, *, exits: bool) -> int:
        if not self._became_ready():
            return _INTERRUPTED if exits else 0
        if story:
            status = self._run_story(story)
            if status is None or exits:
                return _INTERRUPTED if status is None else status
            console.say(f"the story ended with status {status}; the instance stays up until Ctrl-C")
        while not self._stop.requested():
            self._supervisor.turn()
        return 0

    def _became_ready(self) -> bool:
        waiting_since, is_late = time.monotonic(), False
        while not self._stop.requested() and not is_ready(self._port):
            waited = time.monotonic() - waiting_since
            self._supervisor.start_children(ready=waited > _PATIENCE_S)
            if waited > _LATE_S and not is_late:
                is_late = True
                console.say("not ready yet; see the logs folder of the home")
            self._supervisor.turn(wait_s=_EAGER_TURN_S if waited < _PATIENCE_S else TURN_S)
        if self._stop.requested():
            return False
        self._supervisor.start_children(ready=True)
        console.announce(f"ready in {time.monotonic() - self._began:.1f} s")
        console.announce(f"http://localhost:{self._port}/")
        return True

    def _run_story(self, story: Story) -> int | None:
        while not self._stop.requested():
            status = story.status()
            if status is not None:
                return status
            self._supervisor.turn()
        return None
