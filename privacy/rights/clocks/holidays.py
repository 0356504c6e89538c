"""Public holidays of an installation, from its file: ``DE = [2026-12-25, 2026-12-26]``, ``"*"`` for every place."""

import tomllib
from datetime import date
from pathlib import Path

from privacy.rights.clocks.counting import WEEKDAYS


def read_holidays(path: Path) -> dict[str, frozenset[date]]:
    """Read the file. Raises ValueError with a sentence that says what is wrong."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ValueError(f"HOLIDAYS_FILE cannot be read: {exc.strerror}") from exc
    except ValueError as exc:
        raise ValueError(f"HOLIDAYS_FILE is not TOML: {exc}") from None
    for place, days in document.items():
        # A moment is a date too in Python, and no day of a calendar.
        if not isinstance(days, list) or any(type(day) is not date for day in days):
            raise ValueError(f"HOLIDAYS_FILE: {place} is no list of days such as 2026-12-25")
    return {place.upper(): frozenset(days) for place, days in document.items()}


def read_business_days(text: str) -> frozenset[str] | None:
    """Read ``mon,tue,wed``; None for ``law``: as each law counts them. Raises ValueError."""
    if text == "law":
        return None
    days = frozenset(part.strip().lower() for part in text.split(","))
    if not days or days - set(WEEKDAYS):
        raise ValueError(f"must be law, or days of the week of: {', '.join(WEEKDAYS)}")
    return days
