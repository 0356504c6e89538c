"""Save choices: one read, one write, one transaction.

``save_choices`` reads the subject's row, decides in Python, and writes everything (projection, records, audit events,
idempotency key) in ONE data-modifying statement that takes effect only if the subject's revision is still the one that
was read. A lost race is read and decided again; a caller who names the record it supersedes gets 409 instead.

A stored "no" can only be changed by a later, explicit choice: there is no default, merge or repair that writes "given".
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from audit import trail
from common.canonical import digest_of, sha256
from common.identifiers import uuid7
from common.problems import Unavailable
from consent import effects
from consent.models import ConsentRecord, LegalBasis
from consent.problems import (
    CannotObject,
    ConsentNotAsked,
    IdempotencyKeyReused,
    NothingToWithdraw,
    NoticeUnknown,
    PurposeUnknown,
    Superseded,
)

State = ConsentRecord.State
_STATE_OF_CHOICE = {
    "give": State.GIVEN,
    "refuse": State.REFUSED,
    "withdraw": State.WITHDRAWN,
    "object": State.OBJECTED,
}
CHOICES = tuple(_STATE_OF_CHOICE)
_ATTEMPTS = 8
_NOT_GIVEN = object()


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a person chose for one purpose. ``supersedes`` names the record the person saw, None for none yet."""

    purpose: str
    choice: str
    explicit: bool = False
    notice_version: int | None = None
    supersedes: object = _NOT_GIVEN


@dataclass(frozen=True, kw_only=True)
class Request:
    """One save: who, what, how it came in."""

    subject_ref: UUID
    choices: Sequence[Choice]
    source: str
    actor: str
    region: str | None = None
    age_band: str | None = None
    idempotency_key: str | None = None

    def digest(self) -> bytes:
        return digest_of(
            {
                "subject": str(self.subject_ref),
                "region": self.region,
                "age_band": self.age_band,
                "choices": [
                    [c.purpose, c.choice, c.explicit, c.notice_version, _text(c.supersedes)] for c in self.choices
                ],
            }
        )

    def stored_key(self) -> bytes | None:
        if self.idempotency_key is None:
            return None
        return sha256(f"{self.actor}\x00{self.idempotency_key}".encode())


@dataclass(frozen=True)
class Saved:
    """The answer of a save: the subject's new revision and the records written; ``replayed`` for a repeated key."""

    subject_revision: int
    records: list[dict[str, Any]]
    replayed: bool = False


@dataclass
class _Subject:
    revision: int = 0
    consents: dict[str, dict[str, Any]] = field(default_factory=dict)
    last_digest: bytes | None = None
    region: str = ""
    age_band: str = "unknown"


@dataclass(frozen=True)
class _Purpose:
    slug: str
    legal_basis: str
    valid_for_seconds: int
    notice_version: int


_READ = """
SELECT s.revision, s.consents::text, s.last_digest, s.region, s.age_band, r.request_digest, r.response::text,
  (SELECT jsonb_agg(jsonb_build_array(
      p.slug, p.legal_basis, extract(epoch FROM p.consent_valid_for)::bigint,
      coalesce((SELECT max(n.version) FROM consent_notice n WHERE n.purpose_id = p.id), 0)))::text
   FROM consent_purpose p WHERE p.slug = ANY(%(slugs)s) AND p.is_active)
FROM (VALUES (1)) AS one(row)
LEFT JOIN consent_datasubject s ON s.ref = %(ref)s
LEFT JOIN consent_savedrequest r ON r.key = %(key)s
"""

_WRITE = f"""
WITH moved AS (
  INSERT INTO consent_datasubject AS s
    (ref, region, age_band, revision, consents, restricted, held, last_digest, created_at, updated_at)
  VALUES (%(ref)s, %(region)s, %(age_band)s, %(revision)s, %(consents)s::jsonb, false, false,
          %(last_digest)s, %(now)s, %(now)s)
  ON CONFLICT (ref) DO UPDATE SET region = excluded.region, age_band = excluded.age_band,
    revision = excluded.revision, consents = excluded.consents, last_digest = excluded.last_digest,
    updated_at = excluded.updated_at
  WHERE s.revision = %(expected)s
  RETURNING ref
), records AS (
  INSERT INTO consent_consentrecord
    (id, subject_id, subject_revision, purpose, state, explicit, notice_version, source, actor, recorded_at,
     expires_at, supersedes_id, previous_digest, digest)
  SELECT r.id, moved.ref, %(revision)s, r.purpose, r.state, r.explicit, r.notice_version, %(source)s, %(actor)s,
     %(now)s, r.expires_at, r.supersedes, decode(r.previous_digest, 'hex'), decode(r.digest, 'hex')
  FROM moved, jsonb_to_recordset(%(records)s::jsonb)
    AS r(id uuid, purpose text, state text, explicit boolean, notice_version int, expires_at timestamptz,
         supersedes uuid, previous_digest text, digest text)
), kept AS (
  INSERT INTO consent_savedrequest (key, request_digest, response, created_at)
  SELECT %(key)s, %(request_digest)s, %(response)s::jsonb, %(now)s FROM moved WHERE %(key)s::bytea IS NOT NULL
), told AS (
  {trail.INSERT_EVENTS} , moved
)
SELECT count(*) FROM moved
"""  # noqa: S608 (constants of ours; values are parameters)


