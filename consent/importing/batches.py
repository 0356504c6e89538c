"""One batch in one transaction: read the people, decide about each row, write the decisions by COPY."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection
from django.utils import timezone

from audit import trail
from common.postgres.copy_text import copy_line, copy_rows
from consent import residence
from consent.importing.reading import Line, Refused
from consent.importing.rules import Origin, Register, current_register, record_of
from consent.ledger import ledger, opt_outs, sealed_people
from consent.ledger.choices import Subject
from consent.ledger.persons import erasing
from consent.ledger.records import event_of, place_of, projected
from consent.models import DataSubject
from consent.pseudonyms import subject_ref

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

_PEOPLE = "consent_import_people"
_PREPARE = f"""
CREATE TEMPORARY TABLE IF NOT EXISTS {_PEOPLE} (
  ref uuid NOT NULL, region text, age_band text, revision bigint, consents jsonb, last_digest bytea, is_new boolean)
"""
_REHEARSED = "consent_import_rehearsed"
_PREPARE_REHEARSAL = f"""
DROP TABLE IF EXISTS {_REHEARSED};
CREATE TEMPORARY TABLE {_REHEARSED} (
  ref uuid PRIMARY KEY, region text, age_band text, revision bigint, consents jsonb, last_digest bytea)
"""
_READ = """
SELECT ref::text, revision, consents::text, last_digest, region, age_band FROM consent_datasubject
WHERE ref = ANY(%s::uuid[]) ORDER BY ref FOR UPDATE
"""
# What an earlier batch of a rehearsal would have written stands before what is stored. Nothing is locked.
_READ_REHEARSED = f"""
SELECT DISTINCT ON (ref) ref::text, revision, consents::text, last_digest, region, age_band FROM (
  SELECT 0 AS rank, ref, revision, consents, last_digest, region, age_band FROM {_REHEARSED}
  WHERE ref = ANY(%s::uuid[])
  UNION ALL
  SELECT 1, ref, revision, consents, last_digest, region, age_band FROM consent_datasubject
  WHERE ref = ANY(%s::uuid[])
) known ORDER BY ref, rank
"""  # noqa: S608 (a name of ours)
# The rows are locked, so no other connection has moved them; a new person may have come since: IntegrityError.
_MOVE = f"""
UPDATE consent_datasubject s SET region = p.region, age_band = p.age_band, revision = p.revision,
  consents = p.consents, last_digest = p.last_digest, updated_at = %s
FROM {_PEOPLE} p WHERE s.ref = p.ref AND NOT p.is_new
"""  # noqa: S608
_ADD = f"""
INSERT INTO consent_datasubject
  (ref, region, age_band, revision, consents, restricted, held, last_digest, created_at, updated_at)
SELECT ref, region, age_band, revision, consents, false, false, last_digest, %s, %s FROM {_PEOPLE} WHERE is_new
ORDER BY ref
"""  # noqa: S608
_COPY_RECORDS = """
COPY consent_consentrecord (id, subject_id, subject_revision, purpose, scope, state, explicit, notice_version, source,
  actor, recorded_at, expires_at, proof, supersedes_id, previous_digest, digest, salt) FROM STDIN
"""


@dataclass
class Tally:
    """Counts of lines by outcome."""

    imported: int = 0
    unproven: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    refusals: list[tuple[int, Refused]] = field(default_factory=list)


@dataclass
class _People:
    """People of a batch, by pseudonym; ``changed`` are those a row was taken in for."""

    known: dict[str, Subject]
    new: set[str]
    changed: set[str] = field(default_factory=set)


def prepare(*, rehearsal: bool) -> None:
    """Create this connection's temporary tables."""
    with connection.cursor() as cursor:
        cursor.execute(_PREPARE_REHEARSAL if rehearsal else _PREPARE)


def take_in(batch: Sequence[Line], origin: Origin, *, rehearsal: bool) -> Tally:
    """Decide about a batch and write it, or in a rehearsal only remember it. Call it in a transaction.

    Raises IntegrityError if another connection has written a new person since: roll back and call it again.
    """
    now = timezone.now()
    refs = _refs(batch)
    tally = Tally()
    with connection.cursor() as cursor:
        # The tables may have been empty when the server last looked: without this, it would read all of them each time.
        cursor.execute("SET LOCAL enable_seqscan = off")
        people = _read(cursor, set(refs.values()), rehearsal=rehearsal)
        records = _records(batch, refs, people, current_register(), residence.guard(), origin, now, tally)
        if rehearsal:
            deque(records, maxlen=0)
            _remember(cursor, people)
        else:
            _write(cursor, records, people, origin, now)
    return tally


def _refs(batch: Iterable[Line]) -> dict[int, str]:
    """Return the pseudonym of the person in each line; the business's own id is not used past here."""
    return {
        line.number: str(subject_ref(line.row.subject_id, subject_type=line.row.subject_type))
        for line in batch
        if not isinstance(line.row, Refused)
    }


def _read(cursor: Any, refs: set[str], *, rehearsal: bool) -> _People:
    wanted = list(refs)
    if rehearsal:
        cursor.execute(_READ_REHEARSED, [wanted, wanted])
    else:
        cursor.execute(_READ, [wanted])
    known = {
        ref: Subject(revision, _decode(consents), bytes(digest) if digest else None, region, age_band)
        for ref, revision, consents, digest, region, age_band in cursor
    }
    _mark_erased(known)
    new = refs - known.keys()
    return _People({**known, **{ref: Subject() for ref in new}}, new)


