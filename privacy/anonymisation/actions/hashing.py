"""Keyed hashes: HMAC-SHA-256 (RFC 2104), 128 bits of it, ``KEYID.HEX``; and pseudonyms brought under a newer key.

A pseudonym is made under the oldest key, and then under each newer one from the pseudonym before. So a value has one
pseudonym under each key, and who holds the newer keys turns an older pseudonym into the current one without the value:
old and new releases can be joined by the holder of the keys, and by none without them.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from privacy.anonymisation.actions import cells
from privacy.anonymisation.actions.forms import spelt
from privacy.anonymisation.actions.keys import Key, KeyRing

_BYTES = 16
_USE = "hash"
_PSEUDONYM = re.compile(r"(?P<key>[a-z0-9]{1,16})\.(?P<hash>[0-9a-f]{32})")


def pseudonym(value: str, ring: KeyRing, domain: str = "") -> str:
    """Return the pseudonym of a value under the current key. Another domain gives another pseudonym."""
    oldest, *newer = reversed(ring.keys)
    return _under(
        newer, oldest, hmac.digest(oldest.for_use(_USE), f"{domain}\0{spelt(value)}".encode(), hashlib.sha256)
    )


def rekeyed(text: str, ring: KeyRing) -> str:
    """Return a pseudonym that was made under an older key as the current key makes it. Raises Unfit."""
    found = _PSEUDONYM.fullmatch(text.strip())
    if found is None:
        raise cells.Unfit("it holds no pseudonym (KEYID.HEX) to bring under the current key.")
    newer = ring.since(found["key"])
    if newer is None:
        raise cells.Unfit(f"the key '{found['key']}' of this pseudonym is not among those that were given.")
    return _under(newer, Key(found["key"], b""), bytes.fromhex(found["hash"]))


def _under(newer: "list[Key] | tuple[Key, ...]", last: Key, digest: bytes) -> str:
    for key in newer:
        digest, last = hmac.digest(key.for_use(_USE), digest[:_BYTES], hashlib.sha256), key
    return f"{last.id}.{digest[:_BYTES].hex()}"


class Hashing:
    companions: tuple[str, ...] = ()

    def __init__(self, column: str, ring: KeyRing, *, domain: str = "", again: bool = False) -> None:
        self._column, self._ring, self._domain, self._again = column, ring, domain, again
        self._cells = 0

    def begin(self) -> None:
        self._cells = 0

    def apply(self, part: Mapping[str, pa.Array], first_row: int) -> pa.Array:
        column, values, of_row = cells.treated(self._column, part[self._column], self._treat, first_row)
        self._cells += cells.stated_in(values, of_row)
        return column

    def _treat(self, value: str) -> str:
        return rekeyed(value, self._ring) if self._again else pseudonym(value, self._ring, self._domain)

    @property
    def said(self) -> Mapping[str, Any]:
        return {"cells": self._cells, "key": self._ring.current.id, "algorithm": "HMAC-SHA-256, 128 bits"}
