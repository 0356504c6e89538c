"""What the filters of the logs share: days in an officer's time zone, spans, pages that go on from an entry."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Self
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone
from django.utils.http import urlencode

from common.admin_pages.filters import SPANS

_LISTED_DAYS = 8  # today, and the seven days before: last Tuesday is among them


class BadFilter(ValueError):
    """Refusal of a filter that cannot be read; the text says which and how to write it."""


def read_zone(name: str) -> ZoneInfo:
    """Return a time zone by its name. Raises BadFilter."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadFilter(f"“{name}” is no time zone: write Europe/Berlin, or UTC.") from None


@dataclass(frozen=True)
class LogFilter:
    """What an officer asked for; empty members do not narrow. ``before`` is the entry that a page goes on from.

    Days begin and end in ``zone``. It goes with the address, so that a link means the same days to everybody.
    """

    since: str = ""
    start: str = ""
    end: str = ""
    zone: str = ""
    q: str = ""
    before: str = ""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Read the parameters of an address; days without a zone are the officer's. Raises BadFilter."""
        values = {name: str(value).strip() for name, value in given.items()}
        if unknown := sorted(values.keys() - {field.name for field in fields(cls)}):
            raise BadFilter(f"There is no filter “{unknown[0]}”.")
        chosen = cls(**values)
        if chosen.zone:
            read_zone(chosen.zone)
            return chosen
        has_days = chosen.start or chosen.end
        return replace(chosen, zone=timezone.get_current_timezone_name()) if has_days else chosen

    def query(self, **changes: str) -> str:
        """Return the address part of this filter with changes."""
        return urlencode({name: value for name, value in asdict(replace(self, **changes)).items() if value})

    @property
    def named(self) -> dict[str, str]:
        """Return the filters that narrow, without the place in the pages: what an export states."""
        found = {name: value for name, value in asdict(self).items() if value and name != "before"}
        if not (self.start or self.end):
            found.pop("zone", None)
        return found

    def place(self) -> UUID | None:
        """Return the entry that a page goes on from. Raises BadFilter."""
        try:
            return UUID(self.before) if self.before else None
        except ValueError:
            raise BadFilter("A page goes on from the identifier of an entry.") from None

    def moments(self) -> tuple[datetime | None, datetime | None]:
        """Return from when and until when entries are wanted. Raises BadFilter."""
        if self.since:
            if self.since not in SPANS:
                raise BadFilter(f"“{self.since}” is no span: hour, day, week or month.")
            return timezone.now() - SPANS[self.since][1], None
        return self._midnight(self.start, 0), self._midnight(self.end, 1)

    def _midnight(self, text: str, days: int) -> datetime | None:
        if not text:
            return None
        zone = read_zone(self.zone) if self.zone else timezone.get_current_timezone()
        try:
            day = date.fromisoformat(text) + timedelta(days=days)
            return timezone.make_aware(datetime.combine(day, time.min), zone)
        except (ValueError, OverflowError):
            raise BadFilter(f"“{text}” is no date: write 2026-11-24.") from None

    def days(self) -> list[tuple[str, str, bool]]:
        """Return the last days in the zone as name, link and whether it is the one chosen: the newest first."""
        zone = read_zone(self.zone) if self.zone else timezone.get_current_timezone()
        today = timezone.now().astimezone(zone).date()
        found = [today - timedelta(days=number) for number in range(_LISTED_DAYS)]
        return [(f"{day:%a %-d %b}", self.on(day), self.start == self.end == day.isoformat()) for day in found]

    def on(self, day: date) -> str:
        """Return the address part of this filter on one day."""
        zone = self.zone or timezone.get_current_timezone_name()
        return self.query(since="", start=day.isoformat(), end=day.isoformat(), zone=zone, before="")

    def day_of(self, moment: datetime) -> str:
        """Return the address part of this filter on the day of a moment, in the zone."""
        zone = read_zone(self.zone) if self.zone else timezone.get_current_timezone()
        return self.on(moment.astimezone(zone).date())
