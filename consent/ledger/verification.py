"""Verify the consent ledger: every record's digest, every person's chain, every projection, every audit event."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef

from audit import redactions
from audit.commitments import record_digest
from common.postgres.snapshot import one_snapshot
from consent.ledger.records import place_of, projected
from consent.models import ConsentRecord, DataSubject

_PAGE = 2_000


@dataclass(frozen=True)
class LedgerVerdict:
    """Result for the ledger. ``broken`` names the first record that does not hold, or is None."""

    subjects: int
    records: int
    broken: str | None

    @property
    def ok(self) -> bool:
        return self.broken is None


@dataclass(frozen=True)
class PersonVerdict:
    """Result for one person: the records that do not hold, and the current state if it does not follow."""

    broken: Mapping[UUID, str]
    projection: str | None

    @property
    def ok(self) -> bool:
        return not self.broken and self.projection is None


def verify_person(person: DataSubject, links: Sequence[ConsentRecord]) -> PersonVerdict:
    """Recompute the chain of one person. ``links`` are all records, oldest first."""
    before = [None, *(bytes(link.digest) for link in links)]
    found = {link.id: _broken_link(link, previous) for link, previous in zip(links, before, strict=False)}
    projection = _broken_projection(person, links) if links else None
    return PersonVerdict({record: broken for record, broken in found.items() if broken}, projection)


def verify_ledger() -> LedgerVerdict:
    """Read the whole ledger in pages; stop at the first record that does not hold. Writes nothing."""
    with one_snapshot():
        subjects = records = 0
        for page in _pages():
            people = DataSubject.objects.in_bulk([links[0].subject_id for links in page])
            for links in page:
                broken = _broken_chain(links) or _broken_projection(people.get(links[0].subject_id), links)
                if broken:
                    return LedgerVerdict(subjects, records, broken)
                subjects, records = subjects + 1, records + len(links)
        checks = (_unrecorded, _without_event, _lost, _other_terms, redactions.broken_records)
        return LedgerVerdict(subjects, records, next((found for check in checks if (found := check())), None))


def _pages() -> Iterator[list[list[ConsentRecord]]]:
    """Yield the records of each person, oldest first, so many people at a time."""
    in_order = ConsentRecord.objects.order_by("subject_id", "subject_revision", "id").iterator(chunk_size=_PAGE)
    chains = (list(chain) for _, chain in groupby(in_order, key=lambda record: record.subject_id))
    while page := list(islice(chains, _PAGE)):
        yield page


def _broken_chain(links: Sequence[ConsentRecord]) -> str | None:
    previous: bytes | None = None
    for link in links:
        if broken := _broken_link(link, previous):
            return broken
        previous = bytes(link.digest)
    return None


def _broken_link(link: ConsentRecord, previous: bytes | None) -> str | None:
    stored = bytes(link.previous_digest) if link.previous_digest is not None else None
    if stored != previous:
        return f"consent record {link.id} does not continue the record before it"
    # Of format 1 only the digest is left after a redaction; which records those are, ``redaction`` checks.
    is_digest_alone = link.redacted_by is not None and link.commitments is None
    if not is_digest_alone and bytes(link.digest) != record_digest(fields_of(link)):
        return f"consent record {link.id} was changed"
    return None


def fields_of(link: ConsentRecord) -> dict[str, Any]:
    """Return the fields under a record's digest, as the ledger wrote them."""
    return {
        **({"scope": link.scope} if link.scope else {}),
        **({"proof": link.proof} if link.proof else {}),
        **_hidden(link),
        "id": str(link.id),
        "subject": str(link.subject_id),
        "purpose": link.purpose_id,
        "state": link.state,
        "explicit": link.explicit,
        "notice_version": link.notice_version,
        "source": link.source,
        "actor": link.actor,
        "recorded_at": link.recorded_at.isoformat(timespec="microseconds"),
        "expires_at": link.expires_at.isoformat() if link.expires_at else None,
        "supersedes": str(link.supersedes_id) if link.supersedes_id else None,
        "subject_revision": link.subject_revision,
        "previous_digest": bytes(link.previous_digest).hex() if link.previous_digest is not None else None,
    }


