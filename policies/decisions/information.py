"""PIP: everything a decision needs to know, in one indexed statement, fresh for every decision.

The subject's row, the caller's credential, the revision in force and the candidate of a rollout are read together, so
that a withdrawal, a revoked credential, a suspended model and a roll-back are in force from the commit, in every
process. Nothing is kept between decisions but the prepared statement.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import msgspec
import psycopg
from django.db import DatabaseError, connections
from psycopg.pq.abc import PGresult

from common.postgres import arrays
from common.postgres.prepared import PreparedStatement, StatementTimeout
from common.rollouts.shares import are_in_share
from consent.ledger.projection import ConsentEntry

TIMEOUT_MS = 1_000
_COLUMNS = """c.name, c.revoked_at IS NULL AND c.expires_at > now(), $3 = ANY (c.scopes), 'cells' = ANY (c.scopes),
       c.repeatable_answers,
       a.bundle_id, a.candidate_id, a.candidate_share, a.rollout_id,
       s.revision, s.region, s.age_band, s.restricted, s.held, s.consents::text, s.gpc_since IS NOT NULL,
       nullif(s.limits, '{}')::text, s.erased_revision = s.revision"""
_TABLES = """(VALUES (1)) AS one(row)
LEFT JOIN policies_servicecredential c ON c.token_hash = $1
LEFT JOIN policies_activebundle a ON a.id = 1
LEFT JOIN consent_datasubject s ON s.ref = $2"""
_TYPES = (17, 2950, 25)  # bytea, uuid, text


def statement_with(name: str, *, columns: str = "", tables: str = "", types: Sequence[int] = ()) -> PreparedStatement:
    """Return the statement of a decision, which also reads what an endpoint needs of other tables about the person.

    Its own parameters begin at ``$4``, its own columns at ``WIDTH``; ``$2`` is the person.
    """
    return PreparedStatement(
        name,
        f"SELECT {_COLUMNS}{columns} FROM {_TABLES}{tables}",  # noqa: S608 (constants)
        [*_TYPES, *types],
        binary=True,
        timeout_ms=TIMEOUT_MS,
    )


STATEMENT = statement_with("assent_information")
# The same for several people at once: a row for each of them that is known, or one row without a person.
STATEMENT_FOR_MANY = PreparedStatement(
    "assent_information_for_many",
    """
SELECT c.name, c.revoked_at IS NULL AND c.expires_at > now(), $3 = ANY (c.scopes), 'cells' = ANY (c.scopes),
       c.repeatable_answers,
       a.bundle_id, a.candidate_id, a.candidate_share, a.rollout_id,
       s.revision, s.region, s.age_band, s.restricted, s.held, s.consents::text, s.gpc_since IS NOT NULL,
       nullif(s.limits, '{}')::text, s.erased_revision = s.revision, s.ref
FROM (VALUES (1)) AS one(row)
LEFT JOIN policies_servicecredential c ON c.token_hash = $1
LEFT JOIN policies_activebundle a ON a.id = 1
LEFT JOIN consent_datasubject s ON s.ref = ANY ($2)
""",
    [17, 2951, 25],  # bytea, uuid[], text
    binary=True,
    timeout_ms=TIMEOUT_MS,
)
# The columns of both, in their order.
_CALLER, _VALID, _HAS_SCOPE, _IS_CELL, _REPEATABLE, _BUNDLE, _CANDIDATE, _SHARE, _ROLLOUT = range(9)
_REVISION, _REGION, _AGE_BAND, _RESTRICTED, _HELD, _CONSENTS, _GPC, _LIMITS, _ERASED, _REF = range(9, 19)
WIDTH = _REF  # of the statement about one person
_TRUE = b"\x01"
NO_SUBJECT = UUID(int=0)  # of a reading about no person
_NO_TOKEN = b""


_Limits = dict[str, tuple[str, ...]]
_decode: Callable[[bytes], dict[str, ConsentEntry]] = msgspec.json.Decoder(dict[str, ConsentEntry]).decode
_decode_limits: Callable[[bytes], _Limits] = msgspec.json.Decoder(_Limits).decode
_NO_LIMITS: _Limits = {}


class InformationUnavailable(Exception):
    """Failure of the database to answer in time: nothing is known and nothing is permitted."""


class Information(msgspec.Struct, frozen=True, kw_only=True):
    """Row of the one statement: caller, revision in force, subject. ``consents`` is the projection of the ledger.

    ``bundle_revision`` is what answers: the candidate's where these people are in its share. With ``is_shadow`` the
    ``candidate`` is evaluated as well.
    """

    caller: str | None = None
    credential_valid: bool = False
    has_scope: bool = False
    repeatable_answers: bool = False
    is_cell: bool = False  # another cell's credential: for what it forwards only
    bundle_revision: str | None = None
    subject_revision: int | None = None
    region: str = ""
    age_band: str = "unknown"
    restricted: bool = False
    held: bool = False
    limits: _Limits = {}  # the same two words for single purposes
    consents: dict[str, ConsentEntry] = {}
    gpc: bool = False  # an opt-out signal is remembered
    erased: bool = False  # and has not come back since: counts as unknown
    candidate: str | None = None
    is_shadow: bool = False


NOTHING = Information()


class Wanted(msgspec.Struct, frozen=True):
    """Parameters of one execution of STATEMENT, and the reading of its row; the execution is the caller's."""

    subject_ref: UUID
    token_hash: bytes = _NO_TOKEN
    scope: bytes = b""
    statement: ClassVar[PreparedStatement] = STATEMENT

    def parameters(self) -> tuple[bytes, ...]:
        return self.token_hash, self.subject_ref.bytes, self.scope

    def known(self, result: PGresult) -> Information:
        """Read the row. Raises msgspec.MsgspecError for one that makes no sense."""
        return _information(result, () if self.subject_ref == NO_SUBJECT else (self.subject_ref,))


