"""What free text gives away by its form: addresses of mail and network, numbers with check digits, telephones, dates.

A number counts as an account, a card or an identifier only if its check digits are right, so a mistyped one stays.
Names are those of a list. The order of ``FORMS`` decides where two forms fit.
"""

import datetime as dt
import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from importlib import import_module

NAME = "name"
CANNOT_FIND = (
    "What has no form is not found: names that are in no list, postal addresses, places, employers, relations, "
    "occupations, descriptions of a person, numbers in words, mistyped numbers, and what pictures show."
)
# Identifiers of people with check digits, by the modules of python-stdnum; without one, a number has no such form here.
_IDENTIFIERS = (
    ("es.dni", r"\d{8}[- ]?[A-Z]"),
    ("es.nie", r"[XYZ][- ]?\d{7}[- ]?[A-Z]"),
    ("fr.nir", r"[1278] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}"),
    ("it.codicefiscale", r"[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]"),
    ("de.idnr", r"\d{2} ?\d{3} ?\d{3} ?\d{3}"),
    ("nl.bsn", r"\d{9}"),
    ("be.nn", r"\d{2}\.?\d{2}\.?\d{2}-?\d{3}\.?\d{2}"),
    ("pl.pesel", r"\d{11}"),
    ("pt.nif", r"\d{9}"),
    ("at.vnr", r"\d{4} ?\d{6}"),
    ("ch.ssn", r"756\.?\d{4}\.?\d{4}\.?\d{2}"),
    ("se.personnummer", r"(?:\d{2})?\d{6}[-+]\d{4}"),
    ("no.fodselsnummer", r"\d{6} ?\d{5}"),
    ("dk.cpr", r"\d{6}-\d{4}"),
    ("fi.hetu", r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]"),
    ("ie.pps", r"\d{7}[A-W][A-IW]?"),
    ("gb.nhs", r"\d{3}[ -]?\d{3}[ -]?\d{4}"),
    ("us.ssn", r"\d{3}-\d{2}-\d{4}"),
)
_MAIL = re.compile(r"[\w.%+'-]+@[\w-]+(?:\.[\w-]+)*\.\w{2,24}")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}")
_CARD = re.compile(r"(?<![\d.,-])[2-6]\d{3}(?:[ -]?\d){8,15}(?!\d)")
_ISSUERS = re.compile(r"4|5[0-8]|6(?:0|[2-7])|3[04-9]|2[2-7]")
_IP_4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)")
_IP_6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])")
_MONTHS = (
    "jan(?:uary|uar|vier)?|jän(?:ner)?|feb(?:ruary|ruar|rero)?|févr?(?:ier)?|mar(?:ch|s|zo)?|märz|apr(?:il)?|avr(?:il)?"
    "|may|mai|mayo|jun(?:e|i|io)?|juin|jul(?:y|i|io)?|juillet|aug(?:ust)?|août|ago(?:sto)?|sept?(?:ember|embre|iembre)?"
    "|oct(?:ober|obre|ubre)?|okt(?:ober)?|nov(?:ember|embre|iembre)?|dec(?:ember)?|dez(?:ember)?|déc(?:embre)?"
    "|dic(?:iembre)?|ene(?:ro)?|abr(?:il)?"
)
_YEAR = r"(?:1[89]|20)\d\d"
_DATES = (
    (re.compile(rf"(?<!\d)(?P<y>{_YEAR})([-/.])(?P<m>\d\d?)\2(?P<d>\d\d?)(?!\d)"), "ymd"),
    (re.compile(rf"(?<![\d.])(?P<d>\d\d?)([-/.]) ?(?P<m>\d\d?)\2 ?(?P<y>{_YEAR}|\d\d)(?![\d.]*\d)"), "dmy"),
    (
        re.compile(
            rf"(?<!\d)\d\d?(?:st|nd|rd|th|er|\.)?(?: de| of)? (?:{_MONTHS})\b\.?(?:,? (?:de |del )?{_YEAR})?",
            re.IGNORECASE,
        ),
        "",
    ),
    (re.compile(rf"\b(?:{_MONTHS})\.? \d\d?(?:st|nd|rd|th)?(?:, ?{_YEAR}\b|\b(?! ?\d))", re.IGNORECASE), ""),
)  # fmt: skip
_REST = r"[1-9]\d{0,2}(?:[ ./-]?\(?\d{1,5}\)?){2,6}(?!\d)"
_WITH_PLUS = (re.compile(rf"(?<![\w.,/-])\+{_REST}"),)
_PHONES = (
    re.compile(rf"(?<![\w.,/+-])00{_REST}"),
    # With a trunk prefix, and separators within.
    re.compile(r"(?<![\w.,/-])\(?0\d{1,4}\)?[ ./-]{1,3}\d{2,}(?:[ ./-]?\d{2,})*(?!\d)"),
    re.compile(r"(?<![\w.,/-])0\d(?:[ .-]?\d\d){4}(?!\d)"),
    # North America; Spain and its neighbours without a trunk prefix.
    re.compile(r"(?<![\w.,/-])(?:1[ .-])?\(?[2-9]\d{2}\)?[ .-]{1,2}\d{3}[ .-]\d{4}(?!\d)"),
    re.compile(r"(?<![\w.,/-])[6-9]\d{2}(?:[ .-]\d{2}){3}(?![ .-]?\d)"),
    re.compile(r"(?<![\w.,/-])[6-9]\d{2}(?:[ .-]\d{3}){2}(?![ .-]?\d)"),
    # Digits after a word for telephone.
    re.compile(
        r"(?:\b(?:tel|phone|mobile|cell|call|fon|handy|telefon|teléfono|telefono|móvil|movil|portable|tél)"
        r"[a-zé]*\.?:?(?: (?:is|ist|no|nr|number|nummer|número|es|est|at|me on|on))*[:.]? )"
        r"(?P<it>\(?\d[\d ()./-]{5,16}\d)",
        re.IGNORECASE,
    ),
)
_WORD = re.compile(r"[^\W\d_]+(?:[-'\u2019](?!s\b)[^\W\d_]+)*")
_SHORTEST_PART = 3

