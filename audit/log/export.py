"""Export what a filter finds: CSV for a spreadsheet, or JSON lines with the proof of each event, signed as a whole."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from audit import trail
from audit.exports import writing
from audit.exports.writing import Line, Written
from audit.log.filters import Filter, wanted
from audit.log.verifying import FORMAT, TYP
from audit.models import AuditAnchor, AuditEvent
from common.admin_pages.log_filters import BadFilter
from common.postgres.snapshot import one_snapshot

PAGE = 2_000
_COLUMNS = ("position", "occurred_at", "action", "actor", "object", "details", "digest")


def write(kind: str, chosen: Filter, *, actor: str, after: str = "", written: Written | None = None) -> Iterator[bytes]:
    """Return the events that fit as ``csv`` or ``jsonl``, oldest first, in pieces; the export is itself two events.

    ``after``: the event that an earlier file ended with. Raises BadFilter before anything is written.
    """
    trail.anchor()
    if after and not after.isdecimal():
        raise BadFilter("A file goes on after the number of an event.")
    chosen.place()
    found, details = wanted(chosen), {"format": kind, "filters": chosen.named, **({"after": after} if after else {})}
    trail.record("audit_log.exported", "audit_log", actor=actor, details=details)
    return _pieces(kind, chosen, found.filter(position__gt=int(after or 0)), written or Written(), actor, details)


def _pieces(
    kind: str, chosen: Filter, found: QuerySet[AuditEvent], written: Written, actor: str, details: dict[str, Any]
) -> Iterator[bytes]:
    with one_snapshot():
        newest = AuditAnchor.objects.order_by("-sequence").first()
        # Only what is sealed: a later event can still be in a transaction that others do not see.
        events = _events(found.filter(position__lte=newest.last_position if newest else 0))
        if kind == "csv":
            yield from writing.as_csv(_COLUMNS, _rows(events), written)
        else:
            # What the export was asked for, ``after`` among it: a file that begins later says so under its signature.
            head = {**details, "format": FORMAT}
            yield from writing.as_signed_lines(head, _proven(events), written, typ=TYP, heads=_heads(newest))
    whole = {"events": written.lines, "sha256": written.sha256, "is_complete": written.is_complete}
    with transaction.atomic():
        trail.record("audit_log.export_written", "audit_log", actor=actor, details={**details, **whole})


def _events(found: QuerySet[AuditEvent]) -> Iterator[AuditEvent]:
    """Yield events page by page, each page from the event where the one before ended."""
    after = 0
    while page := list(found.filter(position__gt=after).order_by("position")[:PAGE]):
        yield from page
        after = page[-1].position


def _heads(newest: AuditAnchor | None) -> dict[str, Any]:
    """Return the newest anchor, which a kept head can be compared with."""
    head = {"sequence": newest.sequence, "digest": bytes(newest.digest).hex()} if newest else None
    return {"head": head or {"sequence": 0, "digest": ""}}


def _rows(events: Iterator[AuditEvent]) -> Iterator[Line]:
    as_text = partial(json.dumps, ensure_ascii=False, sort_keys=True)
    for event in events:
        fields = trail.event_fields(event)
        texts = [fields["action"], fields["actor"], fields["object"], as_text(fields["details"])]
        yield str(event.position), [event.position, fields["occurred_at"], *texts, bytes(event.digest).hex()]


def _proven(events: Iterator[AuditEvent]) -> Iterator[Line]:
    """Yield events with number and digest, and their path to the anchor that sealed them."""
    digests: list[tuple[int, str]] = []

    def noted() -> Iterator[AuditEvent]:
        for event in events:
            digests.append((event.position, bytes(event.digest).hex()))
            yield event

    for proof in trail.proven(noted()):
        position, digest = digests.pop()
        yield str(position), {"position": position, "digest": digest, **proof}