def read(subject_ref: UUID, token_hash: bytes = _NO_TOKEN, scope: bytes = b"") -> Information:
    """Read the current information, within TIMEOUT_MS. Raises InformationUnavailable.

    A connection that has died is replaced and asked once more; a slow one is given up and closed. A row that makes no
    sense is no information either.
    """
    wanted = Wanted(subject_ref, token_hash, scope)
    return asked(STATEMENT, wanted.parameters(), wanted.known)


def read_many(refs: Collection[UUID], token_hash: bytes, scope: bytes) -> tuple[Information, dict[UUID, Information]]:
    """Read the same about several people at one moment; a person missing in the answer is not known.

    One revision answers for all of them. The first value says what does not depend on a person. One statement. Raises
    InformationUnavailable.
    """
    parameters = token_hash, arrays.uuids(refs), scope
    return asked(STATEMENT_FOR_MANY, parameters, lambda result: _information_about_many(result, refs))


_Read = TypeVar("_Read")


def asked(statement: PreparedStatement, parameters: Sequence[bytes], read_result: Callable[[PGresult], _Read]) -> _Read:
    """Return what is read of a statement's result, as ``read`` does. Raises InformationUnavailable."""
    try:
        return read_result(statement.execute(parameters))
    except (StatementTimeout, msgspec.MsgspecError) as exc:
        raise InformationUnavailable from exc
    except (psycopg.Error, DatabaseError):
        if connections["default"].in_atomic_block:
            raise InformationUnavailable from None
        connections["default"].close()
    try:
        return read_result(statement.execute(parameters))
    except (psycopg.Error, DatabaseError, msgspec.MsgspecError) as exc:
        connections["default"].close()
        raise InformationUnavailable from exc


def _information(result: PGresult, people: Collection[UUID]) -> Information:
    return _about(result, 0, _shared(result, people))


def _information_about_many(result: PGresult, refs: Collection[UUID]) -> tuple[Information, dict[UUID, Information]]:
    shared = _shared(result, refs)
    people = {}
    for row in range(result.ntuples):
        ref = result.get_value(row, _REF)
        if ref is not None:
            people[UUID(bytes=ref)] = _about(result, row, shared)
    return shared, people


def _shared(result: PGresult, people: Collection[UUID]) -> Information:
    """Return what is the same in every row."""
    value: Callable[[int, int], Any] = result.get_value  # bytes, or None for NULL
    name, bundle, candidate = value(0, _CALLER), value(0, _BUNDLE), value(0, _CANDIDATE)
    answering = None if bundle is None else bundle.decode()
    is_shadow = False
    if candidate is not None:
        candidate, share = candidate.decode(), int.from_bytes(value(0, _SHARE), "big")
        is_shadow = share == 0
        if are_in_share(people, share=share, salt=value(0, _ROLLOUT)):
            answering = candidate
    return Information(
        caller=None if name is None else name.decode(),
        credential_valid=value(0, _VALID) == _TRUE,
        has_scope=value(0, _HAS_SCOPE) == _TRUE,
        is_cell=value(0, _IS_CELL) == _TRUE,
        repeatable_answers=value(0, _REPEATABLE) == _TRUE,
        bundle_revision=answering,
        candidate=candidate,
        is_shadow=is_shadow,
    )


def _about(result: PGresult, row: int, shared: Information) -> Information:
    """Return the information about the person of a row; ``shared`` itself where the row has none."""
    value: Callable[[int, int], Any] = result.get_value
    revision = value(row, _REVISION)
    if revision is None:
        return shared
    return Information(
        caller=shared.caller,
        credential_valid=shared.credential_valid,
        has_scope=shared.has_scope,
        is_cell=shared.is_cell,
        repeatable_answers=shared.repeatable_answers,
        bundle_revision=shared.bundle_revision,
        candidate=shared.candidate,
        is_shadow=shared.is_shadow,
        subject_revision=int.from_bytes(revision, "big"),
        region=value(row, _REGION).decode(),
        age_band=value(row, _AGE_BAND).decode(),
        restricted=value(row, _RESTRICTED) == _TRUE,
        held=value(row, _HELD) == _TRUE,
        limits=_NO_LIMITS if (limits := value(row, _LIMITS)) is None else _decode_limits(limits),
        consents=_decode(value(row, _CONSENTS)),
        gpc=value(row, _GPC) == _TRUE,
        erased=value(row, _ERASED) == _TRUE,
    )
