"""Intake of events: stored if the person allows their use; otherwise discarded at once, and the answer says so."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from common.http.problems import Conflict, InvalidRequest, Unavailable
from consent.signals import NO_SIGNALS, Signals
from personalization.models import Event, Item
from policies.decisions import evaluate
from policies.decisions.evaluate import Decision
from policies.decisions.questions import Question

WEIGHTS = {Event.Kind.VIEW: 1.0, Event.Kind.LIKE: 2.0, Event.Kind.PURCHASE: 3.0, Event.Kind.NOT_RELEVANT: 0.0}
_MAX_CLOCK_AHEAD = timedelta(minutes=5)
MAX_AGE = timedelta(days=35)
_ATTEMPTS = 4
MIDDLE = 3  # of the ratings 1 to 5: what lies below is no liking

# The row lock orders this insert and a withdrawal: whichever commits first, nothing is stored after a "no". The key of
# an event is its time and its id, which finds a repeat; one of the same person with another time is looked for.
_INSERT = """
WITH allowed AS (
  SELECT 1 FROM consent_datasubject WHERE ref = %(subject_ref)s AND revision = %(revision)s FOR SHARE
), stored AS (
  INSERT INTO personalization_event (id, subject_ref, purpose, kind, item_id, value, weight, occurred_at, received_at)
  SELECT %(id)s, %(subject_ref)s, %(purpose)s, %(kind)s, %(item_id)s, %(value)s, %(weight)s,
    %(occurred_at)s, clock_timestamp()
  FROM allowed WHERE NOT EXISTS (
    SELECT FROM personalization_event
    WHERE id = %(id)s AND subject_ref = %(subject_ref)s AND purpose = %(purpose)s
      AND occurred_at BETWEEN %(occurred_at)s - interval '35 days' AND %(occurred_at)s + interval '35 days'
  ) ON CONFLICT DO NOTHING RETURNING 1
)
SELECT (SELECT count(*) FROM allowed), (SELECT count(*) FROM stored)
"""


class ItemUnknown(InvalidRequest):
    code = "item_unknown"
    title = "There is no such item in the catalogue"


class EventIdTaken(Conflict):
    code = "event_id_taken"
    title = "This event id stands for another event"


class ClockAhead(InvalidRequest):
    code = "clock_ahead"
    title = "The event lies in the future"


class EventTooOld(InvalidRequest):
    code = "event_too_old"
    title = "The event is too old"


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
        if self.kind != Event.Kind.RATING:
            return WEIGHTS[Event.Kind(self.kind)]
        return float(self.value) if self.value is not None and self.value >= MIDDLE else 0.0

    def content(self) -> dict[str, Any]:
        """Return the columns that say what happened: a repeat of the event has the same."""
        return {
            "subject_ref": self.subject_ref,
            "purpose": self.purpose,
            "kind": str(self.kind),
            "item_id": self.item,
            "value": self.value if self.kind == Event.Kind.RATING else None,
            "occurred_at": self.occurred_at,
        }


@dataclass(frozen=True)
class Taken:
    stored: bool
    duplicate: bool
    decision: Decision


def positive() -> QuerySet[Event]:
    """Return the events that speak for an item: what came before the person's no about it speaks no longer."""
    later_no = Event.objects.filter(
        subject_ref=OuterRef("subject_ref"),
        purpose=OuterRef("purpose"),
        item=OuterRef("item"),
        weight=0,
        occurred_at__gte=OuterRef("occurred_at"),
    )
    return Event.objects.filter(~Exists(later_no), weight__gt=0)


def take_in(event: NewEvent) -> Taken:
    """Decide, then store in a statement that counts only while the decision's grounds still hold.

    If the person's revision moved in between, the question is asked again. Raises ItemUnknown, ClockAhead, EventTooOld
    and EventIdTaken.
    """
    if event.occurred_at > timezone.now() + _MAX_CLOCK_AHEAD:
        raise ClockAhead("occurred_at is more than five minutes ahead of this server's clock.")
    if event.occurred_at < timezone.now() - MAX_AGE:
        raise EventTooOld(f"occurred_at is more than {MAX_AGE.days} days ago. Older events are not taken in.")
    if not Item.objects.filter(pk=event.item).exists():
        raise ItemUnknown("Put the item into the catalogue first (PUT /api/v1/items).")
    for _ in range(_ATTEMPTS):
        decision = evaluate.decide(_question(event), caller=event.sender)
        if not decision.permitted:
            return Taken(stored=False, duplicate=False, decision=decision)
        allowed, stored = _insert(event, decision.subject_revision)
        if allowed:
            if not stored:
                _require_same(event)
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


def _require_same(event: NewEvent) -> None:
    """Raise EventIdTaken unless what is stored under the event's id is this event."""
    if not Event.objects.filter(pk=event.key(), **event.content()).exists():
        raise EventIdTaken("Nothing was stored. Send each event under an event_id of its own.")


def _insert(event: NewEvent, revision: int) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            {
                **event.content(),
                "id": event.key(),
                "revision": revision,
                "weight": event.weight(),
            },
        )
        allowed, stored = cursor.fetchone()
    return int(allowed), int(stored)
