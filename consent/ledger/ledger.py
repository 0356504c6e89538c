"""Save choices: one read, one write, one transaction.

``save_choices`` reads the subject's row, decides in Python, and writes everything (projection, records, audit events,
idempotency key) in ONE data-modifying statement that takes effect only if the subject's revision is still the one that
was read. A lost race is read and decided again; a caller who names the record it supersedes gets 409 instead.

A stored "no" can only be changed by a later, explicit choice: there is no default, merge or repair that writes "given".
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from django.db import connection, transaction
from django.utils import timezone

from audit import trail
from common import languages
from common.http.problems import Unavailable
from common.identifiers import uuid7_text
from common.postgres.prepared import PreparedStatement
from consent import residence
from consent.ledger import effects, opt_outs, person_facts, sealed_people
from consent.ledger.choices import CHOICES, AskedPurpose, Choice, Request, Saved, State, Subject
from consent.ledger.persons import erasing
from consent.ledger.proof import NO_NOTICE, Asked, ServedNotice
from consent.ledger.records import checked_purpose, event_of, next_record, place_of, projected
from consent.problems import (
    IdempotencyKeyReused,
)

__all__ = ["CHOICES", "Choice", "Request", "Saved", "announce", "save_choices"]
_ATTEMPTS = 8
# Type identifiers of PostgreSQL.
_BYTEA, _BIGINT, _TEXT, _TIMESTAMP, _UUID, _JSONB, _BOOLEAN = 17, 20, 25, 1184, 2950, 3802, 16
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


# jsonb crosses as text; identifiers, digests and times are PostgreSQL's text formats.
_READ = PreparedStatement(
    "assent_ledger_read",
    """
SELECT s.revision, s.consents::text, encode(s.last_digest, 'hex'), s.region, s.age_band,
  encode(r.request_digest, 'hex'), r.response::text, s.erased_revision,
  (SELECT jsonb_agg(jsonb_build_array(c.place,
      p.slug, p.legal_basis, extract(epoch FROM p.consent_valid_for)::bigint, coalesce(newest.version, 0),
      p.channels, p.recipients, p.data_categories, p.explicit_consent, coalesce(c.version, newest.version),
      n.locale, n.text_sha256, said.digest, terms.sha256))::text
   FROM jsonb_to_recordset($3) AS c(place text, slug text, version int, locales text[], falls_back boolean)
   JOIN consent_purpose p ON p.slug = c.slug AND p.is_active
   CROSS JOIN LATERAL (SELECT max(version) AS version FROM consent_notice WHERE purpose_id = p.id) newest
   LEFT JOIN LATERAL (
     SELECT digest FROM consent_registersnapshot WHERE purpose = p.slug ORDER BY id DESC LIMIT 1) said ON true
   LEFT JOIN consent_noticeterms terms
     ON terms.purpose = p.slug AND terms.version = coalesce(c.version, newest.version, 0)
   LEFT JOIN LATERAL (
     SELECT locale, text_sha256 FROM (
       SELECT locale, text_sha256, count(*) OVER () AS texts FROM consent_notice
       WHERE purpose_id = p.id AND version = coalesce(c.version, newest.version)) t
     WHERE lower(locale) = ANY(c.locales) OR c.falls_back OR (c.version IS NOT NULL AND c.locales = '{}' AND texts = 1)
     ORDER BY array_position(c.locales, lower(locale)), locale <> 'en', locale LIMIT 1) n ON true)
FROM (VALUES (1)) AS one(row)
LEFT JOIN consent_datasubject s ON s.ref = $1
LEFT JOIN consent_savedrequest r ON r.key = $2
""",
    [_UUID, _BYTEA, _JSONB],
    binary=False,
    timeout_ms=5_000,
)

_WRITE = PreparedStatement(
    "assent_ledger_write",
    f"""
