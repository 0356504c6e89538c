"""Lists that were made, held in the process: a list is a pure function of what it was made of, and that is its key.

So nothing here can be out of date: another event of the person, another item, rule, model or language is another key,
and whether a person may have a list is decided anew for each request. Keys hold no identity: a history stands in them
as a digest under a secret of this process.
"""

import hashlib
import os
from typing import NamedTuple

from personalization.serving.features import Features
from personalization.serving.requests import Written
from policies.decisions.memo import ENTRY_BYTES, MIB, Memo

_SECRET = os.urandom(32)


class Grounds(NamedTuple):
    """What a list is made of. ``events``: the digest of the history, empty where none is used."""

    bundle: str
    model: str
    catalogue: int
    level: str
    events: bytes
    excluded: frozenset[str]
    hidden: frozenset[str]
    session: tuple[str, ...]
    segment: str
    group: str | None
    number: int
    language: str | None


class Listed(NamedTuple):
    """A list that was made. ``scores``: the bins of its scores. ``confidence``: of the model, in per cent."""

    level: str
    fallback: str | None
    written: Written
    scores: tuple[int, ...]
    confidence: int


def _size_of(grounds: Grounds, listed: Listed) -> int:
    ids, text = listed.written
    return 3 * ENTRY_BYTES + 64 * len(grounds.session) + 128 * len(ids) + len(bytes(text))


LISTS: Memo[Grounds, Listed] = Memo(64 * MIB, _size_of)


def digest(features: Features) -> bytes:
    """Return what stands for a history in a key."""
    whole = hashlib.blake2b(features.older or b"", digest_size=16, key=_SECRET)
    whole.update(b"|" + (features.recent or b""))
    return whole.digest()
