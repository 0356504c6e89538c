"""Clocks of regions: when a day begins for a person, of whom only the region is known."""

from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

# The zone where most people of the state live.
STATE_ZONES = {
    "US-AK": "America/Anchorage", "US-AL": "America/Chicago", "US-AR": "America/Chicago", "US-AZ": "America/Phoenix",
    "US-CA": "America/Los_Angeles", "US-CO": "America/Denver", "US-CT": "America/New_York",
    "US-DC": "America/New_York", "US-DE": "America/New_York", "US-FL": "America/New_York",
    "US-GA": "America/New_York", "US-HI": "Pacific/Honolulu", "US-IA": "America/Chicago", "US-ID": "America/Boise",
    "US-IL": "America/Chicago", "US-IN": "America/Indiana/Indianapolis", "US-KS": "America/Chicago",
    "US-KY": "America/New_York", "US-LA": "America/Chicago", "US-MA": "America/New_York", "US-MD": "America/New_York",
    "US-ME": "America/New_York", "US-MI": "America/Detroit", "US-MN": "America/Chicago", "US-MO": "America/Chicago",
    "US-MS": "America/Chicago", "US-MT": "America/Denver", "US-NC": "America/New_York", "US-ND": "America/Chicago",
    "US-NE": "America/Chicago", "US-NH": "America/New_York", "US-NJ": "America/New_York", "US-NM": "America/Denver",
    "US-NV": "America/Los_Angeles", "US-NY": "America/New_York", "US-OH": "America/New_York",
    "US-OK": "America/Chicago", "US-OR": "America/Los_Angeles", "US-PA": "America/New_York",
    "US-RI": "America/New_York", "US-SC": "America/New_York", "US-SD": "America/Chicago", "US-TN": "America/Chicago",
    "US-TX": "America/Chicago", "US-UT": "America/Denver", "US-VA": "America/New_York", "US-VT": "America/New_York",
    "US-WA": "America/Los_Angeles", "US-WI": "America/Chicago", "US-WV": "America/New_York",
    "US-WY": "America/Denver",
}  # fmt: skip
# No place on earth begins a day earlier.
_EARLIEST = timezone(timedelta(hours=14))
_LATEST = timezone(timedelta(hours=-12))
# Countries with several zones, and the one in which days begin last (IANA time zone database).
_ZONES_BEHIND = {
    "AU": "Australia/Perth", "BR": "America/Rio_Branco", "CA": "America/Vancouver", "CD": "Africa/Kinshasa",
    "CL": "Pacific/Easter", "CY": "Asia/Nicosia", "EC": "Pacific/Galapagos", "ES": "Atlantic/Canary",
    "FM": "Pacific/Chuuk", "GL": "America/Thule", "ID": "Asia/Jakarta", "KI": "Pacific/Tarawa",
    "KZ": "Asia/Qyzylorda", "MN": "Asia/Hovd", "MX": "America/Tijuana", "NZ": "Pacific/Auckland",
    "PF": "Pacific/Tahiti", "PG": "Pacific/Port_Moresby", "PT": "Atlantic/Azores", "RU": "Europe/Kaliningrad",
    "US": "Pacific/Honolulu",
}  # fmt: skip


def midnight(day: date, region: str) -> datetime:
    """Return when ``day`` begins in a region, in UTC.

    Where a country has several zones, the earliest; where nothing is known of the region, the earliest on earth: what
    ends with the day ends too early rather than too late.
    """
    beginnings = [datetime.combine(day, time(), tzinfo=zone) for zone in _zones(region.upper())]
    return min(moment.astimezone(UTC) for moment in beginnings)


def earliest_day(moment: datetime, region: str) -> date:
    """Return the local day of a moment; of a region with several zones the earliest.

    Where nothing is known of the region, the earliest day on earth: what is counted from it ends too early rather than
    too late.
    """
    code = region.strip().upper()
    country = code.partition("-")[0]
    if code not in STATE_ZONES and country in _ZONES_BEHIND:
        return moment.astimezone(ZoneInfo(_ZONES_BEHIND[country])).date()
    zones = _zones(code)
    return min(moment.astimezone(_LATEST if zone is _EARLIEST else zone).date() for zone in zones)


@lru_cache(maxsize=512)
def _zones(region: str) -> tuple[tzinfo, ...]:
    named = STATE_ZONES.get(region)
    if named is not None:
        return (ZoneInfo(named),)
    names = _zones_of_countries().get(region.partition("-")[0], ())
    return tuple(ZoneInfo(name) for name in names) or (_EARLIEST,)


def countries() -> frozenset[str]:
    """Return the codes of all countries that have a time zone (ISO 3166-1)."""
    return frozenset(_zones_of_countries())


@lru_cache(maxsize=1)
def _zones_of_countries() -> dict[str, list[str]]:
    lines = (Path(__file__).parent / "country_zones.txt").read_text(encoding="utf-8").splitlines()
    rows = (line.split() for line in lines if not line.startswith("#"))
    return {country: zones for country, *zones in rows}
