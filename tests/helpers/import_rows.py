"""Lines as another system writes them."""

from typing import Any

PROVEN = {"notice_version": 1, "locale": "en", "source": "banner", "interface": "web@3"}


def row(person: str = "customer-1", choice: str = "give", **more: Any) -> dict[str, Any]:
    """A line that is imported, unproven; ``more`` adds to it or replaces in it."""
    found = {
        "subject_id": person,
        "purpose": "recommendations",
        "choice": choice,
        "recorded_at": "2025-03-01T10:00:00Z",
        **more,
    }
    return {name: value for name, value in found.items() if value is not None}


def at(minute: int) -> str:
    return f"2025-03-01T10:{minute:02}:00Z"
