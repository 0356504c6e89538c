"""Layouts that were served, each kept once, so that the digest in a record can be turned back into what was shown."""

from collections.abc import Mapping
from typing import Any

from common.canonical import canonical_json, sha256
from consent.models import BannerLayout


def keep(shown: Mapping[str, Any]) -> str:
    """Keep what is about to be served and return its SHA-256."""
    content = canonical_json(shown)
    digest = sha256(content).hex()
    if not was_served(digest):
        BannerLayout.objects.bulk_create([BannerLayout(sha256=digest, content=content.decode())], ignore_conflicts=True)
    return digest


def was_served(digest: str) -> bool:
    return BannerLayout.objects.filter(pk=digest).exists()


def is_unknown(digest: str) -> bool:
    """Return whether a caller names a layout that was never served here: its word alone stands behind the digest."""
    return bool(digest) and not was_served(digest)