Span = tuple[int, int]


def spans(text: str, names: "Names | None" = None) -> list[tuple[int, int, str]]:
    """Return where a text gives something away, and which kind of it, in the order of the text; none overlap."""
    found: list[tuple[int, int, str]] = []
    for kind, find in FORMS:
        for start, end in find(text):
            if all(end <= first or start >= last for first, last, _ in found):
                found.append((start, end, kind))
    for start, end in names.find(text) if names is not None else ():
        if all(end <= first or start >= last for first, last, _ in found):
            found.append((start, end, NAME))
    return sorted(found)


class Names:
    """Names of a list: whole ones in any case, and parts of three letters or more that are written with a capital."""

    def __init__(self, names: Iterable[str]) -> None:
        self._whole: dict[str, set[tuple[str, ...]]] = {}
        self._parts: set[str] = set()
        for name in names:
            words = tuple(_plain(word) for word in _WORD.findall(name))
            if words:
                self._whole.setdefault(words[0], set()).add(words)
                self._parts.update(word for word in words if len(word) >= _SHORTEST_PART)

    def find(self, text: str) -> Iterator[Span]:
        words = [(found.span(), found[0]) for found in _WORD.finditer(text)]
        plain = [_plain(word) for _, word in words]
        place = 0
        while place < len(words):
            wholes = self._whole.get(plain[place], ())
            length = max((len(each) for each in wholes if each == tuple(plain[place : place + len(each)])), default=0)
            if not length and plain[place] in self._parts and words[place][1][0].isupper():
                length = 1
            if length and (length > 1 or words[place][1][0].isupper()):
                yield words[place][0][0], words[place + length - 1][0][1]
            place += max(length, 1)


