"""Folder that what leaves a log is exported to, and the description of a file that is signed or sealed."""

from hashlib import file_digest
from pathlib import Path
from typing import Any

from django.conf import settings


def folder() -> Path | None:
    """Return where logs are exported before they are deleted, or None where they are not."""
    return Path(settings.DECISION_LOG_EXPORTS) if settings.DECISION_LOG_EXPORTS else None


def described(path: Path, rows: int) -> dict[str, Any]:
    """Return name, rows and SHA-256 of a file that was written."""
    return {"file": path.name, "rows": rows, "sha256": digest(path)}


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
