"""Events as requests say them, and as they are taken in."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from django.conf import settings
from pydantic import AwareDatetime, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from common import patterns
from common.http.rest import Body
from consent.api import SubjectBody
from consent.signals import Signals as DecodedSignals
from consent.signals import gpc
from consent.signals import read as read_signals
from personalization.events import NewEvent
from personalization.models import Event

ITEM = f"^{patterns.NAME}$"
Slug = Annotated[str, Field(pattern=ITEM)]
Amount = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,2})?$")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Purpose = Annotated[str, Field(pattern=f"^{patterns.SLUG}$")]
ProcessingRegion = Annotated[str, Field(pattern=f"^{patterns.PROCESSING_REGION}$")]
# RFC 3339 in the years 1970 to 9998: what lies outside could not be stored and read back as a moment in UTC.
_MOMENT = (
    r"^(19[7-9][0-9]|[2-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8])-[0-9]{2}-[0-9]{2}"
    r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
_A_MOMENT = re.compile(_MOMENT)
MOST_SECONDS = 14_400
_NAMES = {"not_relevant": Event.Kind.NOT_RELEVANT}
_WITH_VALUE = ("rating", "dwell")
_BEST = 5


def _if(kinds: Sequence[str], then: dict[str, Any]) -> dict[str, Any]:
    return {"if": {"properties": {"type": {"enum": list(kinds)}}, "required": ["type"]}, "then": then}


def _only(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"properties": {name: schema}, "required": [name]}


# What the members alone cannot say, as JSON Schema.
_TOGETHER: dict[str, Any] = {
    "allOf": [
        _if(["rating"], _only("value", {"type": "integer", "maximum": _BEST})),
        _if(["dwell"], _only("value", {"type": "integer"})),
        *(
            {"if": _only(one, {"type": kind}), "then": _only(other, {"type": other_kind})}
            for one, kind, other, other_kind in (
                ("amount", "string", "currency", "string"),
                ("currency", "string", "amount", "string"),
                ("stream", "string", "sequence", "integer"),
                ("sequence", "integer", "stream", "string"),
            )
        ),
        {"if": _only("amount", {"type": "string"}), "then": _only("type", {"const": "purchase"})},
    ]
}


def _datetime(value: Any) -> datetime:
    try:
        if _A_MOMENT.fullmatch(value):
            return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        pass  # Python's own message quotes the value
    raise ValueError("must be a moment as 2026-01-31T10:00:00Z, with a time zone, between the years 1970 and 9998")


class Signals(Body):
    """Signals of the person's software: Global Privacy Control, IAB GPP and TCF strings as they arrived."""

    gpc: bool = False
    gpp: Annotated[str, Field(max_length=32_768)] | None = None
    tcf: Annotated[str, Field(max_length=32_768)] | None = None

    def read(self, environ: Mapping[str, Any]) -> DecodedSignals:
        """Decode them, with the header of the request itself. An unreadable signal counts as the strictest."""
        is_set = self.gpc or gpc.is_set_in_environ(environ)
        return read_signals({"gpc": is_set, "gpp": self.gpp, "tcf": self.tcf})


class EventBody(Body):
    """An event of a person. The same event sent again changes nothing; another one of its ``event_id`` is a conflict.

    A ``rating`` needs its ``value`` from 1 to 5; below 3 it says that the person does not like the item. ``dwell``
    needs the seconds. Only a ``purchase`` has an ``amount``, with its ``currency``. ``not_relevant`` keeps the item
    from the person's lists, ``dismiss`` for 30 days, and ``undo`` takes either back.

    ``stream`` and ``sequence`` are for senders that count: one stream of a page or an app, numbered from 0 without a
    gap, so that events which never arrived are known in number.
    """

    model_config = ConfigDict(json_schema_extra=_TOGETHER)

    version: Literal[1] = 1
    event_id: Slug
    subject: SubjectBody
    purpose: Purpose = "recommendations"
    type: Literal["view", "click", "dwell", "like", "rating", "purchase", "not_relevant", "dismiss", "undo"]
    item: Slug
    value: Annotated[Annotated[int, Field(ge=1, le=MOST_SECONDS)] | None, Field(validate_default=True)] = None
    amount: Amount | None = None
    currency: Currency | None = None
    occurred_at: Annotated[AwareDatetime, BeforeValidator(_datetime), Field(json_schema_extra={"pattern": _MOMENT})]
    signals: Signals = Signals()
    processing_region: ProcessingRegion | None = None
    stream: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{16,64}$")] | None = None
    sequence: Annotated[int, Field(ge=0, le=1_000_000)] | None = None

    @field_validator("value")
    @classmethod
    def _fits_its_type(cls, value: int | None, info: ValidationInfo) -> int | None:
        kind = info.data.get("type")
        if value is None and kind == "rating":
            raise ValueError("a rating needs a value from 1 to 5")
        if value is None and kind == "dwell":
            raise ValueError(f"dwell needs the seconds, from 1 to {MOST_SECONDS}")
        if value is not None and value > _BEST and kind == "rating":
            raise ValueError("a rating is from 1 to 5")
        return value

    @model_validator(mode="after")
    def _amounts_and_streams(self) -> Self:
        if (self.amount is None) != (self.currency is None) or (self.amount is not None and self.type != "purchase"):
            raise ValueError("amount and currency are given together, of a purchase only")
        if (self.stream is None) != (self.sequence is None):
            raise ValueError("stream and sequence are given together")
        return self

    def event(self, sender: str, read: DecodedSignals, subject_ref: UUID) -> NewEvent:
        """Return the event as it is taken in; ``subject_ref`` is its subject's, which costs more than all the rest."""
        return NewEvent(
            event_id=self.event_id,
            sender=sender,
            subject_ref=subject_ref,
            purpose=self.purpose,
            kind=_NAMES.get(self.type, self.type),
            item=self.item,
            value=self.value if self.type in _WITH_VALUE else None,
            amount=None if self.amount is None else Decimal(self.amount),
            currency=self.currency,
            occurred_at=self.occurred_at,
            region=self.subject.region,
            signals=read,
            processing_region=self.processing_region or settings.PROCESSING_REGION,
        )
