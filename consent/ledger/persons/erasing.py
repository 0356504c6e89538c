"""Erasure of a person from the projection: what is in force ends, the row is blanked, and the records stay as proof.

From the commit on the person counts as unknown (docs/decisions/0036). The row remains under the pseudonym: by it every
door knows who was erased, and takes nothing in about them until they agree anew.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from audit import trail
from audit.commitments import new_salt, record_digest
from common.identifiers import uuid7_text
from consent.ledger import scopes, sealed_people
from consent.ledger.choices import AskedPurpose, Request, State, Subject
from consent.ledger.records import event_of
from consent.models import ConsentRecord, DataSubject
from consent.problems import SubjectErased

ERASED = sealed_people.ERASED
SOURCE = "erasure"
_WAY_OUT = (
    "This person was erased, and nothing is stored about them. Save a yes that names the notice they read, with its"
    " version or its language: it begins a new record."
)
_LAST_RECORDS = """
SELECT DISTINCT ON (subject_id, purpose, scope) subject_id, purpose, scope, id FROM consent_consentrecord
WHERE subject_id = ANY (%s) ORDER BY subject_id, purpose, scope, subject_revision DESC, id DESC
"""


@dataclass(frozen=True)
class Erased:
    """Outcome: whether the row said anything until now, and how many purposes, and parts of them, ended."""

    is_new: bool
    ended: int


@transaction.atomic
def erase(ref: UUID, *, actor: str, erasure: str, now: datetime | None = None) -> Erased:
    """End what is in force and blank the person's row, or make one that says so. ``erasure`` names the request.

    The row stays locked until the caller's transaction ends: every write about the person waits for it, and
    then finds it blank.
    """
    moment = now or timezone.now()
    DataSubject.objects.get_or_create(ref=ref)
    person = DataSubject.objects.select_for_update().get(ref=ref)
    if person.is_erased and person.gpc_since is None:
        _note(person, actor, erasure, ended=0)
        return Erased(False, 0)
    records = list(_endings(person, actor, moment))
    _append(records, actor, moment)
    _blank(person, records, moment)
    _note(person, actor, erasure, ended=len(records))
    return Erased(True, len(records))


def _endings(person: DataSubject, actor: str, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield a withdrawal for each consent in force, chained: also of a purpose that is no longer in use."""
    previous = bytes(person.last_digest) if person.last_digest is not None else None
    given = [(place, entry) for place, entry in sorted(person.consents.items()) if entry["s"] == State.GIVEN]
    identifiers = sorted(uuid7_text() for _ in given)
    for identifier, (place, entry) in zip(identifiers, given, strict=True):
        purpose, _, scope = place.partition("?")
        record = {
            "id": identifier,
            "salt": new_salt(),
            "subject": str(person.ref),
            "purpose": purpose,
            "state": str(State.WITHDRAWN),
            "explicit": False,
            "notice_version": entry["n"],
            "source": SOURCE,
            "actor": str(actor),
            "recorded_at": now.isoformat(timespec="microseconds"),
            "expires_at": None,
            "supersedes": entry["r"],
            **({"scope": scope} if scope else {}),
            "subject_revision": person.revision + 1,
            "previous_digest": previous.hex() if previous else None,
        }
        previous = record_digest(record)
        yield {**record, "digest": previous.hex()}


def _append(records: Collection[Mapping[str, Any]], actor: str, now: datetime) -> None:
    ConsentRecord.objects.bulk_create(
        ConsentRecord(
            id=record["id"],
            subject_id=record["subject"],
            subject_revision=record["subject_revision"],
            purpose_id=record["purpose"],
            scope=record.get("scope", ""),
            state=record["state"],
            notice_version=record["notice_version"],
            source=record["source"],
            actor=record["actor"],
            recorded_at=now,
            supersedes_id=record["supersedes"],
            previous_digest=bytes.fromhex(record["previous_digest"]) if record["previous_digest"] else None,
            digest=bytes.fromhex(record["digest"]),
            salt=bytes.fromhex(record["salt"]),
        )
        for record in records
    )
    with connection.cursor() as cursor:
        trail.copy_events(cursor, (event_of(record, actor, now) for record in records))


def _blank(person: DataSubject, records: list[dict[str, Any]], now: datetime) -> None:
    person.revision += 1
    person.erased_revision, person.erased_at = person.revision, now
    person.region, person.age_band, person.consents, person.gpc_since = "", "unknown", {}, None
    person.created_at = person.updated_at = now
    if records:
        person.last_digest = bytes.fromhex(records[-1]["digest"])
    person.save(force_update=True)


def _note(person: DataSubject, actor: str, erasure: str, *, ended: int) -> None:
    said = sealed_people.member("", "unknown")
    details = {"erasure": erasure, "revision": person.erased_revision, "ended": ended, **said}
    trail.record(ERASED, str(person.ref), actor=actor, details=details)


def require_proven(request: Request, subject: Subject, purposes: Mapping[str, AskedPurpose]) -> None:
    """Raise SubjectErased unless the person agrees anew: by themselves, or by a yes whose text is proven."""
    if not subject.is_erased or request.actor == "subject":
        return
    given = [choice for choice in request.choices if choice.choice == "give"]
    asked = [purposes.get(choice.place) for choice in given]
    if not given or not all(purpose is not None and purpose.notice.sha256 for purpose in asked):
        raise SubjectErased(_WAY_OUT)


def last_records(refs: Iterable[UUID | str]) -> dict[str, dict[str, str]]:
    """Return for each person the newest record of each place: what comes after an erasure goes on behind it."""
    found: dict[str, dict[str, str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_LAST_RECORDS, [[UUID(str(ref)) for ref in refs]])
        for ref, purpose, scope, record in cursor.fetchall():
            found.setdefault(str(ref), {})[scopes.key(purpose, scope)] = str(record)
    return found
