"""Pseudonymisation: turn the business's own id of a person into the pseudonym used everywhere else.

A keyed BLAKE2b (RFC 7693) of 128 bits, written as a UUID. Without the key, which never enters the database, it cannot
be tested whether a known id is in the register. The raw id is not stored, logged or put into an error.
"""

import hashlib
from uuid import UUID

from django.conf import settings


def subject_ref(business_id: str, *, subject_type: str = "data_subject") -> UUID:
    """Return the pseudonym of ``business_id``. The type is part of it: two name spaces never meet."""
    return ref_under(settings.SUBJECT_KEY, business_id, subject_type=subject_type)


def ref_under(key: bytes, business_id: str, *, subject_type: str = "data_subject") -> UUID:
    """Return the pseudonym under a given key: another cell has its own."""
    message = f"{subject_type}\x00{business_id}".encode()
    return UUID(bytes=hashlib.blake2b(message, digest_size=16, key=key[:64]).digest())
