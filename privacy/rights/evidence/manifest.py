"""Manifest of an erasure: what each of its steps removed, under one digest. Pure, as verifiers need it too."""

from collections.abc import Iterable, Mapping
from typing import Any

from common.canonical import digest_of

MEMBERS = ("round", "store", "fate", "rows", "keys_sha256")


def digest(steps: Iterable[Mapping[str, Any]]) -> str:
    """Return the SHA-256 over an erasure's steps in their order."""
    return digest_of([[step[name] for name in MEMBERS] for step in steps]).hex()
