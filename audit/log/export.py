"""Export what a filter finds: CSV for a spreadsheet, or JSON lines with the proof of each event, signed as a whole."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit import signing, trail
from audit.log.filters import Filter, events
from audit.log.verifying import FORMAT, TYP
from audit.models import AuditAnchor, AuditEvent
from common.canonical import sha256
from common.postgres.snapshot import one_snapshot
from common.spreadsheet import safe_cell

MAX_EVENTS = 10_000
_COLUMNS = ("position", "occurred_at", "action", "actor", "object", "details", "digest")


_in_head: list[Callable[[], dict[str, Any]]] = []


def add_to_head(*members: Callable[[], dict[str, Any]]) -> None:
    """Register functions that return what the packages above say in the head of JSON lines."""
    _in_head.extend(each for each in members if each not in _in_head)


def write(kind: str, chosen: Filter, *, actor: str) -> bytes:
    """Return the newest events that fit as ``csv`` or ``jsonl``, oldest first; the export is itself an event.

    At most ``MAX_EVENTS``; the JSON lines say whether that was all. Raises BadFilter.
    """
    trail.anchor()
    with one_snapshot():
        newest = list(events(chosen)[: MAX_EVENTS + 1])
        is_complete, found = len(newest) <= MAX_EVENTS, sorted(newest[:MAX_EVENTS], key=lambda event: event.position)
        content = _csv(found) if kind == "csv" else _jsonl(found, chosen, is_complete=is_complete)
    if kind == "jsonl":
        content = _signed(content)
    with transaction.atomic():
        details = {"format": kind, "events": len(found), "filters": chosen.named, "sha256": sha256(content).hex()}
        trail.record("audit_log.exported", "audit_log", actor=actor, details=details)
    return content


def _csv(found: Iterable[AuditEvent]) -> bytes:
    text = io.StringIO(newline="")
    lines = csv.writer(text)
    lines.writerow(_COLUMNS)
    for event in found:
        fields = trail.event_fields(event)
        details = json.dumps(fields["details"], ensure_ascii=False, sort_keys=True)
        texts = [safe_cell(value) for value in (fields["action"], fields["actor"], fields["object"], details)]
        lines.writerow([event.position, fields["occurred_at"], *texts, bytes(event.digest).hex()])
    return text.getvalue().encode()


def _jsonl(found: list[AuditEvent], chosen: Filter, *, is_complete: bool) -> bytes:
    head = {
        "format": FORMAT,
        "exported_at": timezone.now().isoformat(timespec="seconds"),
        "filters": chosen.named,
        "events": len(found),
        "is_complete": is_complete,
    }
    for members in _in_head:
        head |= members()
    return b"".join(_line(entry) for entry in (head, *_proven(found)))


def _signed(content: bytes) -> bytes:
    """Add a signature over all lines and the newest anchor, which a kept head can be compared with."""
    newest = AuditAnchor.objects.order_by("-sequence").first()
    head = {"sequence": newest.sequence, "digest": bytes(newest.digest).hex()} if newest else {}
    manifest = {"format": FORMAT, "sha256": sha256(content).hex(), "head": head or {"sequence": 0, "digest": ""}}
    token = signing.sign(json.dumps(manifest, sort_keys=True).encode(), typ=TYP)
    return content + _line({"jws": token})


def _line(entry: Any) -> bytes:
    return json.dumps(entry, ensure_ascii=False).encode() + b"\n"


def _proven(found: list[AuditEvent]) -> Iterator[dict[str, Any]]:
    """Yield events, given oldest first, each with its number, its digest and its path to the anchor that sealed it."""
    for event, proof in zip(found, trail.proven(found), strict=True):
        yield {"position": event.position, "digest": bytes(event.digest).hex(), **proof}
