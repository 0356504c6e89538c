"""Time arguments of commands."""

from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta

from django.utils import timezone

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def moment(text: str) -> datetime:
    """Parse a time: ``7d`` ago, ``24h``, ``2w``, or an ISO date or time."""
    try:
        if text[-1:] in _UNITS:
            return timezone.now() - timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
        read = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as exc:
        raise ArgumentTypeError(f"{text!r} is no moment: write 7d, 24h, 2w, or 2026-11-21.") from exc
    return read if read.tzinfo else read.replace(tzinfo=UTC)
