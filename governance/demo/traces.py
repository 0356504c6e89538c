"""Search for traces of a person in a database and in files: every table, every column, every spelling."""

import base64
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

_TABLES = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1
"""
_BLOCK = 4 * 1024 * 1024


def spellings(business_id: str, refs: Iterable[UUID]) -> list[str]:
    """Return every text a row could name the person by: business id and pseudonyms, plain, hexadecimal, base64.

    PostgreSQL writes a row as text with uuid in its usual form and bytes in hexadecimal.
    """
    plain = business_id.encode()
    found = [business_id, plain.hex(), _base64(plain)]
    for ref in refs:
        found += [str(ref), ref.hex, _base64(ref.bytes)]
    return found


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def tables_with(cursor: Any, words: list[str]) -> list[str]:
    """Return the tables in which any row, written as text, holds any of the words; upper or lower case."""
    cursor.execute(_TABLES)
    tables = [row[0] for row in cursor.fetchall()]
    return [table for table in tables if _holds(cursor, table, words)]


def _holds(cursor: Any, table: str, words: list[str]) -> bool:
    cursor.execute(
        f"SELECT EXISTS (SELECT 1 FROM {table} AS line, unnest(%s::text[]) AS word "  # noqa: S608 (quoted above)
        "WHERE position(lower(word) IN lower(line::text)) > 0)",
        [words],
    )
    return bool(cursor.fetchone()[0])


def files_with(folder: Path, words: Iterable[bytes]) -> list[Path]:
    """Return the files below a folder, links followed, that hold any of the words."""
    wanted = [word for word in words if word]
    return [path for path in _files(folder) if _has(path, wanted)]


def _files(folder: Path) -> Iterator[Path]:
    for where, _folders, names in os.walk(folder, followlinks=True):
        for name in names:
            path = Path(where, name)
            if path.is_file():
                yield path


def _has(path: Path, words: list[bytes]) -> bool:
    overlap = max(map(len, words), default=1)
    try:
        with path.open("rb") as file:
            block = file.read(_BLOCK)
            while block:
                if any(word in block for word in words):
                    return True
                more = file.read(_BLOCK)
                block = block[-overlap:] + more if more else b""
    except FileNotFoundError:  # a server removed it in between
        return False
    return False
