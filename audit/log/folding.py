"""Fold repeated equal events of one page: what a machine repeats is one line, and opens to all of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from audit.models import AuditEvent

# Events that the platform writes by itself again and again; they fold over the whole page.
_ROUTINE = frozenset({"evidence.head", "trail.verified", "statistic.released", "segments.checked", "register.sealed"})


@dataclass
class Group:
    """Events of one actor that did the same; the newest first."""

    events: list[AuditEvent] = field(default_factory=list)

    @property
    def newest(self) -> AuditEvent:
        return self.events[0]

    @property
    def oldest(self) -> AuditEvent:
        return self.events[-1]

    @property
    def objects(self) -> int:
        return len({event.object for event in self.events})


def fold(events: Iterable[AuditEvent]) -> list[Group]:
    """Group events of the same action and actor that follow each other; routine ones wherever they stand.

    A group stands where its newest event stands. No event is left out.
    """
    groups: list[Group] = []
    routine: dict[tuple[str, str, str], Group] = {}
    for event in events:
        key = (event.action, event.actor, event.object)
        group = routine.get(key) if event.action in _ROUTINE else _last(groups, event)
        if group is None:
            group = Group()
            groups.append(group)
            if event.action in _ROUTINE:
                routine[key] = group
        group.events.append(event)
    return groups


def _last(groups: list[Group], event: AuditEvent) -> Group | None:
    """Return the group before, if it is of the same action and actor; routine groups do not part it."""
    for group in reversed(groups):
        if group.newest.action in _ROUTINE:
            continue
        is_same = (group.newest.action, group.newest.actor) == (event.action, event.actor)
        return group if is_same else None
    return None