def save_choices(request: Request) -> Saved:
    """Append the choices of one person and move the projection with them.

    Two SQL statements without a race. Raises the problems of ``consent.problems``; nothing is written then.
    """
    for _ in range(_ATTEMPTS):
        subject, purposes, replay = _read(request)
        if replay is not None:
            return replay
        now = timezone.now()
        records = _new_records(request, subject, purposes, now)
        if _written(request, subject, records, now):
            saved = Saved(subject.revision + 1, [_public(record) for record in records])
            _announce(request, records)
            return saved
    raise Unavailable("This person's choices are being changed by many callers at once. Send the request again.")


def _read(request: Request) -> tuple[_Subject, dict[str, _Purpose], Saved | None]:
    parameters = {
        "ref": request.subject_ref,
        "key": request.stored_key(),
        "slugs": [choice.purpose for choice in request.choices],
    }
    with connection.cursor() as cursor:
        cursor.execute(_READ, parameters)
        revision, consents, last_digest, region, age_band, used_digest, response, purposes = cursor.fetchone()
    replay = _replayed(request, used_digest, response) if used_digest is not None else None
    known = {row[0]: _Purpose(*row) for row in json.loads(purposes or "[]")}
    if revision is None:
        return _Subject(), known, replay
    subject = _Subject(revision, json.loads(consents), last_digest and bytes(last_digest), region, age_band)
    return subject, known, replay


def _replayed(request: Request, used_digest: bytes, response: str) -> Saved:
    if bytes(used_digest) != request.digest():
        raise IdempotencyKeyReused("Use a new Idempotency-Key for a new request.")
    stored = json.loads(response)
    return Saved(stored["subject_revision"], stored["records"], replayed=True)


def _new_records(
    request: Request, subject: _Subject, purposes: Mapping[str, _Purpose], now: datetime
) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    previous = subject.last_digest
    for choice in request.choices:
        current = subject.consents.get(choice.purpose)
        purpose = _checked_purpose(choice, purposes)
        _check_allowed(choice, purpose, current)
        record = _record(request, choice, purpose, current, now)
        record["subject_revision"] = subject.revision + 1
        record["previous_digest"] = previous.hex() if previous else None
        previous = record_digest(record)
        records.append({**record, "digest": previous.hex()})
    return records


def _checked_purpose(choice: Choice, purposes: Mapping[str, _Purpose]) -> _Purpose:
    purpose = purposes.get(choice.purpose)
    if purpose is None:
        raise PurposeUnknown("One of the purposes is not in the register, or is no longer in use.")
    if choice.notice_version is not None and not 1 <= choice.notice_version <= purpose.notice_version:
        raise NoticeUnknown(f"The newest notice of '{purpose.slug}' is version {purpose.notice_version}.")
    return purpose


def _check_allowed(choice: Choice, purpose: _Purpose, current: Mapping[str, Any] | None) -> None:
    seen = current["r"] if current else None
    if choice.supersedes is not _NOT_GIVEN and _text(choice.supersedes) != seen:
        raise Superseded(
            f"The choice for '{purpose.slug}' is no longer the one you saw. Read the state and ask again.",
            current=seen,
        )
    if choice.choice == "withdraw" and (current is None or current["s"] != State.GIVEN):
        raise NothingToWithdraw(f"There is no consent in force for '{purpose.slug}'.")
    objectable = purpose.legal_basis in (LegalBasis.LEGITIMATE_INTERESTS, LegalBasis.PUBLIC_TASK)
    if choice.choice == "object" and not objectable:
        raise CannotObject(f"'{purpose.slug}' rests on {purpose.legal_basis}; use refuse or withdraw for consent.")
    if (
        choice.choice != "object"
        and purpose.legal_basis != LegalBasis.CONSENT
        and not _lifts_objection(choice, current)
    ):
        raise ConsentNotAsked(f"'{purpose.slug}' rests on {purpose.legal_basis}, so there is nothing to agree to.")


