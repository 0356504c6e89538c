"""Databases beside the one in use, for measurements and tests, and the end of the sessions of a database."""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

# Sessions of other roles stay: ending an autovacuum worker, which is the superuser's, needs a right that no role of
# Assent has, and one refusal ends the whole statement.
_END_SESSIONS = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = %s AND usename = current_user AND pid <> pg_backend_pid() AND pid <> ALL(%s)"
)


@contextmanager
def further_database(name: str) -> Iterator[str]:
    """Create an empty database on the server of the one in use and finally drop it; yield its URL."""
    recreate(name, drop_only=False)
    try:
        yield urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    finally:
        recreate(name, drop_only=True)


def recreate(name: str, *, drop_only: bool) -> None:
    """Drop the database with its sessions where it exists, and create it empty unless ``drop_only``."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as admin:
        # Not WITH (FORCE): that demands leave to end autovacuum workers, which a plain DROP ends by itself.
        end_sessions(admin, name)
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        if not drop_only:
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def end_sessions(connection: psycopg.Connection, database: str, *, keep: Collection[int] = ()) -> None:
    """End this role's sessions in the database, but this one and the backends to ``keep``; wait up to 5 s for each."""
    connection.execute(_END_SESSIONS, [database, list(keep)]).fetchall()
