"""Strict reading of the bits inside base64url text, as TCF and GPP strings pack them.

Every read is bounded by the text, and the text by ``MAX_TEXT``, so that no string costs more than its length.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from consent.signals.problems import InvalidSignal

MAX_TEXT = 32 * 1024
# Reference encoders fill up to whole 24-bit groups; more zeros than that are not padding.
_MAX_PADDING = 23
# Enough for every number up to 46367; longer code words name nothing that exists.
_FIBONACCI = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584, 4181, 6765, 10946, 17711, 28657)
_FIBONACCI_END = "11"
_RUN = re.compile("1+")

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_BITS_OF = {letter: format(value, "06b") for value, letter in enumerate(_ALPHABET)}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Range = tuple[int, int]
"""The first and the last id, both included."""


def require_bounded(text: str) -> None:
    """Raise InvalidSignal for text that is empty or longer than any honest consent string."""
    if not text:
        raise InvalidSignal("empty", "The string is empty.")
    if len(text) > MAX_TEXT:
        raise InvalidSignal("too_long", f"The string is longer than {MAX_TEXT} characters.")


def covers(ranges: Iterable[Range], number: int) -> bool:
    """Say whether one of the ranges holds the id."""
    return any(start <= number <= end for start, end in ranges)


def spread(ranges: Iterable[Range]) -> list[int]:
    """Return every id in the ranges, in their order."""
    return [number for start, end in ranges for number in range(start, end + 1)]


class Bits:
    """The bits of one base64url segment, read from the front.

    Every method raises InvalidSignal when the bits run out or cannot mean what is asked for.
    """

    def __init__(self, text: str) -> None:
        require_bounded(text)
        try:
            self._bits = "".join([_BITS_OF[letter] for letter in text])
        except KeyError as exc:
            raise InvalidSignal("not_base64url", "The string holds a character outside base64url.") from exc
        self._at = 0

    def __len__(self) -> int:
        """Return how many bits are left, padding included."""
        return len(self._bits) - self._at

    def take(self, count: int) -> str:
        """Return the next bits as zeros and ones."""
        end = self._at + count
        if end > len(self._bits):
            raise InvalidSignal("truncated", "The string ends before its last field.")
        taken = self._bits[self._at : end]
        self._at = end
        return taken

    def integer(self, width: int) -> int:
        return int(self.take(width), 2)

    def flag(self) -> bool:
        return self.take(1) == "1"

    def time(self) -> datetime:
        """Return a moment counted in tenths of a second."""
        return _EPOCH + timedelta(milliseconds=100 * self.integer(36))

    def letters(self) -> str:
        """Return two letters of six bits each, such as a language or a country."""
        values = (self.integer(6), self.integer(6))
        if max(values) > 25:
            raise InvalidSignal("not_a_letter", "A language or country code holds something other than letters.")
        return "".join(chr(ord("A") + value) for value in values)

    def chosen(self, width: int) -> tuple[int, ...]:
        """Return the ids, counted from 1, whose bits are set."""
        return tuple(index for index, bit in enumerate(self.take(width), start=1) if bit == "1")

    def ranges(self) -> tuple[Range, ...]:
        """Return a counted list of ids and ranges of ids, which must ascend and not touch twice."""
        found: list[Range] = []
        last = 0
        for _ in range(self.integer(12)):
            is_range = self.flag()
            start = self.integer(16)
            end = self.integer(16) if is_range else start
            if end < start:
                raise InvalidSignal("reversed_range", "A range of vendors ends before it starts.")
            if start <= last:
                raise InvalidSignal("overlapping_ranges", "The ranges of vendors overlap or do not ascend.")
            found.append((start, end))
            last = end
        return tuple(found)

    def vendors(self) -> tuple[Range, ...]:
        """Return vendor ids packed either as a bit for each or as ranges, whichever the string chose.

        They stay ranges, because a few characters can name 65535 vendors.
        """
        highest = self.integer(16)
        if not self.flag():
            return tuple((run.start() + 1, run.end()) for run in _RUN.finditer(self.take(highest)))
        ranges = self.ranges()
        if ranges and ranges[-1][1] > highest:
            raise InvalidSignal("vendor_beyond_highest", "A vendor lies beyond the highest the string declares.")
        return ranges

    def fibonacci(self) -> int:
        """Return the next integer in Fibonacci coding, which is at least 1 and ends with two ones."""
        found = self._bits.find(_FIBONACCI_END, self._at, self._at + len(_FIBONACCI) + 1)
        if found < 0:
            reason = "truncated" if len(self) <= len(_FIBONACCI) else "number_too_large"
            raise InvalidSignal(reason, "A Fibonacci number does not end where it should.")
        word = self.take(found + 1 - self._at)
        self._at += 1
        return sum(number for number, bit in zip(_FIBONACCI, word, strict=False) if bit == "1")

    def require_end(self) -> None:
        """Raise InvalidSignal unless nothing but padding is left."""
        if len(self) > _MAX_PADDING or "1" in self._bits[self._at :]:
            raise InvalidSignal("trailing_bits", "The string goes on after its last field.")
        self._at = len(self._bits)
