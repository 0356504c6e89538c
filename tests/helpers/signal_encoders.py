"""Small encoders that can also build strings no honest encoder would."""

from dataclasses import dataclass, field

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_FIBONACCI = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987]


def text(bits: str) -> str:
    bits += "0" * (-len(bits) % 6)
    return "".join(ALPHABET[int(bits[at : at + 6], 2)] for at in range(0, len(bits), 6))


def integer(value: int, width: int) -> str:
    return format(value, f"0{width}b")


def letters(value: str) -> str:
    return "".join(integer(ord(letter) - ord("A"), 6) for letter in value)


def chosen(ids, width: int) -> str:
    return "".join("1" if each in ids else "0" for each in range(1, width + 1))


def ranges(*entries) -> str:
    """Encode ids and (first, last) pairs in the order given, sensible or not."""
    bits = integer(len(entries), 12)
    for entry in entries:
        pair = isinstance(entry, tuple)
        bits += f"{pair:d}" + "".join(integer(each, 16) for each in (entry if pair else (entry,)))
    return bits


def vendor_ranges(highest: int, *entries) -> str:
    return integer(highest, 16) + "1" + ranges(*entries)


def vendor_field(*ids) -> str:
    highest = max(ids, default=0)
    return integer(highest, 16) + "0" + chosen(ids, highest)


def restriction(purpose: int, kind: int, *entries) -> str:
    return integer(purpose, 6) + integer(kind, 2) + ranges(*entries)


@dataclass
class Tc:
    """A valid TC string unless told otherwise."""

    version: int = 2
    created: int = 17_000_000_000
    updated: int = 17_000_000_000
    language: str = "EN"
    country: str = "DE"
    policy: int = 5
    service_specific: int = 1
    consents: tuple = (1, 2, 7)
    interests: tuple = (2, 7)
    vendor_consents: str = field(default_factory=lambda: vendor_field(10, 20))
    vendor_interests: str = field(default_factory=lambda: vendor_field(10))
    restrictions: tuple = ()
    disclosed: str | None = field(default_factory=lambda: vendor_ranges(20, 10, 20))
    more: tuple = ()
    """Further segments, as bits."""
    tail: str = ""
    """Bits behind the last field of the core."""

    def core(self) -> str:
        return "".join(
            (
                integer(self.version, 6),
                integer(self.created, 36),
                integer(self.updated, 36),
                integer(300, 12),
                integer(1, 12),
                integer(1, 6),
                letters(self.language),
                integer(120, 12),
                integer(self.policy, 6),
                integer(self.service_specific, 1),
                "0",
                chosen((1,), 12),
                chosen(self.consents, 24),
                chosen(self.interests, 24),
                "0",
                letters(self.country),
                self.vendor_consents,
                self.vendor_interests,
                integer(len(self.restrictions), 12),
                *self.restrictions,
                self.tail,
            )
        )

    def encode(self) -> str:
        segments = [self.core()]
        if self.disclosed is not None:
            segments.append(integer(1, 3) + self.disclosed)
        return ".".join(text(bits) for bits in (*segments, *self.more))


PUBLISHER_SEGMENT = integer(3, 3) + chosen((1, 2), 24) + chosen((7,), 24) + integer(2, 6) + "10" + "01"
ALLOWED_SEGMENT = integer(2, 3) + vendor_field(10)


def fibonacci(value: int) -> str:
    bits = ""
    for number in reversed([each for each in _FIBONACCI if each <= value]):
        bits = ("1" if number <= value else "0") + bits
        value -= number if number <= value else 0
    return bits + "1"


def header(*ids, kind: int = 3, version: int = 1) -> str:
    """Encode the header for ids and (first, last) pairs."""
    bits = integer(kind, 6) + integer(version, 6) + integer(len(ids), 12)
    last = 0
    for entry in ids:
        first, end = entry if isinstance(entry, tuple) else (entry, entry)
        bits += f"{isinstance(entry, tuple):d}" + fibonacci(first - last)
        bits += fibonacci(end - first) if isinstance(entry, tuple) else ""
        last = end
    return text(bits)


def us_section(*values: int, version: int = 1) -> str:
    return text(integer(version, 6) + "".join(integer(value, 2) for value in values))


def gpc_segment(is_set: bool) -> str:
    return text("01" + f"{is_set:d}")
