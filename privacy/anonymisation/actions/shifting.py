"""Dates moved by a number of days that is constant for a person: the intervals between a person's dates stay.

The number is made from the key and the person: 1 to ``days``, forward or back, never 0. What stays visible: all that is
said between two dates of one person, the time of the day, and that no date lies further than ``days`` from the truth.
"""

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from privacy.anonymisation.actions import cells
from privacy.anonymisation.actions.acting import OfPerson, Pairs, Refused
from privacy.anonymisation.actions.forms import spelt
from privacy.anonymisation.actions.keys import KeyRing

DAYS = 365
_USE = "shift"
_TIME = r"[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?"
_DATE = re.compile(rf"(?P<date>\d{{4}}-\d\d-\d\d)(?P<rest>(?:{_TIME})?)", re.ASCII)


def days_of(person: str, ring: KeyRing, days: int) -> int:
    """Return by how many days the dates of a person are moved."""
    digest = hmac.digest(ring.current.for_use(_USE), spelt(person).encode(), hashlib.sha256)
    place = int.from_bytes(digest[:8]) % (2 * days)
    return place - days if place < days else place - days + 1


def moved(text: str, days: int) -> str:
    """Return a date, or a date and time, that many days later. Raises Unfit."""
    found = _DATE.fullmatch(text.strip())
    if found is None:
        raise cells.Unfit("it holds no date as 1965-03-10 or 1965-03-10T12:30, so it cannot be moved.")
    try:
        return (dt.date.fromisoformat(found["date"]) + dt.timedelta(days)).isoformat() + found["rest"]
    except (ValueError, OverflowError):
        raise cells.Unfit("its date is in no calendar, or would leave the years 1 to 9999 when moved.") from None


class Shifting(OfPerson):
    def __init__(self, column: str, person: str, ring: KeyRing, days: int = DAYS) -> None:
        super().__init__(column, person)
        self._ring, self._days = ring, days

    def apply(self, part: Mapping[str, pa.Array], first_row: int) -> pa.Array:
        shown, kind = super().apply(part, first_row), part[self._column].type
        return shown.dictionary_decode().cast(kind) if pa.types.is_temporal(kind) else shown

    def _changed(self, pairs: Pairs, refused: Refused) -> Sequence[str | None]:
        texts: list[str | None] = []
        by = {person: days_of(person, self._ring, self._days) for person in {person for person, _ in pairs}}
        for place, (person, value) in enumerate(pairs):
            try:
                is_date = value is not None and cells.is_stated(value)
                texts.append(moved(value, by[person]) if is_date and value else value)
            except cells.Unfit as why:
                raise refused(place, why) from None
        return texts

    @property
    def said(self) -> Mapping[str, Any]:
        return {"cells": self._cells, "days": self._days, "key": self._ring.current.id}
