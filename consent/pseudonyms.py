"""Pseudonymisation: turn the business's own id of a person into the pseudonym used everywhere else.

A keyed BLAKE2b (RFC 7693) of 128 bits, written as a UUID. Without the key, which never enters the database, it cannot
be tested whether a known id is in the register. The raw id is not stored, logged or put into an error.

An id has one spelling: Unicode normalisation form C, without white space and invisible characters at its ends; case
is kept (docs/decisions/0030). Every door comes through here, so the same person is not two.
"""

import hashlib
import re
import unicodedata
from uuid import UUID

from django.conf import settings

# What a spreadsheet makes of a long number or of the end of a float column: different people end up under one text.
_NUMBER = re.compile(r"-?\d{1,3}([.,]\d+)?E[+-]\d+|-?\d+\.0+", re.IGNORECASE | re.ASCII)
# Words that programs write where a value is missing.
_MISSING = frozenset(
    (
        "null", "(null)", "<null>", "nan", "-nan", "nat", "na", "<na>", "n/a", "none", "undefined", "\\n", "#n/a",
        "#null!", "#num!", "#name?", "#ref!", "#value!", "#div/0!",
    )
)  # fmt: skip
_INVISIBLE = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
_JOINERS = "\u200c\u200d"  # part of the spelling in several scripts
UNUSABLE = (
    "must name one person: not a word for a missing value, not a number as a spreadsheet rounds it, "
    "and without control characters"
)


def normal(business_id: str) -> str:
    """Return the one spelling of an id; empty where nothing visible is in it."""
    if business_id.isascii() and business_id.isprintable():
        return business_id.strip(" ")
    start, end = 0, len(business_id)
    while start < end and _is_invisible(business_id[start]):
        start += 1
    while end > start and _is_invisible(business_id[end - 1]):
        end -= 1
    return unicodedata.normalize("NFC", business_id[start:end])


def checked(business_id: str) -> str:
    """Return the one spelling of an id that can name a person. Raises ValueError, which quotes nothing."""
    found = normal(business_id)
    if not found or _NUMBER.fullmatch(found) or (len(found) < 10 and found.casefold() in _MISSING):
        raise ValueError(UNUSABLE)
    if not found.isprintable() and any(_is_hidden(character) for character in found):
        raise ValueError(UNUSABLE)
    return found


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE


def _is_hidden(character: str) -> bool:
    """Return whether a character inside an id shows nothing, not even a gap."""
    return unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") and character not in _JOINERS


def subject_ref(business_id: str, *, subject_type: str = "data_subject") -> UUID:
    """Return the pseudonym of ``business_id``. The type is part of it: two name spaces never meet."""
    return ref_under(settings.SUBJECT_KEY, business_id, subject_type=subject_type)


def ref_under(key: bytes, business_id: str, *, subject_type: str = "data_subject") -> UUID:
    """Return the pseudonym under a given key: another cell has its own."""
    return _ref(key, normal(business_id), normal(subject_type))


def ref_as_typed(business_id: str) -> UUID:
    """Return the pseudonym of an id as it stands: what a save of before 0030 used, for officers who look for one."""
    return _ref(settings.SUBJECT_KEY, business_id, "data_subject")


def _ref(key: bytes, business_id: str, subject_type: str) -> UUID:
    message = f"{subject_type}\x00{business_id}".encode()
    return UUID(bytes=hashlib.blake2b(message, digest_size=16, key=key[:64]).digest())