def _mark_erased(known: dict[str, Subject]) -> None:
    """Say of whom an erasure took what was known: only what they agreed to since is taken in."""
    erased = DataSubject.objects.filter(ref__in=list(known), erased_revision__isnull=False)
    found = list(erased.values_list("ref", "erased_revision", "erased_at"))
    ended = erasing.last_records(ref for ref, *_ in found) if found else {}
    for ref, revision, moment in found:
        person = known[str(ref)]
        person.erased_revision, person.erased_at = revision, moment
        person.ended = ended.get(str(ref), {})


def _records(
    batch: Iterable[Line],
    refs: dict[int, str],
    people: _People,
    register: Register,
    guard: residence.Guard | None,
    origin: Origin,
    now: datetime,
    tally: Tally,
) -> Iterator[dict[str, Any]]:
    """Yield the records of the batch in its order and move the people with them."""
    for line in batch:
        try:
            if isinstance(line.row, Refused):
                raise line.row
            ref = refs[line.number]
            person = people.known[ref]
            _refuse_other_cells(guard, line.row.region, person)
            record = record_of(line.row, line.number, ref, person, register=register, origin=origin, now=now)
        except Refused as refused:
            tally.refused[refused.code] += 1
            tally.refusals.append((line.number, refused))
            continue
        _move(person, record, line.row.region, line.row.age_band)
        people.changed.add(ref)
        tally.imported += 1
        tally.unproven += not record["proof"]["imported"]["proven"]
        yield record


def _refuse_other_cells(guard: residence.Guard | None, region: str | None, person: Subject) -> None:
    """Raise Refused for a person whom another cell holds, where there are several."""
    problem = guard(region, person.revision > 0 and not person.is_erased) if guard else None
    if problem is not None:
        raise Refused(problem.code, problem.detail)


def _move(person: Subject, record: dict[str, Any], region: str | None, age_band: str | None) -> None:
    """Let the person's current state follow the record. What is known of a person is completed, never replaced."""
    person.consents[place_of(record)] = projected(record)
    person.revision += 1
    person.last_digest = bytes.fromhex(record["digest"])
    person.region = person.region or region or ""
    if person.age_band == "unknown":
        person.age_band = age_band or "unknown"


def _write(cursor: Any, decided: Iterator[dict[str, Any]], people: _People, origin: Origin, now: datetime) -> None:
    """Write records while they are decided about, so that the server works in parallel; then what follows from them."""
    records: list[dict[str, Any]] = []
    copy_rows(cursor, _COPY_RECORDS, map(_record_line, _kept(decided, records)))
    cursor.execute(f"TRUNCATE {_PEOPLE}")
    moved = (_person_line(ref, people.known[ref], is_new=ref in people.new) for ref in people.changed)
    copy_rows(cursor, f"COPY {_PEOPLE} FROM STDIN", moved)
    cursor.execute(_ADD, [now, now])
    cursor.execute(_MOVE, [now])
    signals = _remember_signals(records, people, now)
    trail.copy_events(cursor, (_event(record, people, signals, origin, now) for record in records))
    _announce(records, origin)


def _event(record: dict[str, Any], people: _People, signals: set[str], origin: Origin, now: datetime) -> dict[str, Any]:
    ref = record["subject"]
    person = people.known[ref]
    return event_of(record, origin.actor, now, sealed_people.member(person.region, person.age_band, gpc=ref in signals))


def _remember_signals(records: Iterable[dict[str, Any]], people: _People, now: datetime) -> set[str]:
    """Remember the opt-out signal under which a choice was made, as for a choice made here; return for whom."""
    refs = {
        record["subject"]
        for record in records
        if record["proof"].get("asked", {}).get("signals", {}).get("gpc")
        and opt_outs.binds(people.known[record["subject"]].region)
    }
    if refs:
        DataSubject.objects.filter(ref__in=refs, gpc_since=None).update(gpc_since=now)
    return refs


def _kept(decided: Iterator[dict[str, Any]], records: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for record in decided:
        records.append(record)
        yield record


def _person_line(ref: str, person: Subject, *, is_new: bool) -> str:
    digest = f"\\x{person.last_digest.hex()}" if person.last_digest else None
    consents = _encode(person.consents).decode()
    return copy_line(ref, person.region, person.age_band, person.revision, consents, digest, is_new)


def _record_line(record: dict[str, Any]) -> str:
    previous = record["previous_digest"]
    return copy_line(
        record["id"],
        record["subject"],
        record["subject_revision"],
        record["purpose"],
        record.get("scope", ""),
        record["state"],
        record["explicit"],
        record["notice_version"],
        record["source"],
        record["actor"],
        record["recorded_at"],
        record["expires_at"],
        _encode(record["proof"]).decode(),
        record["supersedes"],
        f"\\x{previous}" if previous else None,
        f"\\x{record['digest']}",
        f"\\x{record['salt']}",
    )


def _announce(records: Iterable[dict[str, Any]], origin: Origin) -> None:
    """Announce the end of consents that were in force here; the end of one from the same file the sweep finds."""
    ledger.announce([record for record in records if record["supersedes"] and not origin.wrote(record["supersedes"])])


def _remember(cursor: Any, people: _People) -> None:
    rows = [
        (ref, person.region, person.age_band, person.revision, _encode(person.consents).decode())
        for ref in people.changed
        for person in [people.known[ref]]
    ]
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], [], []]
    cursor.execute(
        f"INSERT INTO {_REHEARSED} (ref, region, age_band, revision, consents) "  # noqa: S608
        "SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::bigint[], %s::jsonb[]) "
        "ON CONFLICT (ref) DO UPDATE SET region = excluded.region, age_band = excluded.age_band, "
        "revision = excluded.revision, consents = excluded.consents",
        columns,
    )