WITH moved AS (
  INSERT INTO consent_datasubject AS s
    (ref, region, age_band, revision, consents, restricted, held, last_digest, created_at, updated_at, gpc_since)
  VALUES ($1, $2, $3, $4 + 1, $5, false, false, decode($6, 'hex'), $7, $7, CASE WHEN $13 THEN $7 END)
  ON CONFLICT (ref) DO UPDATE SET region = excluded.region, age_band = excluded.age_band,
    revision = excluded.revision, consents = excluded.consents, last_digest = excluded.last_digest,
    updated_at = excluded.updated_at, gpc_since = coalesce(s.gpc_since, excluded.gpc_since)
  WHERE s.revision = $4
  RETURNING ref
), records AS (
  INSERT INTO consent_consentrecord
    (id, subject_id, subject_revision, purpose, scope, state, explicit, notice_version, source, actor, recorded_at,
     expires_at, proof, supersedes_id, previous_digest, digest, salt)
  SELECT r.id, moved.ref, $4 + 1, r.purpose, coalesce(r.scope, ''), r.state, r.explicit, r.notice_version, r.source,
     r.actor, r.recorded_at, r.expires_at, coalesce(r.proof, '{{}}'::jsonb), r.supersedes,
     decode(r.previous_digest, 'hex'), decode(r.digest, 'hex'), decode(r.salt, 'hex')
  FROM moved, jsonb_to_recordset($8)
    AS r(id uuid, purpose text, scope text, state text, explicit boolean, notice_version int, source text, actor text,
         recorded_at timestamptz, expires_at timestamptz, proof jsonb, supersedes uuid, previous_digest text,
         digest text, salt text)
), kept AS (
  INSERT INTO consent_savedrequest (key, request_digest, response, created_at)
  SELECT $9, $10, $11, $7 FROM moved WHERE $9 IS NOT NULL
), told AS (
  {trail.insert_events("$12")}, moved
)
SELECT count(*) FROM moved
""",  # noqa: S608 (constants of ours; values are parameters)
    [_UUID, _TEXT, _TEXT, _BIGINT, _JSONB, _TEXT, _TIMESTAMP, _JSONB, _BYTEA, _BYTEA, _JSONB, _JSONB, _BOOLEAN],
    binary=False,
    timeout_ms=10_000,
)


def save_choices(request: Request) -> Saved:
    """Append the choices of one person and move the projection with them.

    Two SQL statements without a race. Raises the problems of ``consent.problems``; nothing is written then.
    """
    try:
        return _save(request)
    except psycopg.OperationalError as exc:
        if not connection.in_atomic_block:
            connection.close()
        # The connection may have been lost after the commit; only the same key proves a repeat and no second choice.
        raise Unavailable(
            "The database does not answer. Send the request again with the same Idempotency-Key."
        ) from exc


def _save(request: Request) -> Saved:
    for _ in range(_ATTEMPTS):
        subject, purposes, replay = _read(request)
        if replay is not None:
            return replay
        settled, warnings = person_facts.settle(request, subject)
        erasing.require_proven(settled, subject, purposes)
        is_known = subject.revision > 0 and not subject.is_erased
        if settled.region or not is_known:
            residence.check(settled.region, known=is_known)
        now = timezone.now()
        records = _new_records(settled, subject, purposes, now)
        saved = Saved(subject.revision + 1, [_public(record) for record in records], warnings=warnings)
        if _written(settled, subject, records, now, saved=saved, digest=request.digest()):
            announce(records)
            return saved
    raise Unavailable("This person's choices are being changed by many callers at once. Send the request again.")


def _read(request: Request) -> tuple[Subject, dict[str, AskedPurpose], Saved | None]:
    wanted = _encode([_wanted(choice, request.asked or Asked()) for choice in request.choices])
    result = _READ.execute([str(request.subject_ref).encode(), _bytea(request.stored_key()), wanted])
    value: Callable[[int, int], Any] = result.get_value  # bytes, or None for NULL
    used_digest = value(0, 5)
    replay = _replayed(request, bytes.fromhex(used_digest.decode()), value(0, 6)) if used_digest else None
    known = {place: _purpose(row) for place, *row in _decode(value(0, 8) or b"[]")}
    if value(0, 0) is None:
        return Subject(), known, replay
    last = value(0, 2)
    subject = Subject(
        revision=int(value(0, 0)),
        consents=_decode(value(0, 1)),
        last_digest=bytes.fromhex(last.decode()) if last else None,
        region=value(0, 3).decode(),
        age_band=value(0, 4).decode(),
    )
    erased = value(0, 7)
    if erased is not None:
        subject.erased_revision = int(erased)
        subject.ended = erasing.last_records([request.subject_ref]).get(str(request.subject_ref), {})
    return subject, known, replay


def _wanted(choice: Choice, asked: Asked) -> dict[str, Any]:
    """Return what to read for a choice: the text that is proven is the one in the language stated, or the only one."""
    return {
        "place": choice.place,
        "slug": choice.purpose,
        "version": choice.notice_version,
        "locales": languages.lookup(asked.locale) if asked.locale else [],
        "falls_back": asked.falls_back,
    }


def _purpose(row: list[Any]) -> AskedPurpose:
    slug, basis, seconds, newest, channels, recipients, categories, explicit, *shown, register, terms = row
    version, locale, sha256_hex = shown
    notice = ServedNotice(version, locale or "", sha256_hex or "") if version else NO_NOTICE
    asked = (slug, basis, seconds, newest, channels, recipients, categories, explicit, notice)
    return AskedPurpose(*asked, register or "", terms or "")


def _bytea(value: bytes | None) -> bytes | None:
    return None if value is None else b"\\x" + value.hex().encode()


def _replayed(request: Request, used_digest: bytes, response: bytes) -> Saved:
    if used_digest != request.digest():
        raise IdempotencyKeyReused("Use a new Idempotency-Key for a new request.")
    stored = _decode(response)
    return Saved(stored["subject_revision"], stored["records"], replayed=True, warnings=stored.get("warnings", []))


def _new_records(
    request: Request, subject: Subject, purposes: Mapping[str, AskedPurpose], now: datetime
) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    previous = subject.last_digest
    # Within a millisecond identifiers are random; sorted, they give the records of one save the order of their chain.
    identifiers = sorted(uuid7_text() for _ in request.choices)
    for identifier, choice in zip(identifiers, request.choices, strict=True):
        purpose = checked_purpose(choice, purposes.get(choice.place))
        record = next_record(request, choice, purpose, subject, identifier=identifier, previous=previous, now=now)
        previous = bytes.fromhex(record["digest"])
        records.append(record)
    return records


def _written(
    request: Request, subject: Subject, records: list[dict[str, Any]], now: datetime, *, saved: Saved, digest: bytes
) -> bool:
    consents = {**subject.consents, **{place_of(record): projected(record) for record in records}}
    key = request.stored_key()
    region = request.region if request.region is not None else subject.region
    age_band = request.age_band or subject.age_band
    opts_out = _opts_out(request, subject)
    is_moved = opts_out or (region, age_band) != (subject.region, subject.age_band)
    person = (
        {
            **sealed_people.member(region, age_band, gpc=opts_out),
            "before": {"region": subject.region, "age_band": subject.age_band},
            "source": request.source,
        }
        if is_moved
        else None
    )
    parameters = [
        str(request.subject_ref).encode(),
        region.encode(),
        age_band.encode(),
        str(subject.revision).encode(),
        _encode(consents),
        records[-1]["digest"].encode(),
        now.isoformat().encode(),
        _encode(records),
        _bytea(key),
        None if key is None else _bytea(digest),
        None if key is None else _encode(saved.document()),
        _encode([event_of(record, request.actor, now, person) for record in records]),
        b"true" if opts_out else b"false",
    ]
    try:
        # In a caller's transaction a lost race must not take the caller's work with it.
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            return _WRITE.execute(parameters).get_value(0, 0) == b"1"
    except psycopg.IntegrityError:
        return False  # the same key or the same superseded record won elsewhere: read again and see


def _opts_out(request: Request, subject: Subject) -> bool:
    """Return whether an opt-out signal came with the choices that the person's law binds us to remember."""
    if request.asked is None or not (request.asked.signals or {}).get("gpc"):
        return False
    region = request.region if request.region is not None else subject.region
    return opt_outs.binds(region)


def _public(record: Mapping[str, Any]) -> dict[str, Any]:
    shown = ("id", "purpose", "scope", "state", "notice_version", "recorded_at", "expires_at", "supersedes", "digest")
    return {key: record.get(key, "") for key in shown}


def announce(records: Iterable[Mapping[str, Any]]) -> None:
    """Report the withdrawals among ``records`` to the packages above, once they are committed."""
    ended = (State.WITHDRAWN, State.OBJECTED)
    # What is stored is stored for a purpose, not for a part of it: only the end of the whole deletes.
    withdrawn = [record["id"] for record in records if record["state"] in ended and not record.get("scope")]
    if withdrawn:
        effects.announce_withdrawal([UUID(record) for record in withdrawn])
