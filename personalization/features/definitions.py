"""Definitions of features: the built-in ones, and those of the register in their place.

A name in the register replaces the built-in definition: its newest version in use counts, and without one the feature
is off.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from personalization.features.models import Feature
from personalization.models import Event

Kind = Feature.Kind
_HOUR = 3600
_LIKES = (Event.Kind.LIKE, Event.Kind.PURCHASE)
_LOOKS = (Event.Kind.VIEW, Event.Kind.CLICK, Event.Kind.DWELL)
MEANING: Final = ("kind", "events", "window_days", "purpose")
"""What a version computes, and under which purpose: it never changes."""


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A version of a feature. ``freshness_s``: so old its newest source event may be."""

    name: str
    version: int
    kind: str
    events: tuple[str, ...]
    window_days: int | None
    purpose: str
    freshness_s: int
    owner: str
    description: str = ""

    @property
    def column(self) -> str:
        """Return its name in tables, of its own for each version."""
        return f"{self.name}_v{self.version}"

    @property
    def categories(self) -> frozenset[str]:
        """Return the categories of data it is computed from."""
        return frozenset(Event.CATEGORY[Event.Kind(kind)] for kind in self.events)

    def document(self) -> dict[str, Any]:
        """Return it as JSON, for files and pages."""
        names = ("name", "version", *MEANING, "freshness_s", "owner", "description")
        return {name: list(value) if isinstance(value := getattr(self, name), tuple) else value for name in names}


def _own(name: str, kind: Kind, events: Iterable[str], window_days: int | None, description: str) -> Definition:
    return Definition(
        name=name,
        version=1,
        kind=kind,
        events=tuple(str(event) for event in events),
        window_days=window_days,
        purpose="recommendations",
        freshness_s=48 * _HOUR,
        owner="house",
        description=description,
    )


OWN: Final[Mapping[str, Definition]] = {
    each.name: each
    for each in (
        _own("likes", Kind.COUNT, _LIKES, 90, "Likes and purchases of the last 90 days."),
        _own("looks", Kind.COUNT, _LOOKS, 7, "Views, clicks and time spent of the last 7 days."),
        _own("items_touched", Kind.ITEMS, (*_LOOKS, *_LIKES), 90, "Different items of the last 90 days."),
        _own("since_last", Kind.SINCE, (*_LOOKS, *_LIKES), None, "Seconds since the latest view, like or purchase."),
    )
}


def in_force(purpose: str) -> list[Definition]:
    """Return the features of a purpose that are in use, by name. One statement."""
    found = dict[str, Definition | None](OWN)
    for row in Feature.objects.order_by("version"):
        if row.in_use:
            found[row.name] = _of_row(row)
        elif row.name in OWN and found[row.name] == OWN[row.name]:
            found[row.name] = None
    return [each for _, each in sorted(found.items()) if each and each.purpose == purpose]


def _of_row(row: Feature) -> Definition:
    return Definition(
        name=row.name,
        version=row.version,
        kind=row.kind,
        events=tuple(row.events),
        window_days=row.window_days,
        purpose=row.purpose,
        freshness_s=row.freshness_s,
        owner=row.owner,
        description=row.description,
    )
