"""Events: what they are, and how much each speaks for its item."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from hashlib import blake2b
from uuid import UUID

import msgspec

from common.http.problems import Conflict, InvalidRequest
from consent.signals import NO_SIGNALS, Signals
from personalization.models import Event
from policies.decisions.questions import Question

Kind = Event.Kind
_CATEGORIES: Mapping[str, tuple[str, ...]] = {str(kind): (category,) for kind, category in Event.CATEGORY.items()}
WEIGHTS: Mapping[str, float] = {
    Kind.VIEW: 1.0,
    Kind.CLICK: 1.0,
    Kind.DWELL: 1.0,
    Kind.LIKE: 2.0,
    Kind.PURCHASE: 3.0,
    Kind.NOT_RELEVANT: 0.0,
    Kind.DISMISS: 0.0,
    Kind.UNDO: 0.0,
}
LONG_DWELL_S = 30
"""Time spent from so many seconds on counts half as much again."""
MAX_CLOCK_AHEAD = timedelta(minutes=5)
MAX_AGE = timedelta(days=35)
DISMISSED_FOR = timedelta(days=30)
MIDDLE = 3  # of the ratings 1 to 5: what lies below is no liking


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


class NewEvent(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Event as it is taken in; a thousand of them are made for one request."""

    event_id: str
    sender: str
    subject_ref: UUID
    purpose: str
    kind: str
    item: str
    occurred_at: datetime
    value: int | None = None
    amount: Decimal | None = None
    currency: str | None = None
    signals: Signals = NO_SIGNALS
    region: str | None = None
    processing_region: str

    @cached_property
    def key(self) -> bytes:
        """Return the identity of an event, the bytes of a UUID: its sender's id, so that a repeat is known as one."""
        return blake2b(f"{self.sender}\x00{self.event_id}".encode(), digest_size=16).digest()

    def content(self) -> tuple[object, ...]:
        """Return what happened: a repeat of an event says the same."""
        return (
            self.subject_ref, self.purpose, str(self.kind), self.item, self.value, self.amount, self.currency,
            self.occurred_at,
        )  # fmt: skip

    def weight(self) -> float:
        """Return how much it speaks for the item, 0 for not at all."""
        return weight_of(self.kind, self.value)

    def question(self) -> Question:
        """Return the question whether it may be stored."""
        return Question(
            subject_ref=self.subject_ref,
            action="collect",
            purpose=self.purpose,
            data_categories=_CATEGORIES[self.kind],
            gpc=self.signals.gpc,
            gpp_opt_out=self.signals.gpp_opt_out,
            tcf_present=self.signals.tcf_present,
            tcf_purposes=self.signals.tcf_purposes,
            region=self.region,
            processing_region=self.processing_region,
        )


def weight_of(kind: str, value: int | None) -> float:
    """Return how much an event of a kind speaks for its item, 0 for not at all."""
    if kind == Kind.RATING:
        return float(value) if value is not None and value >= MIDDLE else 0.0
    if kind == Kind.DWELL and (value or 0) >= LONG_DWELL_S:
        return 1.5
    return WEIGHTS[kind]
