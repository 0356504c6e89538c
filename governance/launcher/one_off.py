"""One-off commands with or without a running instance: manage, verify, credentials, retention and the like."""

import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from governance.launcher import console
from governance.launcher.errors import refused
from governance.launcher.foreground import run_in_front
from governance.launcher.home.home import Home, find_home
from governance.launcher.home.home_paths import throwaway_home
from governance.launcher.home.locks import hold, is_free
from governance.launcher.instance import PREPARE
from governance.launcher.process_specs import manage_command
from governance.launcher.processes.launcher_lock import find_launcher
from governance.launcher.servers.environment import CHECKOUT, instance_environment
from governance.launcher.servers.external_servers import external_servers
from governance.launcher.servers.postgres import PostgresServer
from governance.launcher.servers.running import named_instances, running_instances

_POLL_S = 0.02


def run_one_off(
    home_path: Path,
    *,
    port: int,
    arguments: Sequence[str],
    needs_database: bool = True,
    needs_instance: bool = True,
) -> int:
    """Run one of Django's commands against the instance at ``home_path``; return its exit status.

    Only ``up`` and ``demo`` make an instance: a command that needs one is refused where there is none, and one that
    needs none leaves none behind. Raises InstanceError, which names the instances that run.

    It runs in the current folder, so that files are found where the person who names them stands.

    The database alone is started for the duration if it does not run. Nothing but the command itself writes to standard
    output.
    """
    with _chosen_home(home_path, needs_instance=needs_instance) as home:
        return _run(home, port, arguments, needs_database=needs_database)


@contextlib.contextmanager
def _chosen_home(path: Path, *, needs_instance: bool) -> Iterator[Home]:
    home = find_home(path)
    if home is not None:
        if needs_instance and find_launcher(home) is None and running_instances():
            console.say(f"this is about the instance at {home.path}, which does not run. {named_instances()}")
        yield home
        return
    if needs_instance:
        raise refused(f"There is no instance at {path.absolute()}, so nothing was done. {named_instances()}")
    with throwaway_home() as home:
        yield home


def _run(home: Home, port: int, arguments: Sequence[str], *, needs_database: bool) -> int:
    external = external_servers(os.environ)
    launcher = find_launcher(home)
    environment = instance_environment(home, port=launcher.port if launcher else port, external=external)
    python, program, *rest = manage_command(*arguments)
    command = [python, str(CHECKOUT / program), *rest]
    here = Path.cwd()
    if not needs_database or external.database_url is not None:
        return run_in_front(command, environment=environment, folder=here)
    with borrowed_database(home):
        status = _prepare_if_new(environment)
        return status or run_in_front(command, environment=environment, folder=here)


@contextlib.contextmanager
def borrowed_database(home: Home) -> Iterator[None]:
    """Have the embedded database for the block; the last user, without a launcher, stops it."""
    server = PostgresServer(home)
    try:
        with hold(home.users_lock, shared=True):
            with hold(home.start_lock):
                start_and_wait(server)
            yield
    finally:
        with hold(home.start_lock):
            if find_launcher(home) is None and is_free(home.users_lock):
                server.stop()


def start_and_wait(server: PostgresServer) -> None:
    """Start or attach to the database and wait until it accepts connections."""
    server.start()
    while not server.check_ready():
        time.sleep(_POLL_S)


def _prepare_if_new(environment: Mapping[str, str]) -> int:
    if _has_tables(environment["DATABASE_URL"]):
        return 0
    console.say("preparing the new database")
    return run_in_front(manage_command(*PREPARE), environment=environment, quiet=True)


def _has_tables(url: str) -> bool:
    import psycopg

    with psycopg.connect(url, connect_timeout=10) as connection:
        row = connection.execute("SELECT to_regclass('django_migrations') IS NOT NULL").fetchone()
    return bool(row and row[0])
