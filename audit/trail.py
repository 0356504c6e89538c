"""Append to the audit trail, anchor new events, and verify all of it.

Every event carries the SHA-256 of its own canonical JSON. ``anchor()`` puts everything new under a Merkle root
(RFC 6962) and chains the root to the anchor before it, so writers never wait for each other: there is no global
"previous event" to lock. Events younger than the last anchor are listed by ``verify()`` as not yet sealed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import DatabaseError, connection, transaction
from django.db.models import Count, Sum
from django.utils import timezone

from audit import redactions
from audit.models import AuditAnchor, AuditEvent
from common.canonical import digest_of
from common.identifiers import uuid7_text
from common.merkle import MerkleTree, merkle_root
from common.postgres.copy_text import copy_line, copy_rows

GENESIS = bytes(32)
_ANCHOR_LOCK = 0x61756469  # "audi"
_PAGE = 5_000
# Writers wait behind the lock that waits for an anchor, so an anchor gives way soon.
LOCK_PATIENCE_MS = 500


def insert_events(parameter: str) -> str:
    """Return SQL that inserts prepared events given as a jsonb list; it may stand inside a CTE of another package."""
    return f"""
INSERT INTO audit_auditevent (code, occurred_at, action, actor, object, details, digest)
SELECT e.code, e.occurred_at, e.action, e.actor, e.object, e.details, decode(e.digest, 'hex')
FROM jsonb_to_recordset({parameter})
  AS e(code uuid, occurred_at timestamptz, action text, actor text, object text, details jsonb, digest text)"""  # noqa: S608


@dataclass(frozen=True)
class Verdict:
    """Result of ``verify``. ``broken`` names the first link that does not hold, or is None."""

    events: int
    anchors: int
    unsealed: int
    broken: str | None
    head: str

    @property
    def ok(self) -> bool:
        return self.broken is None


def prepare(
    action: str, object_id: str, *, actor: str, at: datetime, details: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return an event as the row that ``insert_events`` takes, its digest included."""
    row: dict[str, Any] = {
        "code": uuid7_text(),
        "occurred_at": at.isoformat(timespec="microseconds"),
        "action": action,
        "actor": str(actor),  # plain text: an actor may carry an account
        "object": object_id,
        "details": dict(details or {}),
    }
    return {**row, "digest": digest_of(row).hex()}


def copy_events(cursor: Any, events: Iterable[Mapping[str, Any]]) -> None:
    """Append many prepared events by COPY. ``cursor`` is a psycopg cursor in the transaction of the change."""
    columns = "code, occurred_at, action, actor, object, details, digest"
    copy_rows(cursor, f"COPY audit_auditevent ({columns}) FROM STDIN", (_event_line(event) for event in events))


def _event_line(event: Mapping[str, Any]) -> str:
    details = msgspec.json.encode(event["details"]).decode()
    named = [event[column] for column in ("code", "occurred_at", "action", "actor", "object")]
    return copy_line(*named, details, f"\\x{event['digest']}")


def record(action: str, object_id: str, *, actor: str, details: Mapping[str, Any] | None = None) -> None:
    """Append one event. Call it in the transaction of the change it records."""
    record_prepared([prepare(action, object_id, actor=actor, at=timezone.now(), details=details)])


def record_prepared(events: Sequence[Mapping[str, Any]]) -> None:
    """Append prepared events in one statement, in the transaction of the changes they record."""
    if events:
        with connection.cursor() as cursor:
            cursor.execute(insert_events("%s::jsonb"), [json.dumps(list(events))])


