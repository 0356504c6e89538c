"""Note withdrawals, retention runs and new signing keys in the erasure ledger, from the sealed part of the audit trail.

Up to an anchor every position is settled, so nothing that commits late is passed over. A withdrawal is open for as long
as the next run takes, a minute.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db.models import Max

from audit.models import AuditAnchor, AuditEvent, SigningKey
from common.postgres import advisory
from consent.models import ConsentRecord
from privacy.erasures import ledger
from privacy.models import Disposal

STATES = {"consent.withdrawn": "withdraw", "consent.objected": "object", "consent.refused": "refuse"}
_PAGE = 1_000
_LOCK = 0x65726173  # "eras"


def note() -> int:
    """Add lines for what the trail sealed since the last run; return how many."""
    with advisory.held(_LOCK) as is_held:
        return _note() if is_held else 0


def _note() -> int:
    anchor = AuditAnchor.objects.order_by("-sequence").first()
    noted, after = 0, noted_upto()
    while anchor is not None and after < anchor.last_position:
        events = list(
            AuditEvent.objects.filter(position__gt=after, position__lte=anchor.last_position).order_by("position")[
                :_PAGE
            ]
        )
        lines = list(_lines(events, bytes(anchor.digest).hex()))
        ledger.append(lines)
        noted += len(lines)
        after = events[-1].position if len(events) == _PAGE else anchor.last_position
        _cursor_file().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _cursor_file().write_text(str(after), encoding="ascii")
    return noted


def noted_upto() -> int:
    """Return the position of the trail up to which all is noted."""
    try:
        return int(_cursor_file().read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return 0


def start_after_the_present() -> None:
    """Go on from the newest position of this database: after a restore and its replay, whose lines are there."""
    last = AuditEvent.objects.aggregate(last=Max("position"))["last"] or 0
    _cursor_file().write_text(str(last), encoding="ascii")


def _cursor_file() -> Path:
    return ledger.path().parent / "noted_upto"


def _lines(events: list[AuditEvent], head: str) -> Iterator[dict[str, Any]]:
    said = [event.details.get("record") for event in events if event.action in STATES]
    who = ledger.marker()
    scopes = dict(ConsentRecord.objects.filter(id__in=said).values_list("id", "scope"))
    for event in events:
        shared = {"position": event.position, "head": head}
        if event.action in STATES:
            record = event.details["record"]
            yield {
                "kind": "withdrawal",
                "choice": STATES[event.action],
                "who": who(UUID(event.object)),
                "purpose": event.details["purpose"],
                "scope": scopes.get(UUID(record), ""),
                "record": record,
                "record_digest": event.details["digest"],
                "cut_off": event.occurred_at.isoformat(),
                **shared,
            }
        elif event.action == "disposal.done" and event.details["reason"] == Disposal.Reason.RETENTION:
            run = Disposal.objects.get(pk=event.details["disposal"])
            what = {"purpose": event.details["purpose"], "schedule": run.schedule, "terms": run.terms}
            yield {"kind": "retention", **what, "cut_off": run.before.isoformat(), "run": str(run.pk), **shared}
        elif event.action == "signing_key.created":
            yield from ({**_key(key), **shared} for key in SigningKey.objects.filter(kid=event.object))


def _key(key: SigningKey) -> dict[str, str]:
    """Return what is needed to know a key again: its public half, and the salt, which is nothing without the secret."""
    halves = {"salt": bytes(key.salt).hex(), "public_key": bytes(key.public_key).hex()}
    return {"kind": "signing_key", "kid": key.kid, **halves, "made_at": key.created_at.isoformat()}