def _lifts_objection(choice: Choice, current: Mapping[str, Any] | None) -> bool:
    return choice.choice == "give" and current is not None and current["s"] == State.OBJECTED


def _record(
    request: Request, choice: Choice, purpose: _Purpose, current: Mapping[str, Any] | None, now: datetime
) -> dict[str, Any]:
    expires = None
    if choice.choice == "give" and purpose.legal_basis == LegalBasis.CONSENT:
        expires = datetime.fromtimestamp(int(now.timestamp()) + purpose.valid_for_seconds, tz=now.tzinfo).isoformat()
    return {
        "id": str(uuid7()),
        "subject": str(request.subject_ref),
        "purpose": purpose.slug,
        "state": _new_state(choice, current),
        "explicit": choice.explicit,
        "notice_version": choice.notice_version or purpose.notice_version,
        "source": request.source,
        "actor": request.actor,
        "recorded_at": now.isoformat(timespec="microseconds"),
        "expires_at": expires,
        "supersedes": current["r"] if current else None,
    }


def _new_state(choice: Choice, current: Mapping[str, Any] | None) -> str:
    # Saying no to what was allowed before is a withdrawal, whatever the button was called: data must go.
    if choice.choice == "refuse" and current is not None and current["s"] == State.GIVEN:
        return str(State.WITHDRAWN)
    return str(_STATE_OF_CHOICE[choice.choice])


def record_digest(record: Mapping[str, Any]) -> bytes:
    """The digest of a record's fields (``previous_digest`` included): the link of the subject's own chain."""
    return digest_of({key: value for key, value in record.items() if key != "digest"})


def _written(request: Request, subject: _Subject, records: list[dict[str, Any]], now: datetime) -> bool:
    response = {"subject_revision": subject.revision + 1, "records": [_public(record) for record in records]}
    parameters: dict[str, Any] = {
        "ref": request.subject_ref,
        "region": request.region if request.region is not None else subject.region,
        "age_band": request.age_band or subject.age_band,
        "revision": subject.revision + 1,
        "expected": subject.revision,
        "consents": json.dumps({**subject.consents, **{r["purpose"]: _projected(r, now) for r in records}}),
        "last_digest": bytes.fromhex(records[-1]["digest"]),
        "now": now,
        "source": request.source,
        "actor": request.actor,
        "records": json.dumps(records),
        "events": json.dumps([_event(record, request.actor, now) for record in records]),
        "key": request.stored_key(),
        "request_digest": request.digest(),
        "response": json.dumps(response),
    }
    try:
        with connection.cursor() as cursor:
            if not connection.in_atomic_block:
                cursor.execute(_WRITE, parameters)
                return bool(cursor.fetchone()[0])
            with transaction.atomic():
                cursor.execute(_WRITE, parameters)
                return bool(cursor.fetchone()[0])
    except IntegrityError:
        return False  # the same key or the same superseded record won elsewhere: read again and see


def _projected(record: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    expires = record["expires_at"]
    return {
        "s": record["state"],
        "n": record["notice_version"],
        "x": int(datetime.fromisoformat(expires).timestamp()) if expires else None,
        "e": record["explicit"],
        "r": record["id"],
        "t": int(now.timestamp()),
        "src": record["source"],
    }


def _event(record: Mapping[str, Any], actor: str, now: datetime) -> dict[str, Any]:
    return trail.prepare(
        f"consent.{record['state']}",
        record["subject"],
        actor=actor,
        at=now,
        details={"record": record["id"], "purpose": record["purpose"], "digest": record["digest"]},
    )


def _public(record: Mapping[str, Any]) -> dict[str, Any]:
    shown = ("id", "purpose", "state", "notice_version", "recorded_at", "expires_at", "supersedes", "digest")
    return {key: record[key] for key in shown}


def _announce(request: Request, records: list[dict[str, Any]]) -> None:
    withdrawn = [record["id"] for record in records if record["state"] in (State.WITHDRAWN, State.OBJECTED)]
    if withdrawn:
        effects.announce_withdrawal([UUID(record) for record in withdrawn])


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, UUID) else None
