"""Codes by e-mail: eight digits that prove an address, for a quarter of an hour and a few tries.

The code is made when the letter leaves, so that no queue and no table holds it; the database keeps a keyed hash.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F

from common.http.rate_limit import RateLimit
from privacy.rights.models import RightsRequest
from privacy.rights.requesters.models import Requester

LASTS = timedelta(minutes=15)
MOST_TRIES = 5
MOST_CODES = 5
_DIGITS = 8
_FOR_ADDRESS = RateLimit("codes to an address", 6, per=timedelta(days=1))


class Outcome(StrEnum):
    RIGHT = "right"
    WRONG = "wrong"
    # The code has ended, or was tried too often; another can be sent.
    ENDED = "ended"
    # No further code is sent: an officer looks.
    USED_UP = "used_up"


@dataclass(frozen=True)
class Tried:
    outcome: Outcome
    tries_left: int = 0


def take(tag: UUID) -> None:
    """Count a code to an address, whether or not one is sent. Raises TooManyRequests."""
    _FOR_ADDRESS.take(str(tag))


def make(found: Requester, now: datetime) -> str:
    """Return a new code; the former one ends. The caller sends it and keeps it nowhere."""
    code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
    Requester.objects.filter(pk=found.pk).update(
        code_hash=_hash(found, code), code_expires_at=now + LASTS, tries=0, codes_sent=F("codes_sent") + 1
    )
    return code


@transaction.atomic
def check(request: RightsRequest, code: str, now: datetime) -> Tried:
    """Try a code. Each try counts, also among several at once; a right code is used up."""
    found = Requester.objects.select_for_update().get(request=request)
    if found.code_hash is None or found.code_expires_at is None or found.code_expires_at <= now:
        return _over(found)
    found.tries += 1
    is_right = hmac.compare_digest(bytes(found.code_hash), _hash(found, "".join(code.split())))
    if is_right or found.tries >= MOST_TRIES:
        found.code_hash = None
    if is_right:
        found.proven_at, found.codes_sent = now, 0
    found.save(update_fields=["tries", "code_hash", "proven_at", "codes_sent"])
    if is_right:
        return Tried(Outcome.RIGHT)
    left = MOST_TRIES - found.tries
    return Tried(Outcome.WRONG, left) if left else _over(found)


def _over(found: Requester) -> Tried:
    return Tried(Outcome.USED_UP if found.codes_sent >= MOST_CODES else Outcome.ENDED)


def _hash(found: Requester, code: str) -> bytes:
    key = hashlib.blake2b(settings.SECRET_KEY.encode(), digest_size=32, person=b"assent code").digest()
    return hashlib.blake2b(f"{found.pk}\n{code}".encode(), digest_size=32, key=key).digest()
