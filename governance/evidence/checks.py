"""Verification of the audit trail, the consent ledger and the decision log, with the result kept for officers.

The result is an event of the trail itself, ``trail.verified`` or ``trail.broken``: it is sealed with everything else,
and the start page shows the last one. Nothing of the evidence is ever changed.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from audit import trail
from audit.models import AuditEvent
from common.postgres import advisory
from common.postgres.snapshot import one_snapshot
from consent.ledger import sealed_people, verification
from governance.evidence import guards, heads, registers
from policies.decision_log import chain
from policies.opa import reported_log

logger = logging.getLogger(__name__)
VERIFIED, BROKEN = "trail.verified", "trail.broken"
_ONE_FULL_CHECK = 0x76657269  # "veri", an advisory lock of ours
LASTS = timedelta(hours=36)  # a night may be missed, not two


class FullCheckRuns(Exception):
    """Refusal of a second check that reads all evidence: one alone reads as fast as the disk lets it."""

    def __init__(self) -> None:
        super().__init__("Another full check of the evidence is under way; start this one when that has ended.")


@dataclass(frozen=True)
class LastCheck:
    """Result of the last full check. ``ok`` is None where there is none, or none lately."""

    ok: bool | None
    checked: datetime | None
    broken: str
    events: int
    records: int
    decisions: int


@dataclass(frozen=True)
class Checked:
    """Anchor and decision batch up to which a check found everything in order; 0 for the beginning."""

    anchor: int = 0
    batch: int = 0


def checked_before() -> Checked:
    """Return up to where the last recorded check came, or the beginning where it found a breach."""
    event = _last_event()
    if event is None or event.action == BROKEN:
        return Checked()
    return Checked(event.details.get("anchor", 0), event.details.get("batch", 0))


@contextmanager
def only_full_check() -> Iterator[None]:
    """Be the only full check of this database for the block. Raises FullCheckRuns."""
    with advisory.held(_ONE_FULL_CHECK) as is_held:
        if not is_held:
            raise FullCheckRuns
        yield


def check(*, actor: str, full: bool = False) -> bool:
    """Recompute digests, roots and links; record the result and return whether all of it holds.

    Trail and decision log go on from the last check that found all in order; ``full`` begins at the beginning.
    """
    before = Checked() if full else checked_before()
    with one_snapshot():
        head = heads.current()
        events, log = trail.verify(after_anchor=before.anchor), chain.verify(after_batch=before.batch)
        ledger = verification.verify_ledger()
        reported = reported_log.verify()
        beside = [found for found in besides().values() if found]
    broken = [verdict.broken for verdict in (events, ledger, log, reported) if verdict.broken] + beside
    details = {
        "events": events.events,
        "records": ledger.records,
        "decisions": log.decisions,
        "reported_decisions": reported.decisions,
        "anchor": head.anchors,
        "batch": head.batches,
        "broken": "; ".join(broken),
    }
    if broken:
        logger.error("The evidence does not hold together: %s", details["broken"])
    trail.record(BROKEN if broken else VERIFIED, "evidence", actor=actor, details=details)
    return not broken


def besides() -> dict[str, str | None]:
    """Check what is not a chain of its own; return by name what does not hold, or None."""
    return {
        "Region, age band and signals of people": sealed_people.broken(),
        "Registers": registers.broken(),
        "Guards of append-only tables": guards.broken(),
        "Heads": heads.lost_since_sealed() or heads.lost_since_written(),
    }


def _last_event() -> AuditEvent | None:
    return AuditEvent.objects.filter(object="evidence", action__in=(VERIFIED, BROKEN)).order_by("-position").first()


def last_check() -> LastCheck:
    event = _last_event()
    if event is None:
        return LastCheck(None, None, "", 0, 0, 0)
    found = event.details
    is_recent = event.occurred_at > timezone.now() - LASTS
    # A breach stays a breach until a later check finds none.
    ok = False if event.action == BROKEN else True if is_recent else None
    counts = (found["events"], found["records"], found["decisions"])
    return LastCheck(ok, event.occurred_at, found["broken"], *counts)
