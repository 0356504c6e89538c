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

_SPACES = r"\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_HIDDEN = r"\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
_JOINERS = r"\u200c\u200d"  # part of the spelling in several scripts, but not at its ends
_ENDS = rf"[{_SPACES}{_HIDDEN}{_JOINERS}]"
# What a spreadsheet makes of a long number or of the end of a float column: different people end up under one text.
_NUMBER = r"-?[0-9]{1,3}([.,][0-9]+)?[Ee][+-][0-9]+|-?[0-9]+\.0+"
# Words that programs write where a value is missing.
_MISSING = (
    r"[Nn][Uu][Ll][Ll]|\([Nn][Uu][Ll][Ll]\)|<[Nn][Uu][Ll][Ll]>|-?[Nn][Aa][Nn]|[Nn][Aa][Tt]?|<[Nn][Aa]>|[Nn]/[Aa]|"
    r"[Nn][Oo][Nn][Ee]|[Uu][Nn][Dd][Ee][Ff][Ii][Nn][Ee][Dd]|\\[Nn]|#[Nn]/[Aa]|#([Nn][Uu][Ll][Ll]|[Nn][Uu][Mm]|[Rr][Ee][Ff]|"
    r"[Vv][Aa][Ll][Uu][Ee]|[Dd][Ii][Vv]/0)!|#[Nn][Aa][Mm][Ee]\?"
)
# One person's id, as the OpenAPI document says it, too.
USABLE = (
    rf"^{_ENDS}*(?!({_MISSING}|{_NUMBER}){_ENDS}*$)"
    rf"[^{_SPACES}{_HIDDEN}{_JOINERS}]([^{_HIDDEN}]*[^{_SPACES}{_HIDDEN}{_JOINERS}])?{_ENDS}*$"
)
_is_usable = re.compile(USABLE).match
_starts, _ends = re.compile(rf"\A{_ENDS}+"), re.compile(rf"{_ENDS}+\Z")
UNUSABLE = (
    "must name one person: not a word for a missing value, not a number as a spreadsheet rounds it, "
    "and without control characters"
)


def normal(business_id: str) -> str:
    """Return the one spelling of an id; empty where nothing visible is in it."""
    if business_id.isascii() and business_id.isprintable():
        return business_id.strip(" ")
    return unicodedata.normalize("NFC", _ends.sub("", _starts.sub("", business_id)))


def checked(business_id: str) -> str:
    """Return the one spelling of an id that can name a person. Raises ValueError, which quotes nothing."""
    if not _is_usable(business_id):
        raise ValueError(UNUSABLE)
    return normal(business_id)


def subject_ref(business_id: str, *, subject_type: str = "data_subject") -> UUID:
    """Return the pseudonym of ``business_id``. The type is part of it: two name spaces never meet."""
    return ref_under(settings.SUBJECT_KEY, business_id, subject_type=subject_type)


def ref_under(key: bytes, business_id: str, *, subject_type: str = "data_subject") -> UUID:
    """Return the pseudonym under a given key: another cell has its own."""
    return _ref(key, normal(business_id), normal(subject_type))


def ref_of_spelling(spelling: str, type_spelling: str) -> UUID:
    """Return the pseudonym of an id and a type that have their one spelling already (``checked``, ``normal``)."""
    return _ref(settings.SUBJECT_KEY, spelling, type_spelling)


def ref_as_typed(business_id: str) -> UUID:
    """Return the pseudonym of an id as it stands: what a save of before 0030 used, for officers who look for one."""
    return _ref(settings.SUBJECT_KEY, business_id, "data_subject")


def _ref(key: bytes, business_id: str, subject_type: str) -> UUID:
    message = f"{subject_type}\x00{business_id}".encode()
    return UUID(bytes=hashlib.blake2b(message, digest_size=16, key=key[:64]).digest())
