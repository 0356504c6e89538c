"""Intake of events: stored if the person allows their use; otherwise discarded at once, and the answer says so."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from uuid import UUID

from django.db import connection
from django.utils import timezone

from common.http.problems import InvalidRequest, Unavailable
from consent.signals import NO_SIGNALS, Signals
from personalization.models import Event, Item
from policies.decisions import evaluate
from policies.decisions.evaluate import Decision
from policies.decisions.questions import Question

WEIGHTS = {Event.Kind.VIEW: 1.0, Event.Kind.LIKE: 2.0, Event.Kind.PURCHASE: 3.0, Event.Kind.NOT_RELEVANT: 0.0}
_MAX_CLOCK_AHEAD = timedelta(minutes=5)
_ATTEMPTS = 4

# The row lock orders this insert and a withdrawal: whichever commits first, nothing is stored after a "no".
_INSERT = """
WITH allowed AS (
  SELECT 1 FROM consent_datasubject WHERE ref = %(subject)s AND revision = %(revision)s FOR SHARE
), stored AS (
  INSERT INTO personalization_event (id, subject_ref, purpose, kind, item_id, weight, occurred_at, received_at)
  SELECT %(id)s, %(subject)s, %(purpose)s, %(kind)s, %(item)s, %(weight)s, %(occurred_at)s, clock_timestamp()
  FROM allowed ON CONFLICT (id) DO NOTHING RETURNING 1
)
SELECT (SELECT count(*) FROM allowed), (SELECT count(*) FROM stored)
"""


class ItemUnknown(InvalidRequest):
    code = "item_unknown"
    title = "There is no such item in the catalogue"


class ClockAhead(InvalidRequest):
    code = "clock_ahead"
    title = "The event lies in the future"


@dataclass(frozen=True, kw_only=True)
class NewEvent:
    event_id: str
    sender: str
    subject_ref: UUID
    purpose: str
    kind: str
    item: str
    occurred_at: datetime
    value: int | None = None
    signals: Signals = NO_SIGNALS
    region: str | None = None
    processing_region: str

    def key(self) -> UUID:
        """Return the identity of an event: its sender's id, so that a repeat is known as one."""
        message = f"{self.sender}\x00{self.event_id}".encode()
        return UUID(bytes=blake2b(message, digest_size=16).digest())

    def weight(self) -> float:
        return float(self.value or 1) if self.kind == Event.Kind.RATING else WEIGHTS[Event.Kind(self.kind)]


@dataclass(frozen=True)
class Taken:
    stored: bool
    duplicate: bool
    decision: Decision


def take_in(event: NewEvent) -> Taken:
    """Decide, then store in a statement that counts only while the decision's grounds still hold.

    If the person's revision moved in between, the question is asked again. Raises ItemUnknown and ClockAhead.
    """
    if event.occurred_at > timezone.now() + _MAX_CLOCK_AHEAD:
        raise ClockAhead("occurred_at is more than five minutes ahead of this server's clock.")
    if not Item.objects.filter(pk=event.item).exists():
        raise ItemUnknown("Put the item into the catalogue first (PUT /api/v1/items).")
    for _ in range(_ATTEMPTS):
        decision = evaluate.decide(_question(event), caller=event.sender)
        if not decision.permitted:
            return Taken(stored=False, duplicate=False, decision=decision)
        allowed, stored = _insert(event, decision.subject_revision)
        if allowed:
            return Taken(stored=True, duplicate=not stored, decision=decision)
    raise Unavailable("This person's choices are changing right now. Send the event again.")


def _question(event: NewEvent) -> Question:
    return Question(
        subject_ref=event.subject_ref,
        action="collect",
        purpose=event.purpose,
        data_categories=(Event.CATEGORY[Event.Kind(event.kind)],),
        gpc=event.signals.gpc,
        gpp_opt_out=event.signals.gpp_opt_out,
        tcf_present=event.signals.tcf_present,
        tcf_purposes=event.signals.tcf_purposes,
        region=event.region,
        processing_region=event.processing_region,
    )


def _insert(event: NewEvent, revision: int) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            {
                "id": event.key(),
                "subject": event.subject_ref,
                "revision": revision,
                "purpose": event.purpose,
                "kind": event.kind,
                "item": event.item,
                "weight": event.weight(),
                "occurred_at": event.occurred_at,
            },
        )
        allowed, stored = cursor.fetchone()
    return int(allowed), int(stored)
