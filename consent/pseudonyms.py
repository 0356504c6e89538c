"""Pseudonymisation: turn the business's own id of a person into the pseudonym used everywhere else.

A keyed BLAKE2b (RFC 7693) of 128 bits, written as a UUID. Without the key, which never enters the database, it cannot
be tested whether a known id is in the register. The raw id is not stored, logged or put into an error.

An id has one spelling: Unicode normalisation form C, without white space and invisible characters at its ends, any
other white space a plain space; case and width are kept (docs/decisions/0030). Every door comes through here, so the
same person is not two.
"""

import hashlib
import re
import unicodedata
from uuid import UUID

from django.conf import settings

_OTHER_SPACES = r"\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_SPACES = rf"\u0020{_OTHER_SPACES}"
# Controls, and characters without a shape of their own (Unicode: Default_Ignorable_Code_Point, and blanks that are no
# white space).
_HIDDEN = (
    r"\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb"
)
# Joiners and variation selectors are part of the spelling in several scripts, but not at an id's ends.
_JOINERS = r"\u180b-\u180d\u180f\u200c\u200d\ufe00-\ufe0f"
_ENDS = rf"[{_SPACES}{_HIDDEN}{_JOINERS}]"
# What spreadsheets and libraries make of a long number or of a float column: different people end up under one text.
_NUMBER = (
    r"-?[0-9]{1,3}([.,][0-9]+)?[Ee][+-][0-9]+|-?[0-9]{1,3}[.,][0-9]+[Ee][0-9]+|-?[0-9]+[.,]0+|"
    r"-?1\.#[A-Z]+|[+-]?[Ii][Nn][Ff]([Ii][Nn][Ii][Tt][Yy])?"
)
# Words that programs write where a value is missing.
MISSING = (
    r"[Nn][Uu][Ll][Ll]|[(<\[][Nn][Uu][Ll][Ll][)>\]]|[Nn][Ii][Ll]|<[Nn][Ii][Ll]>|-?[Nn][Aa][Nn]|[Nn][Aa][Tt]?|"
    r"<[Nn][Aa]>|[Nn]/[Aa]|[Nn][Oo][Nn][Ee]|[(<\[][Nn][Oo][Nn][Ee][)>\]]|[Uu][Nn][Dd][Ee][Ff]([Ii][Nn][Ee][Dd])?|\\[Nn]|"
    r"\([Bb][Ll][Aa][Nn][Kk]\)|\([Ee][Mm][Pp][Tt][Yy]\)|[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|0{8}-(0{4}-){3}0{12}"
)
# Errors of a spreadsheet in any language (#NAME?, #¡REF!, #N/A, #NV, Err:502), its text formulas (="0012"), and
# placeholders that no program filled in.
_UNFILLED = (
    r"#[^ ]*[!?]|#[Nn]/?[AaDdVv]( [Nn]/[Aa])?|Err:[0-9]+|=.*|\[object [A-Za-z]+\]|"
    r"\{\{.*\}\}|\$\{.*\}|%%.*%%|\*\|.*\|\*|<%.*%>"
)
_PUNCTUATION = r"[!-\/:-@\[-`{-~\u0020]+"
# One person's id, as the OpenAPI document says it, too.
USABLE = (
    rf"^{_ENDS}*(?!({MISSING}|{_NUMBER}|{_UNFILLED}|{_PUNCTUATION}){_ENDS}*$)"
    rf"[^{_SPACES}{_HIDDEN}{_JOINERS}]([^{_HIDDEN}]*[^{_SPACES}{_HIDDEN}{_JOINERS}])?{_ENDS}*$"
)
_is_usable = re.compile(USABLE).match
_starts, _ends = re.compile(rf"\A{_ENDS}+"), re.compile(rf"{_ENDS}+\Z")
# Tags and further selectors lie above the plane that every reader of the document's pattern knows.
_above = re.compile("[\U000e0000-\U000e0fff]")
_other_spaces = re.compile(f"[{_OTHER_SPACES}]")
UNUSABLE = (
    "must name one person: not a word for a missing value, not a number as a spreadsheet rounds it, "
    "not punctuation or a placeholder, and without control characters"
)


def normal(business_id: str) -> str:
    """Return the one spelling of an id; empty where nothing visible is in it."""
    if business_id.isascii() and business_id.isprintable():
        return business_id.strip(" ")
    trimmed = _ends.sub("", _starts.sub("", business_id))
    return unicodedata.normalize("NFC", _other_spaces.sub(" ", trimmed))


def checked(business_id: str) -> str:
    """Return the one spelling of an id that can name a person. Raises ValueError, which quotes nothing."""
    if not _is_usable(business_id) or (not business_id.isascii() and _above.search(business_id)):
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
