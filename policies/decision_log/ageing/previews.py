"""What a period of the decision log, or of its exports, would end: for officers who change it."""

from collections.abc import Iterator
from datetime import timedelta

from policies.decision_log.ageing import days, exports


def days_due(period: timedelta) -> Iterator[tuple[str, int | str]]:
    """Return days and decisions older than a period, and the oldest and newest day among them."""
    due = days.due(days.stored(), period)
    yield "Days of the decision log dropped the next night, for good", len(due)
    yield "Decisions in them, about", sum(days.about_rows(day) for day in due)
    if due:
        dates = sorted(day.date for day in due)
        yield "From and to", f"{dates[0]} to {dates[-1]}"


def files_due(period: timedelta) -> Iterator[tuple[str, int | str]]:
    """Return the exported files older than a period."""
    yield "Exported files deleted the next night, for good", len(exports.due(period))