def _plain(word: str) -> str:
    """Return a word without case and accents."""
    apart = unicodedata.normalize("NFKD", word.replace("\u2019", "'").casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def _mails(text: str) -> Iterator[Span]:
    if "@" in text:
        yield from (found.span() for found in _MAIL.finditer(text))


def _ibans(text: str) -> Iterator[Span]:
    """Yield accounts: the longest beginning of a candidate whose check digits and length are right."""
    upto = 0
    while found := _IBAN.search(text, upto):
        length = _of_account(found[0])
        if length:
            yield found.start(), found.start() + length
        upto = found.start() + (length or 1)


def _of_account(candidate: str) -> int:
    signs = [place for place, sign in enumerate(candidate) if sign.isalnum()]
    ends = (last + 1 for last in reversed(signs[14:]) if not candidate[last + 1 : last + 2].isalnum())
    return next((end for end in ends if _is_valid("iban", candidate[:end])), 0)


def _cards(text: str) -> Iterator[Span]:
    for found in _CARD.finditer(text):
        digits = re.sub(r"\D", "", found[0])
        if 13 <= len(digits) <= 19 and _ISSUERS.match(digits) and _is_valid("luhn", digits):
            yield found.span()


def _alone(shape: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.,/+-])(?:{shape})(?![\w/]|[.,-]\d)", re.IGNORECASE)


_SHAPES = [(module, _alone(shape)) for module, shape in _IDENTIFIERS]
_ANY_SHAPE = _alone("|".join(shape for _, shape in _IDENTIFIERS))


def _identifiers(text: str) -> Iterator[Span]:
    if not _ANY_SHAPE.search(text):  # most texts, at the price of one pattern instead of all
        return
    for module, shape in _SHAPES:
        for found in shape.finditer(text):
            if _is_valid(module, found[0]):
                yield found.span()


@cache
def _checker(module: str) -> Callable[[str], bool]:
    # Loaded where text is redacted, not at each start of the command.
    found: Callable[[str], bool] = import_module(f"stdnum.{module}").is_valid
    return found


def _is_valid(module: str, number: str) -> bool:
    return _checker(module)(number)


def _addresses(text: str) -> Iterator[Span]:
    for pattern, sign in ((_IP_4, "."), (_IP_6, ":")):
        for found in pattern.finditer(text) if text.count(sign) > 1 else ():
            try:
                ipaddress.ip_address(found[0])
            except ValueError:
                continue
            yield found.span()


def _dates(text: str) -> Iterator[Span]:
    for pattern, parts in _DATES:
        for found in pattern.finditer(text):
            if not parts or _is_date(int(found["y"]), int(found["m"]), int(found["d"])):
                yield found.span()


def _is_date(year: int, first: int, second: int) -> bool:
    """Return whether a calendar has the day, in either order of day and month."""
    for month, day in ((first, second), (second, first)):
        try:
            dt.date(year + 1900 if year < 100 else year, month, day)
        except ValueError:
            continue
        return True
    return False


def _phones(text: str, patterns: Iterable[re.Pattern[str]] = _PHONES) -> Iterator[Span]:
    for pattern in patterns:
        for found in pattern.finditer(text):
            span = found.span("it") if "it" in pattern.groupindex else found.span()
            if 7 <= sum(map(str.isdigit, text[slice(*span)])) <= 15:
                yield span


FORMS: tuple[tuple[str, Callable[[str], Iterator[Span]]], ...] = (
    ("email", _mails),
    ("iban", _ibans),
    ("card", _cards),
    ("ip", _addresses),
    ("date", _dates),
    ("phone", partial(_phones, patterns=_WITH_PLUS)),
    ("national_id", _identifiers),
    ("phone", _phones),
)
KINDS = tuple(dict.fromkeys(kind for kind, _ in FORMS))
