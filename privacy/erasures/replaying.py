"""Replay of the erasure ledger over a restored database: what was withdrawn or deleted since stays so."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import Any
from uuid import UUID

from audit import signing, trail
from common import actors
from consent.ledger import ledger as choices
from consent.ledger import scopes
from consent.models import ConsentRecord, DataSubject, Purpose
from privacy.erasures import ledger, noting
from privacy.erasures.ledger import Line
from privacy.models import Disposal, RetentionSchedule
from privacy.retention import disposal

_STATE = {"withdraw": "withdrawn", "object": "objected", "refuse": "refused"}
_BY_WHAT_PEOPLE_DO = (RetentionSchedule.Trigger.ACTIVITY, RetentionSchedule.Trigger.WINDOW)
# What another kind of line does to a person: an erasure (GDPR Article 17) registers here. Returns whether it had to.
Handler = Callable[[UUID, Line], bool]
_handlers: dict[str, Handler] = {}
_others: list[Callable[[], Iterable[UUID]]] = []
_PAGE = 1_000


def on(kind: str, handler: Handler, *, people: Callable[[], Iterable[UUID]] = tuple) -> None:
    """Register what replays the lines of a kind. ``people``: who may be in the database without a choice of theirs."""
    _handlers[kind] = handler
    _others.append(people)


@dataclass
class Replayed:
    """Outcome of a replay."""

    lines: int = 0
    withdrawals: int = 0
    deletions: int = 0
    erasures: int = 0
    unknown: int = 0
    keys: int = 0
    foreign_keys: int = 0


def replay(*, actor: str) -> Replayed:
    """Repeat, in order, every line that the database does not have. Safe to repeat. Raises LedgerBroken."""
    people = _people({line["who"] for line in ledger.lines() if "who" in line})
    done, last = Replayed(), ""
    for page in _pages(ledger.lines()):
        known = _known_records(line["record"] for line in page if "record" in line)
        for line in page:
            _repeat(line, people, known, done)
        done.lines, last = done.lines + len(page), page[-1]["digest"]
    details = {"lines": done.lines, "last": last, "withdrawals": done.withdrawals, "keys": done.keys}
    counted = {"deletions": done.deletions, "erasures": done.erasures}
    trail.record("erasures.replayed", "erasure_ledger", actor=actor, details={**details, **counted})
    noting.start_after_the_present()
    return done


def _pages(lines: Iterator[Line]) -> Iterator[list[Line]]:
    while page := list(islice(lines, _PAGE)):
        yield page


def _people(wanted: set[str]) -> dict[str, UUID]:
    """Return the people of the database whose keyed hash is asked for."""
    if not wanted:
        return {}
    refs = DataSubject.objects.values_list("ref", flat=True).iterator(chunk_size=10_000)
    who = ledger.marker()
    return {mark: ref for ref in chain(refs, *(each() for each in _others)) if (mark := who(ref)) in wanted}


def _known_records(records: Iterable[str]) -> set[str]:
    asked = list(records)
    return {str(pk) for pk in ConsentRecord.objects.filter(id__in=asked).values_list("id", flat=True)}


def _repeat(line: Line, people: dict[str, UUID], known: set[str], done: Replayed) -> None:
    if line["kind"] == "retention":
        done.deletions += _delete_again(line)
        return
    if line["kind"] == "signing_key":
        _take_key_back(line, done)
        return
    if "who" not in line:
        return
    ref = people.get(line["who"])
    if ref is None:
        done.unknown += 1  # came after the backup: nothing of theirs is here
    elif line["kind"] == "withdrawal":
        if line["record"] not in known and (records := _withdraw_again(ref, line)):
            done.withdrawals += 1
            done.deletions += _delete_after(records)
    else:
        done.erasures += _handlers[line["kind"]](ref, line)


def _take_key_back(line: Line, done: Replayed) -> None:
    """Know a key again that was made after the backup: what it signed stays genuine, and the one before stays retired.

    One of a secret that this process does not have is counted: the ledger alone makes no key one of ours.
    """
    try:
        done.keys += signing.adopt(
            kid=line["kid"],
            salt=bytes.fromhex(line["salt"]),
            public_key=bytes.fromhex(line["public_key"]),
            created_at=datetime.fromisoformat(line["made_at"]),
            actor=actors.job("replay"),
        )
    except signing.SigningKeyUnavailable:
        done.foreign_keys += 1


def _delete_again(line: Line) -> int:
    """Repeat a retention run. One that went by what people did since waits for the next night.

    The backup does not know what they did after it, and would delete more than the run did.
    """
    terms = line.get("terms") or {}
    if terms.get("trigger") in _BY_WHAT_PEOPLE_DO:
        return 0
    run = Disposal.objects.create(
        reason=Disposal.Reason.RETENTION,
        purpose=Purpose.objects.get(slug=line["purpose"]) if line["purpose"] else None,
        schedule=line.get("schedule", ""),
        terms=terms,
        before=datetime.fromisoformat(line["cut_off"]),
    )
    return disposal.run(run.pk).total_removed


def _withdraw_again(ref: UUID, line: Line) -> list[UUID]:
    """Append the lost withdrawal, named with the lost record; return its records, none where it is in force."""
    place = scopes.key(line["purpose"], line["scope"])
    consents = DataSubject.objects.filter(ref=ref).values_list("consents", flat=True).first() or {}
    now = consents.get(place)
    if now is None or now["s"] == _STATE[line["choice"]]:
        return []
    part: dict[str, Any] = dict(scopes.parts(line["scope"]))
    choice = choices.Choice(purpose=line["purpose"], choice=line["choice"], **part)
    actor = actors.job("replay")
    request = choices.Request(subject_ref=ref, choices=[choice], source="replay", actor=actor)
    records = [UUID(record["id"]) for record in choices.save_choices(request).records]
    lost = {"lost_record": line["record"], "lost_digest": line["record_digest"]}
    details = {**lost, "records": [str(record) for record in records]}
    trail.record("erasures.withdrawn_again", str(ref), actor=actor, details=details)
    return records


def _delete_after(records: list[UUID]) -> int:
    """Delete what the withdrawals had deleted."""
    disposal.queue_for_withdrawals(records)
    return sum(disposal.run(run.pk).total_removed for run in Disposal.objects.filter(record_id__in=records))