@transaction.atomic
def anchor() -> AuditAnchor | None:
    """Anchor every settled event; None if there is nothing new.

    A short SHARE lock waits for the writers in flight and so settles which positions exist below the highest one:
    sequences hand out numbers before their rows are visible. Where a writer or a vacuum keeps the lock away for
    longer than ``LOCK_PATIENCE_MS``, nothing is sealed this time; the next run does it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ANCHOR_LOCK])
    last = AuditAnchor.objects.order_by("-sequence").first()
    after = last.last_position if last else 0
    settled = _settled_position()
    digests = _digests(after, settled)
    if not digests:
        return None
    fields: dict[str, Any] = {
        "sequence": (last.sequence if last else 0) + 1,
        "created_at": timezone.now(),
        "after_position": after,
        "last_position": settled,
        "event_count": len(digests),
        "root": merkle_root(digests),
        "previous": bytes(last.digest) if last else GENESIS,
    }
    return AuditAnchor.objects.create(**fields, digest=digest_of(_anchor_fields(AuditAnchor(**fields))))


def _settled_position() -> int:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {LOCK_PATIENCE_MS}")
            cursor.execute("LOCK TABLE audit_auditevent IN SHARE MODE")
            cursor.execute("SELECT coalesce(max(position), 0) FROM audit_auditevent")
            settled = int(cursor.fetchone()[0])
            # The lock is held to the end of the transaction unless the savepoint is rolled back: let writers on.
            transaction.set_rollback(True)
            return settled
    except DatabaseError:
        return 0


def _digests(after: int, upto: int) -> list[bytes]:
    rows = AuditEvent.objects.filter(position__gt=after, position__lte=upto).order_by("position")
    return [bytes(digest) for digest in rows.values_list("digest", flat=True).iterator(chunk_size=_PAGE)]


def event_digest(event: AuditEvent) -> bytes:
    """Recompute the digest of an event from its other columns."""
    return digest_of(event_fields(event))


def event_fields(event: AuditEvent) -> dict[str, Any]:
    """Return the fields under an event's digest."""
    return {
        "code": str(event.code),
        "occurred_at": event.occurred_at.isoformat(timespec="microseconds"),
        "action": event.action,
        "actor": event.actor,
        "object": event.object,
        "details": event.details,
    }


def prove(object_id: str | UUID) -> list[dict[str, Any]]:
    """Return every event about an object, oldest first, with its path to the anchor that sealed it.

    ``anchor`` is None for an event that is not sealed yet. Everything in it can be recomputed without the database.
    """
    return list(proven(AuditEvent.objects.filter(object=str(object_id)).order_by("position")))


def proven(events: Iterable[AuditEvent]) -> Iterator[dict[str, Any]]:
    """Yield events, given oldest first, with their paths, as ``prove`` does; one anchor's tree is kept at a time."""
    tree: _Sealed | None = None
    is_sealed = True
    for event in events:
        if is_sealed and (tree is None or event.position > tree.last_position):
            tree = _Sealed.over(event.position)
            is_sealed = tree is not None
        yield tree.proof(event) if tree is not None else {**_shown(event), "anchor": None}


@dataclass(frozen=True)
class _Sealed:
    """The events under one anchor, by their digests alone."""

    last_position: int
    anchor: dict[str, Any]
    places: Mapping[int, int]
    tree: MerkleTree

    @classmethod
    def over(cls, position: int) -> "_Sealed | None":
        """Return the anchor that seals an event; None where none does yet."""
        link = AuditAnchor.objects.filter(last_position__gte=position).order_by("last_position").first()
        if link is None:
            return None
        rows = AuditEvent.objects.filter(position__gt=link.after_position, position__lte=link.last_position)
        found = list(rows.order_by("position").values_list("position", "digest"))
        places = {position: index for index, (position, _digest) in enumerate(found)}
        return cls(link.last_position, anchor_fields(link), places, MerkleTree([bytes(digest) for _, digest in found]))

    def proof(self, event: AuditEvent) -> dict[str, Any]:
        nodes = [[side, node.hex()] for side, node in self.tree.path(self.places[event.position])]
        return {**_shown(event), "anchor": self.anchor, "path": nodes}


def _shown(event: AuditEvent) -> dict[str, Any]:
    """Return an event as a proof shows it; of a redacted one the digest outlived what it was made of."""
    redacted = {"redacted": bytes(event.digest).hex()} if event.redacted_by is not None else {}
    return {"event": event_fields(event), **redacted}


def anchor_fields(link: AuditAnchor) -> dict[str, Any]:
    """Return the fields under an anchor's digest, and the digest."""
    return {**_anchor_fields(link), "digest": bytes(link.digest).hex()}