def _hidden(link: ConsentRecord) -> dict[str, Any]:
    """Return the salt of a record of format 2, or after its redaction what stands for person and proof."""
    if link.commitments is not None:
        both = bytes(link.commitments).hex()
        return {"commitments": {"who": both[:64], "how": both[64:]}}
    return {} if link.salt is None else {"salt": bytes(link.salt).hex()}


def _broken_projection(person: DataSubject | None, links: Sequence[ConsentRecord]) -> str | None:
    last = links[-1]
    if person is None:
        return f"the person of consent record {last.id} is missing"
    if person.last_digest is None or bytes(person.last_digest) != bytes(last.digest):
        return f"the current state behind consent record {last.id} is not the one the ledger ends in"
    if all(link.redacted_by is not None for link in links):
        return f"person {person.ref} has a current state, and only redacted records" if person.consents else None
    # What was recorded up to an erasure is proof, and no current state.
    erased = person.erased_revision or 0
    alive = [link for link in links if link.subject_revision > erased]
    expected = {place_of(fields_of(link)): link for link in alive}  # the newest of each purpose and part
    for place, link in expected.items():
        if person.consents.get(place) != projected(fields_of(link)):
            return f"the current state says something else than consent record {link.id}"
    revision = last.subject_revision if alive else max(last.subject_revision, erased)
    if person.consents.keys() - expected.keys() or person.revision != revision:
        return f"the current state behind consent record {last.id} says more than the ledger"
    return None


def _unrecorded() -> str | None:
    """Find a current state without any record: it was not written by the ledger."""
    unrecorded = DataSubject.objects.exclude(consents={}).filter(
        ~Exists(ConsentRecord.objects.filter(subject_id=OuterRef("pk")))
    )
    for person in unrecorded.order_by()[:1]:
        return f"the current state of {person.ref} has no record in the ledger"
    return None


def _without_event() -> str | None:
    """Find a record without an event in the audit trail: it was not written by the ledger."""
    for record in _records_without_event():
        return f"consent record {record} has no event in the audit trail"
    return None


def _lost() -> str | None:
    """Find an event without its record. Records are never deleted, so the ledger lost one."""
    query = """
        SELECT e.position, e.details->>'record' FROM audit_auditevent e
        WHERE e.action = ANY(%s) AND NOT EXISTS (
          SELECT 1 FROM consent_consentrecord r WHERE r.id = (e.details->>'record')::uuid
            AND r.subject_id::text = e.object AND encode(r.digest, 'hex') = e.details->>'digest')
        ORDER BY e.position LIMIT 1
    """
    with connection.cursor() as cursor:
        cursor.execute(query, [[f"consent.{state}" for state in ConsentRecord.State.values]])
        lost = cursor.fetchone()
    return f"consent record {lost[1]} is missing: event {lost[0]} of the audit trail names it" if lost else None


def _other_terms() -> str | None:
    """Find terms that are not what their digest says, or a record that names others than its notice version has."""
    queries = (
        """SELECT 'terms of version ' || version || ' of ' || purpose || ' were changed' FROM consent_noticeterms
           WHERE encode(sha256(convert_to(content, 'UTF8')), 'hex') <> sha256 LIMIT 1""",
        """SELECT 'consent record ' || r.id || ' names other terms than its notice version has'
           FROM consent_consentrecord r WHERE r.proof #>> '{terms,sha256}' IS NOT NULL AND NOT EXISTS (
             SELECT 1 FROM consent_noticeterms t WHERE t.purpose = r.purpose AND t.version = r.notice_version
               AND t.sha256 = r.proof #>> '{terms,sha256}') LIMIT 1""",
    )
    with connection.cursor() as cursor:
        for query in queries:
            cursor.execute(query)
            if found := cursor.fetchone():
                return str(found[0])
    return None


def _records_without_event() -> Iterator[Any]:
    query = """
        SELECT r.id FROM consent_consentrecord r WHERE NOT EXISTS (
          SELECT 1 FROM audit_auditevent e WHERE e.object = r.subject_id::text
            AND e.details->>'record' = r.id::text AND e.details->>'digest' = encode(r.digest, 'hex'))
        LIMIT 1
    """
    for record in ConsentRecord.objects.raw(query):
        yield record.pk
