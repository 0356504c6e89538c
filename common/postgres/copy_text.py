"""Rows in the text format of PostgreSQL's COPY (documentation, COPY, "Text Format")."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from django.db import connection

_ROWS_AT_ONCE = 250


def copy_rows(cursor: Any, statement: str, rows: Iterable[str]) -> None:
    """Run a COPY ... FROM STDIN with lines of ``copy_line``. The server works on them while more are made."""
    rows = iter(rows)
    # The cursor's own wrapper looks only at the call that begins a COPY, not at what happens during it.
    with connection.wrap_database_errors, cursor.copy(statement) as copy:
        while some := "".join(islice(rows, _ROWS_AT_ONCE)):
            copy.write(some)


def copy_line(*values: str | int | bool | None) -> str:
    """Return one row; None is NULL, a bytea is written in hexadecimal with a backslash and an x before it."""
    row = "\t".join(["\\N" if value is None else str(value).replace("\\", "\\\\") for value in values])
    if "\n" in row or "\r" in row or row.count("\t") != len(values) - 1:
        row = "\t".join(["\\N" if value is None else _escaped(str(value)) for value in values])
    return row + "\n"


def array_text(words: Iterable[str]) -> str:
    """Return a text array as PostgreSQL writes it."""
    return "{" + ",".join([word if _is_plain(word) else _quoted(word) for word in words]) + "}"


def _is_plain(word: str) -> bool:
    return word.isidentifier() and word.lower() != "null"


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\\\")
    return text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
