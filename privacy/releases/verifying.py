"""Verify a manifest of a release against a file: without a database, with the public keys where they are at hand."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from audit import jws
from privacy.anonymisation.files.inspection import sha256_of

TYP = "assent-release+jws"


class NotTheRelease(Exception):
    """Failure of a file or manifest to be what was published; the text says what differs."""


def read(token: str, *, trusted: Mapping[str, Mapping[str, str]] | None = None) -> tuple[dict[str, Any], str]:
    """Return a genuine manifest, and the id of the key that signed it. Raises NotTheRelease."""
    try:
        payload, kid = jws.verify(token.strip(), typ=TYP, trusted=trusted)
        manifest: dict[str, Any] = json.loads(payload)
    except (jws.NotGenuine, ValueError) as refused:
        raise NotTheRelease(str(refused)) from None
    return manifest, kid


def verify(
    manifest: Path, file: Path, *, now: datetime, trusted: Mapping[str, Mapping[str, str]] | None = None
) -> tuple[dict[str, Any], str]:
    """Verify that a file is the one a manifest names, in force at ``now``. Raises NotTheRelease, OSError."""
    said, kid = read(manifest.read_text(encoding="ascii", errors="replace"), trusted=trusted)
    if sha256_of(file) != said["target"]["sha256"]:
        raise NotTheRelease("The file is not the one the manifest names: its SHA-256 is another.")
    if datetime.fromisoformat(said["expires_at"]) <= now:
        raise NotTheRelease(f"The release ended on {said['expires_at'][:10]}.")
    return said, kid
