"""A PostgreSQL server of a test's own, for what a shared one must not suffer: kills, other settings."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection
from psycopg.conninfo import conninfo_to_dict

from governance.launcher.home.home import Home
from governance.launcher.one_off import start_and_wait
from governance.launcher.servers.postgres import SETTINGS, PostgresServer


@contextmanager
def own_server(home: Home, settings: Mapping[str, str] = SETTINGS) -> Iterator[PostgresServer]:
    """Have a server with the tables of this release, and this process connected to it, for the block."""
    server = PostgresServer(home, settings)
    before = dict(connection.settings_dict)
    connection.close()
    try:
        start_and_wait(server)
        url = conninfo_to_dict(server.url)
        named = {"NAME": url["dbname"], "USER": url["user"], "PASSWORD": url["password"], "HOST": url["host"]}
        connection.settings_dict.update(named)
        call_command("migrate", verbosity=0, interactive=False)
        yield server
    finally:
        connection.close()
        connection.settings_dict.update(before)
        server.stop()
