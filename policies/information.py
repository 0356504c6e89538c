"""PIP: everything a decision needs to know, in one indexed statement, fresh for every decision.

The subject's row, the caller's credential and the revision in force are read together, so that a withdrawal, a revoked
credential and a suspended model are in force from the commit, in every process. Nothing is kept between decisions but
the prepared statement. It runs on the connection Django holds for the thread, but speaks to libpq directly: a cursor's
generality costs more than the statement itself, and here the wait has an end.
"""

import select
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from django.db import connections
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult

STATEMENT = b"""
SELECT c.name, c.revoked_at IS NULL AND c.expires_at > now(), $3 = ANY (c.scopes),
       a.bundle_id,
       s.revision, s.region, s.age_band, s.restricted, s.held, s.consents::text
FROM (VALUES (1)) AS one(row)
LEFT JOIN policies_servicecredential c ON c.token_hash = $1
LEFT JOIN policies_activebundle a ON a.id = 1
LEFT JOIN consent_datasubject s ON s.ref = $2
"""
TIMEOUT_MS = 1_000
NOBODY = UUID(int=0)
_NAME = b"assent_information"
_TYPES = [17, 2950, 25]  # bytea, uuid, text
_FORMATS = [Format.BINARY] * 3
_NO_TOKEN = b""
_local = threading.local()
_decode = msgspec.json.Decoder(dict[str, dict[str, Any]]).decode


class InformationUnavailable(Exception):
    """The database did not answer in time, so nothing is known and nothing is permitted."""


@dataclass(slots=True, frozen=True)
class Information:
    """One row: caller, revision in force, subject. ``consents`` is the projection of the ledger."""

    caller: str | None
    credential_valid: bool
    has_scope: bool
    bundle_revision: str | None
    subject_revision: int | None = None
    region: str = ""
    age_band: str = "unknown"
    restricted: bool = False
    held: bool = False
    consents: dict[str, dict[str, Any]] = field(default_factory=dict)


NOTHING = Information(None, False, False, None, consents={})


def read(subject_ref: UUID, token_hash: bytes = _NO_TOKEN, scope: bytes = b"") -> Information:
    """Read what is true now, within TIMEOUT_MS. Raises InformationUnavailable.

    A connection that has died is replaced and asked once more; a slow one is given up and closed.
    """
    parameters = (token_hash, subject_ref.bytes, scope)
    try:
        return _information(_execute(_connection(), parameters))
    except psycopg.OperationalError:
        if connections["default"].in_atomic_block:
            raise InformationUnavailable from None
        connections["default"].close()
    try:
        return _information(_execute(_connection(), parameters))
    except Exception as exc:
        connections["default"].close()
        raise InformationUnavailable from exc


def _connection() -> PGconn:
    """The libpq connection of this thread, with the statement prepared on it."""
    wrapper = connections["default"]
    if wrapper.connection is None:
        wrapper.ensure_connection()
    connection: PGconn = wrapper.connection.pgconn
    if getattr(_local, "prepared_on", None) is not connection:
        _check(connection.prepare(_NAME, STATEMENT, _TYPES))
        _local.prepared_on = connection
        _local.poll = select.poll()
        _local.poll.register(connection.socket, select.POLLIN)
    return connection


def _execute(connection: PGconn, parameters: tuple[bytes, bytes, bytes]) -> PGresult:
    connection.send_query_prepared(_NAME, parameters, _FORMATS, Format.BINARY)
    connection.flush()
    while True:
        if not _local.poll.poll(TIMEOUT_MS):
            connections["default"].close()
            raise InformationUnavailable
        connection.consume_input()
        if not connection.is_busy():
            break
    result = connection.get_result()
    while connection.get_result() is not None:
        pass
    return _check(result)


def _check(result: PGresult | None) -> PGresult:
    if result is None or result.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        raise psycopg.OperationalError("The information could not be read.")
    return result


def _information(result: PGresult) -> Information:
    value: Callable[[int, int], Any] = result.get_value  # bytes, or None for NULL
    name, bundle, revision = value(0, 0), value(0, 3), value(0, 4)
    caller = None if name is None else name.decode()
    in_force = None if bundle is None else bundle.decode()
    if revision is None:
        return Information(caller, value(0, 1) == b"\x01", value(0, 2) == b"\x01", in_force, consents={})
    return Information(
        caller,
        value(0, 1) == b"\x01",
        value(0, 2) == b"\x01",
        in_force,
        int.from_bytes(revision, "big"),
        value(0, 5).decode(),
        value(0, 6).decode(),
        value(0, 7) == b"\x01",
        value(0, 8) == b"\x01",
        _decode(value(0, 9)),
    )
