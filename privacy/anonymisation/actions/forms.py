"""Tokens that look like the values they stand for: of the same length, a digit for a digit, a letter for a letter.

Random, and kept in a vault beside the sealed value, so that no key turns them back. Signs that are neither digit nor
letter stay where they are; letters of any script become Latin ones, as capital or small as they were.
"""

import math
import secrets
import string
import unicodedata

FEWEST = 1_000_000  # forms with fewer tokens are guessed by trying (NIST SP 800-38G rev. 1 asks as many of a domain)
TOO_SHORT = f"a token of its form would be one of fewer than {FEWEST:,}; hash it instead, or leave it out."


def _signs(sign: str) -> str:
    if sign.isdecimal():
        return string.digits
    if sign.isalpha():
        return string.ascii_uppercase if sign.isupper() else string.ascii_lowercase
    return ""


def number_of(value: str) -> int:
    """Return how many tokens have the form of a value."""
    return math.prod(len(_signs(sign)) or 1 for sign in value)


def like(value: str) -> str:
    """Return a random token of the form of a value, and another text than it."""
    while True:
        token = "".join(secrets.choice(signs) if (signs := _signs(sign)) else sign for sign in value)
        if token != value or number_of(value) == 1:
            return token


def spelt(value: str) -> str:
    """Return the one spelling of a value under a pseudonym: Unicode form C, without white space at its ends."""
    return unicodedata.normalize("NFC", value.strip())
