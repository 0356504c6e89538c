"""Patterns of the public names, without anchors: ``^...$`` for pydantic, ``\\A...\\Z`` for msgspec."""

from typing import Final

SLUG: Final = "[a-z0-9_-]{1,64}"  # purposes, parties, sites
NAME: Final = "[A-Za-z0-9_.-]{1,64}"  # channels, recipients, kinds of data
REGION: Final = "[A-Z]{2}(-[A-Z0-9]{1,3})?"  # ISO 3166-1 alpha-2, or -2
LANGUAGE_TAG: Final = "[a-z]{2,3}(-[A-Za-z0-9]{2,8})*"  # BCP 47, as far as notices use it
WORD: Final = "[a-z_]{1,32}"  # sources, and orders of buttons
METHOD: Final = "[a-z0-9_]{1,32}"  # how a guardian was verified
