"""Kinds of work, registered by the packages whose work it is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from oversight.models import WorkItem


@dataclass(frozen=True)
class Kind:
    """Kind of work: who may see it, where it is done, and how long it may wait."""

    slug: str
    title: str
    due: timedelta
    permission: str
    url: Callable[[str], str]
    describe: Callable[[str], str]
    severity: str = "soon"
    may_see: Callable[[WorkItem, Any], bool] = lambda _item, _user: True


_kinds: dict[str, Kind] = {}


def add(*kinds: Kind) -> None:
    """Register kinds of work. Called in ``AppConfig.ready()``."""
    for kind in kinds:
        _kinds[kind.slug] = kind


def find(slug: str) -> Kind:
    return _kinds[slug]


def waiting_for(user: Any) -> list[tuple[WorkItem, Kind]]:
    """Return open items that an officer may do, the most urgent first."""
    mine = [slug for slug, kind in _kinds.items() if user.has_perm(kind.permission)]
    items = WorkItem.objects.filter(kind__in=mine, state__in=WorkItem.OPEN_STATES)
    return [(item, _kinds[item.kind]) for item in items if _kinds[item.kind].may_see(item, user)]
