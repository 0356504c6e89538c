"""PIP: everything a decision needs to know, in one indexed statement, fresh for every decision.

The subject's row, the caller's credential and the revision in force are read together, so that a withdrawal, a revoked
credential and a suspended model are in force from the commit, in every process. Nothing is kept between decisions but
the prepared statement. Runs on the thread's own connection, without the ORM.
"""

import threading
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from django.db import connections

STATEMENT = """
SELECT c.name, c.scopes, c.revoked_at IS NULL AND c.expires_at > now(),
       a.bundle_id,
       s.revision, s.region, s.age_band, s.restricted, s.held, s.consents::text
FROM (VALUES (1)) AS one(row)
LEFT JOIN policies_servicecredential c ON c.token_hash = %s
LEFT JOIN policies_activebundle a ON a.id = 1
LEFT JOIN consent_datasubject s ON s.ref = %s
"""

_NO_TOKEN = b""
_local = threading.local()
NOBODY = UUID(int=0)


class InformationUnavailable(Exception):  # noqa: N818 (a state, answered as a denial)
    """The database did not answer, so nothing is known and nothing is permitted."""


@dataclass(slots=True, frozen=True)
class Information:
    """One row: caller, revision in force, subject. ``consents`` is the projection of the ledger."""

    caller: str | None
    scopes: list[str]
    credential_valid: bool
    bundle_revision: str | None
    subject_revision: int | None
    region: str
    age_band: str
    restricted: bool
    held: bool
    consents: dict[str, dict[str, Any]]


NOTHING = Information(None, [], False, None, None, "", "unknown", False, False, {})


def read(subject_ref: UUID, token_hash: bytes = _NO_TOKEN) -> Information:
    """Read what is true now. Raises InformationUnavailable; a connection that died is replaced and asked once more."""
    try:
        return _read(subject_ref, token_hash)
    except psycopg.OperationalError:
        if connections["default"].in_atomic_block:
            raise InformationUnavailable from None
        connections["default"].close()
    try:
        return _read(subject_ref, token_hash)
    except (psycopg.Error, Exception) as exc:  # noqa: BLE001 (Django wraps errors of connecting in its own classes)
        connections["default"].close()
        raise InformationUnavailable from exc


def _read(subject_ref: UUID, token_hash: bytes) -> Information:
    row = _cursor().execute(STATEMENT, (token_hash, subject_ref), prepare=True).fetchone()
    if row is None:
        raise InformationUnavailable
    name, scopes, valid, bundle, revision, region, age_band, restricted, held, consents = row
    if revision is None:
        return Information(name, scopes or [], bool(valid), bundle, None, "", "unknown", False, False, {})
    return Information(
        name,
        scopes or [],
        bool(valid),
        bundle,
        revision,
        region,
        age_band,
        restricted,
        held,
        msgspec.json.decode(consents),
    )


def _cursor() -> psycopg.Cursor[Any]:
    """This thread's cursor for the one statement: binary and prepared, made anew with every new connection.

    It sits on Django's own connection of the thread, so there is no second pool; Django's cursors interpolate on the
    client and cannot be prepared, hence the plain psycopg class.
    """
    wrapper = connections["default"]
    if wrapper.connection is None:
        wrapper.ensure_connection()
    raw = wrapper.connection
    cursor: psycopg.Cursor[Any] | None = getattr(_local, "cursor", None)
    if cursor is None or cursor.connection is not raw:
        raw.prepare_threshold = 1
        cursor = _local.cursor = psycopg.Cursor(raw)
        cursor.format = psycopg.pq.Format.BINARY
    return cursor
