"""Rate limits on public and login-like paths, never on the decision path (docs/decisions/0013).

Every web process must agree on what is used up, so it stands in PostgreSQL: one upsert a check, in an UNLOGGED table.
The algorithm is GCRA, a token bucket kept as one time: when everything used up will have come back.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from math import ceil
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from common.http.problems import TooManyRequests
from common.models import RateBucket

_TAKE = """
INSERT INTO common_ratebucket AS bucket (key, restored_at) VALUES (%(key)s, %(now)s + %(step)s)
ON CONFLICT (key) DO UPDATE SET restored_at = GREATEST(bucket.restored_at, %(now)s) + %(step)s
WHERE GREATEST(bucket.restored_at, %(now)s) + %(step)s <= %(now)s + %(per)s
RETURNING restored_at
"""
_GIVE_BACK = "UPDATE common_ratebucket SET restored_at = restored_at - %(step)s WHERE key = %(key)s"
_WAIT = "SELECT restored_at + %(step)s - %(per)s - %(now)s FROM common_ratebucket WHERE key = %(key)s"


@dataclass(frozen=True)
class RateLimit:
    """Limit of ``times`` in ``per``: all of them at once, then one every ``per / times``."""

    name: str
    times: int
    per: timedelta

    def take(self, *who: str, amount: int = 1) -> None:
        """Consume ``amount`` for ``who``. Raises TooManyRequests, with nothing consumed, where less is left.

        Commits by itself unless the caller has opened a transaction, which it should not: the row stays locked.
        """
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, self._parameters(who, amount))
            if cursor.fetchone() is not None:
                return
            cursor.execute(_WAIT, self._parameters(who, amount))
            row = cursor.fetchone()
        wait = row[0] if row else self.per / self.times
        raise TooManyRequests(retry_after_s=max(1, ceil(wait.total_seconds())))

    def give_back(self, *who: str) -> None:
        """Undo one ``take``: successes do not count where only failures are limited."""
        with connection.cursor() as cursor:
            cursor.execute(_GIVE_BACK, self._parameters(who))

    def _parameters(self, who: tuple[str, ...], amount: int = 1) -> dict[str, Any]:
        return {
            "key": bucket_key(self.name, *who),
            "now": timezone.now(),
            "step": self.per / self.times * amount,
            "per": self.per,
        }


def bucket_key(*parts: str) -> bytes:
    """Return the keyed hash of a caller, as stored. Parts cannot run into each other."""
    message = b"".join(len(part.encode()).to_bytes(4) + part.encode() for part in parts)
    return hashlib.blake2b(message, digest_size=16, key=_key(settings.SECRET_KEY)).digest()


def forget_unused() -> int:
    """Delete buckets that have refilled: a missing bucket is a full one. Return the number of rows."""
    deleted, _ = RateBucket.objects.filter(restored_at__lt=timezone.now()).delete()
    return deleted


@lru_cache(maxsize=2)
def _key(secret: str) -> bytes:
    return hashlib.blake2b(secret.encode(), digest_size=32, person=b"assent rate").digest()
