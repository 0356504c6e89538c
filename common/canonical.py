"""Canonical JSON and digests: equal values have equal bytes and equal digests everywhere.

Canonical JSON here: UTF-8, no white space, members sorted by name, no floats (their text is not portable).
Close to RFC 8785; values that would differ from it (floats) are refused instead of rounded.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

_HARMLESS = frozenset({str, int, bool})
_encoder = msgspec.json.Encoder(order="sorted")


class NotCanonical(ValueError):
    """Refusal of a value whose text is not unique, such as a float."""


def canonical_json(value: Any) -> bytes:
    """Return ``value`` as canonical JSON. Raises NotCanonical for floats and unknown types."""
    _refuse_floats(value)
    try:
        return _encoder.encode(value)
    except (TypeError, msgspec.MsgspecError) as exc:
        raise NotCanonical(str(exc)) from exc


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def digest_of(value: Any) -> bytes:
    """Return the SHA-256 (32 bytes) of the canonical JSON of ``value``."""
    return sha256(canonical_json(value))


def _refuse_floats(value: Any) -> None:
    if isinstance(value, dict):
        members: Iterable[Any] = value.values()
    elif isinstance(value, list | tuple):
        members = value
    else:
        members = (value,)
    for member in members:
        # Nearly all members are one of these: asking for the exact type is the quickest answer.
        if member is None or type(member) in _HARMLESS:
            continue
        if isinstance(member, float):
            raise NotCanonical("Floats have no canonical text; use an integer or a string.")
        if isinstance(member, dict | list | tuple):
            _refuse_floats(member)
