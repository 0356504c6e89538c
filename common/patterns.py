"""Patterns of the public names, without anchors: ``^...$`` for pydantic, ``\\A...\\Z`` for msgspec."""

from typing import Final

SLUG: Final = "[a-z0-9_-]{1,64}"  # purposes, parties, sites
NAME: Final = "[A-Za-z0-9_.-]{1,64}"  # channels, recipients, kinds of data
REGION: Final = "[A-Z]{2}(-[A-Z0-9]{1,3})?"  # ISO 3166-1 alpha-2, or -2
PROCESSING_REGION: Final = "[a-z0-9_-]{1,32}"  # as the register of processing regions names them
# Searched for: a character that is seen. Engines differ in what ``\s`` holds, so the controls are listed.
NOT_BLANK: Final = r"[^\s\x00-\x20\x7f-\xa0\u200b-\u200f\u2060\ufeff]"
# BCP 47, as far as notices use it; case says nothing (RFC 5646, section 2.1.1), and programs write _ for -.
LANGUAGE_TAG: Final = "[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*"
WORD: Final = "[a-z_]{1,32}"  # sources, and orders of buttons
METHOD: Final = "[a-z0-9_]{1,32}"  # how a guardian was verified

# The forms in words, for a caller whose value has another one.
FORMS: Final = {
    SLUG: "up to 64 small letters, digits, hyphens and underscores, such as order-history",
    REGION: "two letters, such as DE, or a part of a country, such as US-CA",
    PROCESSING_REGION: "the name of a processing region in small letters, such as eu-central",
}
