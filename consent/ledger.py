"""Save choices: one read, one write, one transaction.

``save_choices`` reads the subject's row, decides in Python, and writes everything (projection, records, audit events,
idempotency key) in ONE data-modifying statement that takes effect only if the subject's revision is still the one that
was read. A lost race is read and decided again; a caller who names the record it supersedes gets 409 instead.

A stored "no" can only be changed by a later, explicit choice: there is no default, merge or repair that writes "given".
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from django.db import connection, transaction
from django.utils import timezone

from audit import trail
from common.canonical import digest_of, sha256
from common.identifiers import uuid7_text
from common.prepared import Prepared
from common.problems import Unavailable
from consent import effects, jurisdictions, opt_outs, residence, scopes
from consent.models import ConsentRecord, LegalBasis
from consent.problems import (
    CannotObject,
    ConsentNotAsked,
    ExplicitConsentNeeded,
    GuardianNeeded,
    IdempotencyKeyReused,
    NothingToAdjust,
    NothingToWithdraw,
    NoticeUnknown,
    PartUnknown,
    PurposeUnknown,
    Superseded,
)
from consent.proof import NO_NOTICE, Asked, Guardian, ServedNotice, proof_of

State = ConsentRecord.State
_STATE_OF_CHOICE = {
    "give": State.GIVEN,
    "refuse": State.REFUSED,
    "withdraw": State.WITHDRAWN,
    "object": State.OBJECTED,
    # A consent that stays as it was given, with another limit on how personal its use may be.
    "adjust": State.GIVEN,
}
CHOICES = tuple(_STATE_OF_CHOICE)
_ATTEMPTS = 8
_DAY_S = 86_400
_NOT_GIVEN = object()
# Type identifiers of PostgreSQL.
_BYTEA, _BIGINT, _TEXT, _TIMESTAMP, _UUID, _JSONB, _BOOLEAN = 17, 20, 25, 1184, 2950, 3802, 16
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a person chose for one purpose. ``supersedes`` names the record the person saw, None for none yet."""

    purpose: str
    choice: str
    explicit: bool = False
    notice_version: int | None = None
    supersedes: object = _NOT_GIVEN
    channel: str | None = None
    recipient: str | None = None
    data_category: str | None = None
    told_of_conflict: bool = False  # the person was told that a signal of the browser says otherwise
    max_level: str | None = None  # how personal the use may be, at most; None keeps a limit, and ``adjust`` lifts it

    @property
    def scope(self) -> str:
        return scopes.scope_of(channel=self.channel, data_category=self.data_category, recipient=self.recipient)

    @property
    def place(self) -> str:
        return scopes.key(self.purpose, self.scope)

    def described(self) -> list[Any]:
        found = [self.purpose, self.choice, self.explicit, self.notice_version, _text(self.supersedes)]
        more = [self.scope, self.told_of_conflict, self.max_level]
        return [*found, *more] if any(more) else found


