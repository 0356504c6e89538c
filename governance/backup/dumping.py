"""The database as a file of ``pg_dump``, and back."""

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from governance.launcher.servers.postgres_binaries import bundled_program

_LAST_CONNECTIONS_S = 2.0  # in which those of a process that just ended go


class DatabaseProgramFailed(Exception):
    """Failure of ``pg_dump`` or ``pg_restore``; the text is its own first line."""


class InUse(Exception):
    """Refusal to replace a database that others are connected to."""


def dump(file: Path) -> None:
    """Write the database as it is at one moment. Raises DatabaseProgramFailed."""
    _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--schema=public", f"--file={file}")


def restore(file: Path) -> None:
    """Replace everything in the database. Raises DatabaseProgramFailed."""
    connection.close()
    sql = ("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    with connection.cursor() as cursor:
        for statement in sql:
            cursor.execute(statement)
    connection.close()
    listed = _run("pg_restore", "--list", str(file)).splitlines()
    wanted = file.with_suffix(".list")
    wanted.write_text("\n".join(line for line in listed if " SCHEMA - public " not in line), encoding="utf-8")
    _run(
        "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction",
        f"--use-list={wanted}", f"--dbname={_variables()['PGDATABASE']}", str(file),
    )  # fmt: skip


def refuse_in_use() -> None:
    """Refuse where other clients are connected to the database, and stay so for a moment. Raises InUse."""
    ends = time.monotonic() + _LAST_CONNECTIONS_S
    while others := _other_clients():
        if time.monotonic() > ends:
            raise InUse(f"{others} connections use the database. Stop the instance (./assent down) and try again.")
        time.sleep(0.1)


def _other_clients() -> int:
    # Autovacuum has a row there, too; it waits for no one.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        [others] = cursor.fetchone()
    return int(others)


def _run(name: str, *arguments: str) -> str:
    program = _program(name)
    done = subprocess.run(
        [str(program), *arguments], env={**os.environ, **_variables()}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no message"]
        raise DatabaseProgramFailed(f"{name}: {said[0]}")
    return done.stdout


def _program(name: str) -> Path:
    """Return a program of the bundled PostgreSQL, or of the machine's, which must not be older than the server."""
    found = bundled_program(name) or shutil.which(name)
    if found is None:
        raise DatabaseProgramFailed(f"{name} is not installed: install PostgreSQL's client programs.")
    return Path(found)


def _variables() -> dict[str, str]:
    database: dict[str, Any] = settings.DATABASES["default"]
    names = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "PASSWORD": "PGPASSWORD", "NAME": "PGDATABASE"}
    return {variable: str(database[name]) for name, variable in names.items() if database.get(name)}
