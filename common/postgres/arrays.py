"""Arrays in PostgreSQL's binary format, as parameters of prepared statements.

A driver that writes each value as text takes longer for a batch of a hundred events than the database for storing them.
"""

import struct
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

UUIDS, TEXTS, NUMBERS, FLOATS, MOMENTS = 2951, 1009, 1016, 1022, 1185  # uuid[], text[], int8[], float8[], timestamptz[]
_ELEMENT = {UUIDS: 2950, TEXTS: 25, NUMBERS: 20, FLOATS: 701, MOMENTS: 1184}
_NULL = b"\xff\xff\xff\xff"
_EPOCH, _MICROSECOND = datetime(2000, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_float = struct.Struct(">id").pack


def uuids(values: Iterable[UUID]) -> bytes:
    return uuids_of_bytes([value.bytes for value in values])


def uuids_of_bytes(values: Iterable[bytes]) -> bytes:
    return _array(UUIDS, [b"\x00\x00\x00\x10" + value for value in values])


def texts(values: Iterable[str | None]) -> bytes:
    encoded = (None if value is None else value.encode() for value in values)
    return _array(TEXTS, [_NULL if value is None else len(value).to_bytes(4, "big") + value for value in encoded])


def numbers(values: Iterable[int | None]) -> bytes:
    return _array(NUMBERS, [_NULL if value is None else _number(value) for value in values])


def floats(values: Iterable[float]) -> bytes:
    return _array(FLOATS, [_float(8, value) for value in values])


def moments(values: Iterable[datetime]) -> bytes:
    return _array(MOMENTS, [_number((value - _EPOCH) // _MICROSECOND) for value in values])


def _number(value: int) -> bytes:
    return b"\x00\x00\x00\x08" + value.to_bytes(8, "big", signed=True)


def _array(kind: int, elements: list[bytes]) -> bytes:
    """Return dimensions, whether there are NULLs, the type of the elements, their number, lower bound, elements."""
    if not elements:
        return struct.pack(">iiI", 0, 0, _ELEMENT[kind])
    head = struct.pack(">iiIii", 1, _NULL in elements, _ELEMENT[kind], len(elements), 1)
    return head + b"".join(elements)
