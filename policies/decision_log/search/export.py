"""Export what a filter finds: CSV for a spreadsheet, or JSON lines with the proof of each decision, signed as a whole.

People stand in it by the pseudonym of the month, as in the log itself.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from audit import trail
from audit.exports import writing
from audit.exports.writing import Line, Written
from common.admin_pages.log_filters import BadFilter
from common.postgres.snapshot import one_snapshot
from policies.decision_log.search import proofs
from policies.decision_log.search.filters import Filter, wanted
from policies.decision_log.search.verifying import FORMAT, TYP
from policies.models import Decision

PAGE = 1_000
_COLUMNS = ("id", "decided_at", "outcome", "level", "action", "purpose", "reasons", "caller", "bundle_revision")
_PLACE = ("subject", "batch", "position")


def write(kind: str, chosen: Filter, *, actor: str, after: str = "", written: Written | None = None) -> Iterator[bytes]:
    """Return the decisions that fit as ``csv`` or ``jsonl``, oldest first, in pieces; the export is itself two events.

    ``after``: the decision that an earlier file ended with. Raises BadFilter before anything is written.
    """
    try:
        first = UUID(after) if after else UUID(int=0)
    except ValueError:
        raise BadFilter("A file goes on after the number of a decision.") from None
    chosen.place()
    found, details = wanted(chosen), {"format": kind, "filters": chosen.named, **({"after": after} if after else {})}
    trail.record("decision_log.exported", "decision_log", actor=actor, details=details)
    return _pieces(kind, chosen, found.filter(pk__gt=first), written or Written(), actor, details)


def _pieces(
    kind: str, chosen: Filter, found: QuerySet[Decision], written: Written, actor: str, details: dict[str, Any]
) -> Iterator[bytes]:
    with one_snapshot():
        if kind == "csv":
            yield from writing.as_csv([*_COLUMNS, *_PLACE], _rows(_decisions(found.defer("entry"))), written)
        else:
            # What the export was asked for, ``after`` among it: a file that begins later says so under its signature.
            head = {**details, "format": FORMAT}
            lines = _proven(_decisions(found))
            yield from writing.as_signed_lines(head, lines, written, typ=TYP, heads={"head": proofs.newest()})
    whole = {"decisions": written.lines, "sha256": written.sha256, "is_complete": written.is_complete}
    with transaction.atomic():
        trail.record("decision_log.export_written", "decision_log", actor=actor, details={**details, **whole})


def _decisions(found: QuerySet[Decision]) -> Iterator[Decision]:
    """Yield decisions page by page, each page from the decision where the one before ended."""
    after = UUID(int=0)
    while rows := list(found.filter(pk__gt=after).order_by("pk")[:PAGE]):
        yield from rows
        after = rows[-1].pk


def _rows(decisions: Iterator[Decision]) -> Iterator[Line]:
    for each in decisions:
        cells: dict[str, Any] = {name: getattr(each, name) for name in _COLUMNS}
        cells |= {"id": str(each.pk), "decided_at": each.decided_at.isoformat(), "reasons": " ".join(each.reasons)}
        place = [bytes(each.subject_tag).hex(), each.batch_id, each.position]
        yield str(each.pk), [*(cells[name] for name in _COLUMNS), *place]


def _proven(decisions: Iterator[Decision]) -> Iterator[Line]:
    numbers: list[str] = []

    def noted() -> Iterator[Decision]:
        for decision in decisions:
            numbers.append(str(decision.pk))
            yield decision

    for proof in proofs.proven(noted()):
        yield numbers.pop(), proof
