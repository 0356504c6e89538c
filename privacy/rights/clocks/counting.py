"""Counting of periods: days, business days, months, and the day on which they end.

Regulation (EEC, Euratom) 1182/71, Article 3: the day of the event is not counted; a period of months ends with the
day of the same date, or with the last day of a month that lacks it; a last day that is no working day moves to the
next one. Other laws share the first two rules, and say themselves whether a last day moves.
"""

import calendar as months_of_years
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

_MONTHS_A_YEAR = 12
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Unit(StrEnum):
    AT_ONCE = "at_once"
    DAYS = "days"
    BUSINESS_DAYS = "business_days"
    MONTHS = "months"


@dataclass(frozen=True)
class Length:
    """Length of a period. At once is none: the day of the event."""

    count: int
    unit: Unit

    def __str__(self) -> str:
        if self.unit is Unit.AT_ONCE:
            return "at once"
        name = self.unit.value.replace("_", " ")
        return f"{self.count} {name.removesuffix('s') if self.count == 1 else name}"


@dataclass(frozen=True)
class Calendar:
    """Public holidays, and the days of the week on which business is done."""

    business: frozenset[str] = frozenset(WEEKDAYS[:5])
    holidays: frozenset[date] = frozenset()

    def is_business_day(self, day: date) -> bool:
        return WEEKDAYS[day.weekday()] in self.business and day not in self.holidays


def last_day(start: date, length: Length, calendar: Calendar, *, counts_first_day: bool = False) -> date:
    """Return the day on which a period ends that an event on ``start`` begins, before any move to a working day."""
    # Where the law counts the day itself ("30 days beginning when"), the count begins a day earlier.
    first = start - timedelta(days=1) if counts_first_day else start
    if length.unit is Unit.MONTHS:
        return _months_later(first, length.count)
    if length.unit is Unit.BUSINESS_DAYS:
        return _business_days_later(first, length.count, calendar)
    return first + timedelta(days=length.count) if length.unit is Unit.DAYS else start


def move_to_working_day(day: date, off: frozenset[str], holidays: frozenset[date]) -> date:
    """Return the day, or the next one that is neither of the weekdays ``off`` nor a holiday."""
    while WEEKDAYS[day.weekday()] in off or day in holidays:
        day += timedelta(days=1)
    return day


def _months_later(day: date, count: int) -> date:
    years, month = divmod(day.month - 1 + count, _MONTHS_A_YEAR)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, months_of_years.monthrange(year, month)[1]))


def _business_days_later(day: date, count: int, calendar: Calendar) -> date:
    while count:
        day += timedelta(days=1)
        count -= calendar.is_business_day(day)
    return day
