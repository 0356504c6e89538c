"""Redaction: records and events of a person whose time as a proof is over lose the person, and keep their places.

Digests, links, positions and leaves stay, so every chain and every anchor holds as before. What is replaced are the
pseudonym, the proof, and in records of format 1 the identifier, whose random bits hide what a digest left over was made
of. An event of the trail lists the digests of what was redacted; a row that no such event lists is broken.
"""

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from audit import trail
from audit.commitments import commitments
from audit.models import AuditEvent
from audit.redactions import REDACTED, root
from common.identifiers import uuid7
from consent.ledger.verification import fields_of
from consent.models import ConsentRecord, DataSubject

# Of other events nothing is kept that may name a person.
_KEPT_OF = {
    "consent": ("purpose", "digest"),
    "disposal": ("disposal", "reason", "purpose", "removed", "manifest_sha256"),
}


@dataclass(frozen=True)
class Redacted:
    """Outcome for one person: the identifier that stands there now, and the new identifiers of records."""

    tombstone: UUID
    records: dict[UUID, UUID]
    events: int


def redact(person: DataSubject, *, ground: str, actor: str) -> Redacted:
    """Redact the person's records and events, and blank what is known of them. The caller's transaction locked the row.

    The row itself is left blank, and goes when nothing came in since (``forget_blank``): a save that has read it before
    finds another revision, and begins a chain of its own.
    """
    records = list(ConsentRecord.objects.filter(subject_id=person.pk).order_by("subject_revision", "id"))
    events = list(AuditEvent.objects.filter(object=str(person.pk), redacted_by=None).order_by("position"))
    tombstone = uuid.uuid4()  # noted nowhere
    ids = {record.pk: record.pk if record.salt else _same_time(record.pk) for record in records}
    said = _event(tombstone, records, events, ground=ground, actor=actor)
    _leave_tombstone(person, tombstone)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT assent_redact(%s::jsonb, %s::jsonb, %s, %s)",
            [
                json.dumps([_of_record(record, ids) for record in records]),
                json.dumps([_of_event(event, ids) for event in events]),
                tombstone,
                UUID(said["code"]),
            ],
        )
        cursor.execute(trail.insert_events("%s::jsonb"), [json.dumps([said])])
    return Redacted(tombstone, ids, len(events))


def _same_time(identifier: UUID) -> UUID:
    """Return another identifier of the same millisecond: records of a person keep their order."""
    kept = identifier.int >> 80 << 80
    return UUID(int=kept | uuid7().int & ((1 << 80) - 1))


def _event(
    tombstone: UUID, records: Sequence[ConsentRecord], events: Sequence[AuditEvent], *, ground: str, actor: str
) -> dict[str, Any]:
    details = {
        "ground": ground,
        "records": len(records),
        "records_root": root(bytes(record.digest) for record in records),
        "events": len(events),
        "events_root": root(bytes(event.digest) for event in events),
    }
    return trail.prepare(REDACTED, str(tombstone), actor=actor, at=timezone.now(), details=details)


def _leave_tombstone(person: DataSubject, tombstone: UUID) -> None:
    blank = {"region": "", "age_band": "unknown", "consents": {}}
    DataSubject.objects.create(
        ref=tombstone, revision=person.revision, last_digest=person.last_digest, **blank
    )  # its times say when it was redacted
    DataSubject.objects.filter(pk=person.pk).update(
        revision=person.revision + 1,
        last_digest=None,
        gpc_since=None,
        erased_revision=None,
        erased_at=None,
        updated_at=timezone.now(),
        **blank,
    )


def _of_record(record: ConsentRecord, ids: dict[UUID, UUID]) -> dict[str, Any]:
    made = commitments(fields_of(record)) if record.salt else None
    before = record.supersedes_id
    return {
        "id": str(record.pk),
        "new_id": str(ids[record.pk]),
        "supersedes": str(ids.get(before, before)) if before else None,
        "commitments": made["who"] + made["how"] if made else None,
    }


def _of_event(event: AuditEvent, ids: dict[UUID, UUID]) -> dict[str, Any]:
    kept = _KEPT_OF.get(event.action.partition(".")[0], ())
    details = {name: event.details[name] for name in kept if name in event.details}
    if "digest" in details and "record" in event.details:
        record = UUID(event.details["record"])
        details["record"] = str(ids.get(record, record))
    return {"position": event.position, "code": str(_same_time(event.code)), "details": details}


def forget_blank(refs: Iterable[UUID]) -> int:
    """Delete rows that a redaction left blank and that nothing came to since; return their number."""
    blank = DataSubject.objects.filter(
        pk__in=list(refs),
        consents={},
        last_digest=None,
        held=False,
        restricted=False,
        limits={},
        gpc_since=None,
        erased_revision=None,
    )
    return blank.exclude(records__isnull=False).delete()[0]
