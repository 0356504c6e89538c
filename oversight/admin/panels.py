"""Panels on the page of a change set: what packages above found out about it, in figures and tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from oversight.models import ChangeSet


@dataclass(frozen=True)
class Table:
    """A table of a panel: its first column heads each row."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Panel:
    """What one method found: ``share`` is the per cent done while it works; ``url`` leads to all of it."""

    key: str
    title: str
    says: str
    method: str
    share: int | None = None
    tables: Sequence[Table] = field(default_factory=tuple)
    url: str = ""
    link: str = ""


Find = Callable[[ChangeSet], Panel | None]
_finders: list[Find] = []


def add_panel(*finders: Find) -> None:
    """Register functions that return a panel about a set, or None where they have nothing to say."""
    _finders.extend(find for find in finders if find not in _finders)


def of(change_set: ChangeSet) -> list[Panel]:
    """Return the panels of a set that was checked as it stands."""
    if not change_set.is_checked:
        return []
    return [panel for find in (being_counted, *_finders) if (panel := find(change_set)) is not None]


def being_counted(change_set: ChangeSet) -> Panel | None:
    """Return the panel of figures that a job has yet to count."""
    if change_set.counting is None:
        return None
    return Panel(
        key="counting",
        title=_("People"),
        says=_("Everybody is being counted. The figures will stand above."),
        method=_("Counted by a job, as of one moment. A set that is approved before that is approved without them."),
        share=change_set.counting["share"],
    )
