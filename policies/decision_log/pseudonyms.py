"""Pseudonyms of subjects in the decision log, rotated every month.

Within a month a person's own decisions can be found again, to show them to that person. The months have keys of their
own; once a key is deleted, entries of its month can no longer be joined to a person or to each other's months.
"""

import os
import time
from collections.abc import Callable, Iterable
from hashlib import blake2b
from uuid import UUID

from django.db import DatabaseError, transaction

from policies.models import PeriodKey

KEPT_PERIODS = 3
_keys: dict[str, bytes] = {}
_current: tuple[int, bytes] = (-1, b"")


def period_of(epoch: float) -> str:
    return time.strftime("%Y-%m", time.gmtime(epoch))


def tag(subject_ref: UUID, epoch: float) -> bytes:
    """Return the 32 hexadecimal digits that stand for a person in the month of ``epoch``."""
    global _current
    hour = int(epoch) // 3600
    if _current[0] != hour:
        key = _key(period_of(epoch))
        if key is None:
            # No database, no joinable tag; the denial that follows must still be logged.
            return os.urandom(16).hex().encode()
        _current = (hour, key)
    return blake2b(subject_ref.bytes, digest_size=16, key=_current[1]).hexdigest().encode()


def tags_of(subject_ref: UUID) -> list[bytes]:
    """Return every tag under which the log can still show this person's decisions."""
    return [tag_under(bytes(key), subject_ref) for key in PeriodKey.objects.values_list("key", flat=True)]


def tag_under(key: bytes, subject_ref: UUID) -> bytes:
    """Return a person's tag under the key of a month."""
    return blake2b(subject_ref.bytes, digest_size=16, key=key).digest()


def _key(period: str) -> bytes | None:
    if period not in _keys:
        try:
            with transaction.atomic():
                stored, _ = PeriodKey.objects.get_or_create(period=period, defaults={"key": os.urandom(32)})
        except DatabaseError:
            return None
        _keys[period] = bytes(stored.key)
    return _keys[period]


@transaction.atomic
def forget_old_keys(*, before: Callable[[Iterable[PeriodKey]], None] | None = None) -> int:
    """Delete the keys of all but the last KEPT_PERIODS months; return their number. ``before`` gets them first."""
    kept = list(PeriodKey.objects.order_by("-period").values_list("period", flat=True)[:KEPT_PERIODS])
    old = list(PeriodKey.objects.exclude(period__in=kept))
    if before is not None:
        before(old)
    PeriodKey.objects.filter(pk__in=[key.pk for key in old]).delete()
    return len(old)