def _anchor_fields(link: AuditAnchor) -> dict[str, Any]:
    return {
        "sequence": link.sequence,
        "created_at": link.created_at.isoformat(timespec="microseconds"),
        "after_position": link.after_position,
        "last_position": link.last_position,
        "event_count": link.event_count,
        "root": bytes(link.root).hex(),
        "previous": bytes(link.previous).hex(),
    }


def verify(*, after_anchor: int = 0) -> Verdict:
    """Recompute every digest, root and link; stop at the first that does not hold. Reads in pages, writes nothing.

    After an anchor: of what it and those before it sealed only the counts are compared.
    """
    try:
        events, after, previous = _counted(after_anchor) if after_anchor else (0, 0, GENESIS)
    except LookupError as lost:
        return Verdict(0, 0, 0, str(lost), GENESIS.hex())
    anchors, broken = after_anchor, None
    for link in AuditAnchor.objects.filter(sequence__gt=anchors).order_by("sequence").iterator(chunk_size=_PAGE):
        broken = _broken_anchor(link, sequence=anchors + 1, previous=previous, after=after)
        if broken is None:
            digests, broken = _checked_digests(after, link.last_position)
            events += len(digests)
            broken = broken or _broken_root(link, digests)
        if broken is not None:
            return Verdict(events, anchors, 0, broken, previous.hex())
        anchors, previous, after = anchors + 1, bytes(link.digest), link.last_position
    unsealed, broken = _checked_digests(after, None)
    broken = broken or redactions.broken_events()
    return Verdict(events + len(unsealed), anchors, len(unsealed), broken, previous.hex())


def _counted(sequence: int) -> tuple[int, int, bytes]:
    """Count what is under an anchor; return events, last position and digest. Raises LookupError for another count."""
    link = AuditAnchor.objects.filter(sequence=sequence).first()
    below = AuditAnchor.objects.filter(sequence__lte=sequence).aggregate(Count("sequence"), Sum("event_count"))
    if link is None or below["sequence__count"] != sequence:
        raise LookupError(f"up to anchor {sequence} there are {below['sequence__count']} anchors")
    events = AuditEvent.objects.filter(position__lte=link.last_position).count()
    if events != below["event_count__sum"]:
        raise LookupError(f"up to anchor {sequence} there are {events} events of {below['event_count__sum']}")
    return events, link.last_position, bytes(link.digest)


def _broken_anchor(link: AuditAnchor, *, sequence: int, previous: bytes, after: int) -> str | None:
    if link.sequence != sequence:
        return f"anchor {sequence} is missing"
    if bytes(link.previous) != previous or link.after_position != after:
        return f"anchor {sequence} does not continue anchor {sequence - 1}"
    expected = digest_of(_anchor_fields(link))
    return None if bytes(link.digest) == expected else f"anchor {sequence} was changed"


def _broken_root(link: AuditAnchor, digests: list[bytes]) -> str | None:
    if len(digests) != link.event_count:
        return (
            f"between event {link.after_position + 1} and {link.last_position} there are {len(digests)} events "
            f"where anchor {link.sequence} sealed {link.event_count}"
        )
    if merkle_root(digests) != bytes(link.root):
        return f"the events under anchor {link.sequence} are not the ones it sealed"
    return None


def _checked_digests(after: int, upto: int | None) -> tuple[list[bytes], str | None]:
    digests: list[bytes] = []
    for event in _events(after, upto):
        # What was redacted keeps its digest, under the same root; which events that are, ``redactions`` checks.
        if event.redacted_by is None and bytes(event.digest) != event_digest(event):
            return digests, f"event {event.position} ({event.action}) was changed"
        digests.append(bytes(event.digest))
    return digests, None


def _events(after: int, upto: int | None) -> Iterator[AuditEvent]:
    rows = AuditEvent.objects.filter(position__gt=after).order_by("position")
    if upto is not None:
        rows = rows.filter(position__lte=upto)
    return rows.iterator(chunk_size=_PAGE)


def events_about(object_id: str | UUID, limit: int = 50) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(object=str(object_id)).order_by("-position")[:limit])
