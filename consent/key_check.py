"""Check of ``SUBJECT_KEY`` against the database it belongs to.

Under another key every person is unknown, and a save makes a second person of the same one. So the database keeps a
value derived from the key, from which the key cannot be found, and a process with another key does not start.
"""

import hashlib
import hmac

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit import trail
from common.models import KeyCheck

_NAME = "subject_key"


class WrongSubjectKey(Exception):
    """Refusal of a ``SUBJECT_KEY`` that is not the one this database was filled under."""

    def __init__(self) -> None:
        super().__init__(
            "SUBJECT_KEY is not the key this database was filled under: every person would be unknown, and each save"
            " would make a second person. Start with the former key (docs/operations.md, Keys)."
        )


def ensure() -> None:
    """Store the check value where there is none yet. Raises WrongSubjectKey."""
    KeyCheck.objects.get_or_create(name=_NAME, defaults={"value": _value(), "created_at": timezone.now()})
    require()


def require() -> None:
    """Raise WrongSubjectKey if the database was filled under another key."""
    if not matches():
        raise WrongSubjectKey


def matches() -> bool:
    """Say whether the key is the database's; a database without a check value is any key's."""
    stored = KeyCheck.objects.filter(name=_NAME).values_list("value", flat=True).first()
    return stored is None or hmac.compare_digest(bytes(stored), _value())


@transaction.atomic
def replace(*, actor: str) -> None:
    """Take the key of this process as the database's from now on. All people under the former one become unknown."""
    KeyCheck.objects.update_or_create(name=_NAME, defaults={"value": _value(), "created_at": timezone.now()})
    trail.record("subject_key.replaced", "subject_key", actor=actor, details={})


def _value() -> bytes:
    return hashlib.blake2b(b"assent subject key check 1", digest_size=32, key=settings.SUBJECT_KEY[:64]).digest()
