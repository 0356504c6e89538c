"""Statements whose values travel in binary, both ways: a megabyte of keys as text would be two."""

from collections.abc import Mapping
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection


def rows(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a statement, which is prepared where the session is our own."""
    connection.ensure_connection()
    is_own = settings.DATABASE_POOLING == "session"  # behind a pooler the next transaction may have another session
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(statement.encode(), values, binary=True, prepare=is_own).fetchall()
