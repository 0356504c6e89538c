"""Rows of fixed width out of PostgreSQL, by the binary format of COPY, as NumPy arrays.

A row of columns that are never NULL and always as long has one length in that format, so millions of rows are read
without a Python object for any value.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from django.db import connection
from numpy.typing import NDArray

# By type: how many bytes a value has, and what it is. A timestamptz is microseconds since 2000.
INT2, INT4, INT8, FLOAT8, TIMESTAMPTZ, UUID = "int2", "int4", "int8", "float8", "timestamptz", "uuid"
_FORMATS: Mapping[str, str] = {
    INT2: ">i2", INT4: ">i4", INT8: ">i8", FLOAT8: ">f8", TIMESTAMPTZ: ">i8", UUID: "V16",
}  # fmt: skip
EPOCH_US: Final = 946_684_800_000_000
"""Microseconds from 1970 to 2000, where PostgreSQL's time begins."""
_SIGNATURE = b"PGCOPY\n\xff\r\n\x00"
_HEADER = len(_SIGNATURE) + 8
_TRAILER = b"\xff\xff"
_AT_ONCE = 1 << 23


class NotFixed(ValueError):
    """A row that has a NULL or another length than its columns say."""


def read(statement: str, columns: Mapping[str, str], parameters: Sequence[Any] = ()) -> Iterator[NDArray[Any]]:
    """Yield the rows of a SELECT in structured arrays of its columns, some megabytes at a time. Raises NotFixed.

    ``columns``: name and type of each, in the statement's order.
    """
    row = _row(columns)
    with connection.cursor() as cursor:
        copying = cursor.copy(f"COPY ({statement}) TO STDOUT (FORMAT binary)", parameters)
        with connection.wrap_database_errors, copying as copy:
            rest = b""
            is_first = True
            for block in _blocks(copy):
                data = rest + block
                if is_first:
                    data, is_first = _without_header(data), False
                whole = len(data) // row.itemsize * row.itemsize
                yield _checked(np.frombuffer(data[:whole], row), columns)
                rest = data[whole:]
    if rest != _TRAILER:
        raise NotFixed("The rows are not of the length that their columns say.")


def _row(columns: Mapping[str, str]) -> np.dtype[Any]:
    fields: list[tuple[str, str]] = [("_count", ">i2")]
    for name, kind in columns.items():
        fields += [(f"_{name}", ">i4"), (name, _FORMATS[kind])]
    return np.dtype(fields)


def _blocks(copy: Any) -> Iterator[bytes]:
    """Join what the server sends, which is a row at a time."""
    waiting: list[bytes] = []
    size = 0
    for piece in copy:
        waiting.append(piece)
        size += len(piece)
        if size >= _AT_ONCE:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


def _without_header(data: bytes) -> bytes:
    if not data.startswith(_SIGNATURE) or data[len(_SIGNATURE) : _HEADER] != b"\0" * 8:
        raise NotFixed("The rows do not begin as the binary format does.")
    return data[_HEADER:]


def _checked(rows: NDArray[Any], columns: Mapping[str, str]) -> NDArray[Any]:
    """Return the values alone, once the lengths that stand before each are what they should be."""
    right = bool((rows["_count"] == len(columns)).all())
    if not right or any((rows[f"_{name}"] != rows.dtype[name].itemsize).any() for name in columns):
        raise NotFixed("A row has a NULL, or not the columns that were named.")
    return rows[list(columns)]