@dataclass(frozen=True, kw_only=True)
class Request:
    """One save: who, what, how it came in."""

    subject_ref: UUID | str
    choices: Sequence[Choice]
    source: str
    actor: str
    region: str | None = None
    age_band: str | None = None
    idempotency_key: str | None = None
    asked: Asked | None = None
    guardian: Guardian | None = None
    imported: Mapping[str, Any] | None = None
    ends_at: datetime | None = None  # where the choice was made with an end of its own: never later than ours

    def digest(self) -> bytes:
        return digest_of(
            {
                "subject": str(self.subject_ref),
                "region": self.region,
                "age_band": self.age_band,
                "choices": [choice.described() for choice in self.choices],
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
class Subject:
    """What stands in a person's row of the projection."""

    revision: int = 0
    consents: dict[str, dict[str, Any]] = field(default_factory=dict)
    last_digest: bytes | None = None
    region: str = ""
    age_band: str = "unknown"


@dataclass(frozen=True)
class AskedPurpose:
    """A purpose in use as one question about it needs it."""

    slug: str
    legal_basis: str
    valid_for_seconds: int
    newest_notice: int
    channels: list[str]
    recipients: list[str]
    data_categories: list[str]
    explicit_consent: bool
    notice: ServedNotice  # the one the choice names, or the newest, in the language asked for where there is one


# jsonb crosses as text; identifiers, digests and times are PostgreSQL's text formats.
_READ = Prepared(
    "assent_ledger_read",
    """
SELECT s.revision, s.consents::text, encode(s.last_digest, 'hex'), s.region, s.age_band,
  encode(r.request_digest, 'hex'), r.response::text,
  (SELECT jsonb_agg(jsonb_build_array(c.place,
      p.slug, p.legal_basis, extract(epoch FROM p.consent_valid_for)::bigint, coalesce(newest.version, 0),
      p.channels, p.recipients, p.data_categories, p.explicit_consent, n.version, n.locale, n.text_sha256))::text
   FROM jsonb_to_recordset($3) AS c(place text, slug text, version int, locale text)
   JOIN consent_purpose p ON p.slug = c.slug AND p.is_active
   CROSS JOIN LATERAL (SELECT max(version) AS version FROM consent_notice WHERE purpose_id = p.id) newest
   LEFT JOIN LATERAL (
     SELECT version, locale, text_sha256 FROM consent_notice
     WHERE purpose_id = p.id AND version = coalesce(c.version, newest.version)
     ORDER BY locale <> c.locale, locale <> 'en', locale LIMIT 1) n ON true)
FROM (VALUES (1)) AS one(row)
LEFT JOIN consent_datasubject s ON s.ref = $1
LEFT JOIN consent_savedrequest r ON r.key = $2
""",
    [_UUID, _BYTEA, _JSONB],
    binary=False,
    timeout_ms=5_000,
)

_WRITE = Prepared(
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
     expires_at, proof, supersedes_id, previous_digest, digest)
  SELECT r.id, moved.ref, $4 + 1, r.purpose, coalesce(r.scope, ''), r.state, r.explicit, r.notice_version, r.source,
     r.actor, r.recorded_at, r.expires_at, coalesce(r.proof, '{{}}'::jsonb), r.supersedes,
     decode(r.previous_digest, 'hex'), decode(r.digest, 'hex')
  FROM moved, jsonb_to_recordset($8)
    AS r(id uuid, purpose text, scope text, state text, explicit boolean, notice_version int, source text, actor text,
         recorded_at timestamptz, expires_at timestamptz, proof jsonb, supersedes uuid, previous_digest text,
         digest text)
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
        # The connection may have been lost after the commit; only the same key tells a repeat from a second choice.
        raise Unavailable(
            "The database does not answer. Send the request again with the same Idempotency-Key."
        ) from exc


def _save(request: Request) -> Saved:
    for _ in range(_ATTEMPTS):
        subject, purposes, replay = _read(request)
        if replay is not None:
            return replay
        if request.region or not subject.revision:
            residence.check(request.region, known=subject.revision > 0)
        now = timezone.now()
        records = _new_records(request, subject, purposes, now)
        if _written(request, subject, records, now):
            saved = Saved(subject.revision + 1, [_public(record) for record in records])
            announce(records)
            return saved
    raise Unavailable("This person's choices are being changed by many callers at once. Send the request again.")


def _read(request: Request) -> tuple[Subject, dict[str, AskedPurpose], Saved | None]:
    locale = request.asked.locale if request.asked else "en"
    wanted = _encode(
        [{"place": c.place, "slug": c.purpose, "version": c.notice_version, "locale": locale} for c in request.choices]
    )
    result = _READ.execute([str(request.subject_ref).encode(), _bytea(request.stored_key()), wanted])
    value: Callable[[int, int], Any] = result.get_value  # bytes, or None for NULL
    used_digest = value(0, 5)
    replay = _replayed(request, bytes.fromhex(used_digest.decode()), value(0, 6)) if used_digest else None
    known = {place: _purpose(row) for place, *row in _decode(value(0, 7) or b"[]")}
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
    return subject, known, replay


def _purpose(row: list[Any]) -> AskedPurpose:
    slug, basis, seconds, newest, channels, recipients, categories, explicit, version, locale, sha256_hex = row
    notice = ServedNotice(version, locale, sha256_hex) if version else NO_NOTICE
    return AskedPurpose(slug, basis, seconds, newest, channels, recipients, categories, explicit, notice)


def _bytea(value: bytes | None) -> bytes | None:
    return None if value is None else b"\\x" + value.hex().encode()


def _replayed(request: Request, used_digest: bytes, response: bytes) -> Saved:
    if used_digest != request.digest():
        raise IdempotencyKeyReused("Use a new Idempotency-Key for a new request.")
    stored = _decode(response)
    return Saved(stored["subject_revision"], stored["records"], replayed=True)


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


def next_record(
    request: Request,
    choice: Choice,
    purpose: AskedPurpose,
    subject: Subject,
    *,
    identifier: str,
    previous: bytes | None,
    now: datetime,
) -> dict[str, Any]:
    """Return the record of one choice, chained to ``previous`` and with its digest; the rules of the ledger apply."""
    current = subject.consents.get(choice.place)
    _check_supersedes(choice, current)
    # What a withdrawal from another system ended may never have been here; the no counts all the same.
    nothing_in_force = current is None or current["s"] != State.GIVEN
    ended_elsewhere = choice.choice == "withdraw" and nothing_in_force and request.imported is not None
    if not ended_elsewhere:
        # A consent is adjusted where it stands; every other choice about a part may rest on the whole.
        inherited = None if choice.choice == "adjust" else subject.consents.get(choice.purpose)
        _check_allowed(choice, purpose, current or inherited)
    elif purpose.legal_basis != LegalBasis.CONSENT:
        raise ConsentNotAsked(f"'{purpose.slug}' rests on {purpose.legal_basis}, so there is nothing to withdraw.")
    _check_explicit(request, choice, purpose)
    law = _law(request, choice, subject)
    record = {"id": identifier, **_record(request, choice, purpose, current, law, now)}
    record["subject_revision"] = subject.revision + 1
    record["previous_digest"] = previous.hex() if previous else None
    return {**record, "digest": record_digest(record).hex()}


def checked_purpose(choice: Choice, purpose: AskedPurpose | None) -> AskedPurpose:
    """Return the purpose if the register knows it, the notice and the part that the choice names."""
    if purpose is None:
        raise PurposeUnknown("One of the purposes is not in the register, or is no longer in use.")
    if choice.notice_version is not None and not 1 <= choice.notice_version <= purpose.newest_notice:
        raise NoticeUnknown(f"The newest notice of '{purpose.slug}' is version {purpose.newest_notice}.")
    for named, known, what in (
        (choice.channel, purpose.channels, "channel"),
        (choice.recipient, purpose.recipients, "recipient"),
        (choice.data_category, purpose.data_categories, "kind of data"),
    ):
        if named is not None and named not in known:
            raise PartUnknown(f"The register names no such {what} for '{purpose.slug}'.")
    return purpose


def _check_supersedes(choice: Choice, current: Mapping[str, Any] | None) -> None:
    seen = current["r"] if current else None
    if choice.supersedes is not _NOT_GIVEN and _text(choice.supersedes) != seen:
        raise Superseded(
            f"The choice for '{choice.purpose}' is no longer the one you saw. Read the state and ask again.",
            current=seen,
        )


def _check_allowed(choice: Choice, purpose: AskedPurpose, current: Mapping[str, Any] | None) -> None:
    """``current`` is what stands for this part of the purpose, or for the whole where nothing does."""
    if choice.choice == "adjust" and (current is None or current["s"] != State.GIVEN):
        raise NothingToAdjust(f"There is no consent in force for '{purpose.slug}'.")
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


def _check_explicit(request: Request, choice: Choice, purpose: AskedPurpose) -> None:
    """What another system was told is taken over as it was told; policies leave sensitive data out then."""
    if choice.choice == "give" and purpose.explicit_consent and not choice.explicit and request.imported is None:
        raise ExplicitConsentNeeded(
            f"'{purpose.slug}' concerns sensitive data: ask about it on its own, and send explicit: true with the yes."
        )


def _lifts_objection(choice: Choice, current: Mapping[str, Any] | None) -> bool:
    return choice.choice == "give" and current is not None and current["s"] == State.OBJECTED


def _law(request: Request, choice: Choice, subject: Subject) -> jurisdictions.Matched:
    """The law that protects this person. Raises GuardianNeeded for a yes of a child that no guardian stands behind."""
    region = request.region if request.region is not None else subject.region
    age_band = request.age_band or subject.age_band
    law = jurisdictions.match(region, age_band)
    if choice.choice == "give" and law.needs_guardian and request.guardian is None and age_band in ("minor", "child"):
        raise GuardianNeeded(f"Below the age of {law.age_of_consent} a guardian has to agree; name who did and how.")
    return law


def _record(
    request: Request,
    choice: Choice,
    purpose: AskedPurpose,
    current: Mapping[str, Any] | None,
    law: jurisdictions.Matched,
    now: datetime,
) -> dict[str, Any]:
    if choice.choice == "adjust":
        return _adjusted(request, choice, current or {}, now)
    proof = proof_of(
        notice=purpose.notice,
        asked=request.asked,
        rule=law.proof(),
        guardian=request.guardian,
        told_of_conflict=choice.told_of_conflict,
        imported=request.imported,
        max_level=_limit(choice, current),
    )
    return {
        "subject": str(request.subject_ref),
        "purpose": purpose.slug,
        "state": _new_state(choice, current),
        "explicit": choice.explicit,
        "notice_version": purpose.notice.version,
        "source": request.source,
        "actor": request.actor,
        "recorded_at": now.isoformat(timespec="microseconds"),
        "expires_at": _expiry(request, choice, purpose, law, now),
        "supersedes": current["r"] if current else None,
        **({"scope": choice.scope} if choice.scope else {}),
        **({"proof": proof} if proof else {}),
    }


def _limit(choice: Choice, current: Mapping[str, Any] | None) -> str | None:
    """How personal the use may be: a yes said again, for whatever reason, does not lift the limit a person has set."""
    if choice.choice != "give":
        return None
    return choice.max_level or (current.get("lv") if current and current["s"] == State.GIVEN else None)


def _adjusted(request: Request, choice: Choice, current: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The consent in force with another limit: it was given when it was given, to the notice of that time."""
    proof = {
        **({"max_level": choice.max_level} if choice.max_level else {}),
        **({"told_of_signal_conflict": True} if current.get("told") else {}),
        "adjusts": current["r"],
    }
    return {
        "subject": str(request.subject_ref),
        "purpose": choice.purpose,
        "state": str(State.GIVEN),
        "explicit": current["e"],
        "notice_version": current["n"],
        "source": request.source,
        "actor": request.actor,
        "recorded_at": now.isoformat(timespec="microseconds"),
        "expires_at": datetime.fromtimestamp(current["x"], tz=now.tzinfo).isoformat() if current["x"] else None,
        "supersedes": current["r"],
        **({"scope": choice.scope} if choice.scope else {}),
        "proof": proof,
    }


def _expiry(
    request: Request, choice: Choice, purpose: AskedPurpose, law: jurisdictions.Matched, now: datetime
) -> str | None:
    """When a yes lapses: after the purpose's time or the law's, and what a guardian said, at majority."""
    if choice.choice != "give" or purpose.legal_basis != LegalBasis.CONSENT:
        return None
    ends = int(now.timestamp()) + min(purpose.valid_for_seconds, law.pack.consent_days * _DAY_S)
    if request.guardian:
        majority = datetime.combine(date.fromisoformat(request.guardian.adult_on), time(), tzinfo=UTC)
        ends = min(ends, int(majority.timestamp()))
    if request.ends_at:
        ends = min(ends, int(request.ends_at.timestamp()))
    return datetime.fromtimestamp(ends, tz=now.tzinfo).isoformat()


def _new_state(choice: Choice, current: Mapping[str, Any] | None) -> str:
    # Saying no to what was allowed before is a withdrawal, whatever the button was called: data must go.
    if choice.choice == "refuse" and current is not None and current["s"] == State.GIVEN:
        return str(State.WITHDRAWN)
    return str(_STATE_OF_CHOICE[choice.choice])


def record_digest(record: Mapping[str, Any]) -> bytes:
    """The digest of a record's fields (``previous_digest`` included): the link of the subject's own chain.

    ``scope`` and ``proof`` are among them only where they are not empty.
    """
    return digest_of({key: value for key, value in record.items() if key != "digest"})


def _written(request: Request, subject: Subject, records: list[dict[str, Any]], now: datetime) -> bool:
    consents = {**subject.consents, **{place_of(record): projected(record) for record in records}}
    response = {"subject_revision": subject.revision + 1, "records": [_public(record) for record in records]}
    key = request.stored_key()
    parameters = [
        str(request.subject_ref).encode(),
        (request.region if request.region is not None else subject.region).encode(),
        (request.age_band or subject.age_band).encode(),
        str(subject.revision).encode(),
        _encode(consents),
        records[-1]["digest"].encode(),
        now.isoformat().encode(),
        _encode(records),
        _bytea(key),
        None if key is None else _bytea(request.digest()),
        None if key is None else _encode(response),
        _encode([event_of(record, request.actor, now) for record in records]),
        b"true" if _opts_out(request, subject) else b"false",
    ]
    try:
        # In a caller's transaction a lost race must not take the caller's work with it.
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            return _WRITE.execute(parameters).get_value(0, 0) == b"1"
    except psycopg.IntegrityError:
        return False  # the same key or the same superseded record won elsewhere: read again and see


def _opts_out(request: Request, subject: Subject) -> bool:
    """Whether an opt-out signal came with the choices that the person's law binds us to remember."""
    if request.asked is None or not (request.asked.signals or {}).get("gpc"):
        return False
    region = request.region if request.region is not None else subject.region
    return opt_outs.binds(region)


def place_of(record: Mapping[str, Any]) -> str:
    return scopes.key(record["purpose"], record.get("scope", scopes.WHOLE))


def projected(record: Mapping[str, Any]) -> dict[str, Any]:
    """A purpose's entry in the subject's row: all that decisions know of the record (see ``DataSubject``)."""
    expires = record["expires_at"]
    proof = record.get("proof", {}) if record["state"] == State.GIVEN else {}
    return {
        **({"told": True} if proof.get("told_of_signal_conflict") else {}),
        **({"lv": proof["max_level"]} if "max_level" in proof else {}),
        "s": record["state"],
        "n": record["notice_version"],
        "x": int(datetime.fromisoformat(expires).timestamp()) if expires else None,
        "e": record["explicit"],
        "r": record["id"],
        "t": int(datetime.fromisoformat(record["recorded_at"]).timestamp()),
        "src": record["source"],
    }


def event_of(record: Mapping[str, Any], actor: str, now: datetime) -> dict[str, Any]:
    return trail.prepare(
        f"consent.{record['state']}",
        record["subject"],
        actor=actor,
        at=now,
        details={"record": record["id"], "purpose": record["purpose"], "digest": record["digest"]},
    )


def _public(record: Mapping[str, Any]) -> dict[str, Any]:
    shown = ("id", "purpose", "scope", "state", "notice_version", "recorded_at", "expires_at", "supersedes", "digest")
    return {key: record.get(key, "") for key in shown}


def announce(records: Iterable[Mapping[str, Any]]) -> None:
    """Tell the packages above of the withdrawals among ``records``, once they are committed."""
    ended = (State.WITHDRAWN, State.OBJECTED)
    # What is stored is stored for a purpose, not for a part of it: only the end of the whole deletes.
    withdrawn = [record["id"] for record in records if record["state"] in ended and not record.get("scope")]
    if withdrawn:
        effects.announce_withdrawal([UUID(record) for record in withdrawn])


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, UUID) else None
