"""Online rows held against the events that they are made of: read anew, and encoded apart from the triggers.

A row that is missing or open says nothing, and the events are read in its place; a row that says something else than
the events would be served.
"""

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from common.postgres.snapshot import one_snapshot
from personalization.models import Event, OnlineFeatures
from personalization.recommender.interactions import digest_of
from personalization.serving.features import NUMBERS

_ENTRY = struct.Struct(">QBfi")
_EPOCH = 2**31
_MOST = 5_000


@dataclass
class Checked:
    """How many rows were looked at, how many of them were open, and how many said something else than the events."""

    rows: int = 0
    open: int = 0
    different: int = 0


def check(rows: int, *, repair: bool = False) -> Checked:
    """Check so many rows, from a person drawn at random on; ``repair`` removes those that differ."""
    found = Checked()
    for row in _some(rows):
        found.rows += 1
        if row.recent is None:
            found.open += 1
        elif _differs(row.subject_ref, row.purpose):
            found.different += 1
            if repair:
                row.delete()
    return found


def _some(rows: int) -> Iterator[OnlineFeatures]:
    """Yield rows from a place drawn at random, and on from the beginning."""
    start = UUID(int=random.getrandbits(128))
    left = rows
    for part in (Q(subject_ref__gte=start), Q(subject_ref__lt=start)):
        for row in OnlineFeatures.objects.filter(part).order_by("subject_ref", "purpose")[:left]:
            left -= 1
            yield row


def _differs(subject_ref: UUID, purpose: str) -> bool:
    """Compare a row with the newest events, as of one moment."""
    with one_snapshot():
        row = OnlineFeatures.objects.filter(subject_ref=subject_ref, purpose=purpose).first()
        if row is None or row.recent is None:
            return False
        noted = bytes(row.older or b"") + bytes(row.recent)
        events = Event.objects.filter(subject_ref=subject_ref, purpose=purpose).order_by("-occurred_at", "-id")
        number = max(len(noted) // _ENTRY.size, _MOST)
        rows = events.values_list("item_id", "kind", "weight", "occurred_at")[:number]
        newest_first = [_entry(*event) for event in rows]
    return noted != b"".join(reversed(newest_first))


def _entry(item: str, kind: str, weight: float, moment: datetime) -> bytes:
    return _ENTRY.pack(digest_of(item), NUMBERS[kind], weight, int(moment.timestamp()) - _EPOCH)
