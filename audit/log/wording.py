"""Kinds of events in words, and what an event changed: before and after."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from audit.models import AuditEvent
from common.admin_pages.display import NOTHING, document, grid, sentence, words

KINDS = {
    "consent": "Consent",
    "purpose": "Processing activities",
    "data_category": "Data categories",
    "notice": "Notices",
    "party": "Parties",
    "model": "Models",
    "rule": "Rules",
    "bundle": "Rules brought into force",
    "retention": "Retention",
    "disposal": "Deletion runs",
    "statistic": "Published statistics",
    "subject": "Data subjects looked up",
    "evidence": "Evidence handed out",
    "receipt": "Receipts handed out",
    "subject_link": "Dashboard links",
    "credential": "Service credentials",
    "officer": "Officers",
    "role": "Roles given and taken away",
    "group": "What roles may do",
    "changes": "Change sets",
    "trail": "Verifications",
}
TONES = {
    "consent.given": "good",
    "consent.withdrawn": "caution",
    "consent.objected": "caution",
    "model.approved": "good",
    "model.suspended": "caution",
    "trail.verified": "good",
    "trail.broken": "alarm",
    "decision_log.line_unreadable": "alarm",
}
_NOT_SHOWN = frozenset({"row", "before", "after", "changes"})


def kind_of(action: str) -> str:
    return action.partition(".")[0]


def kind_in_words(kind: str) -> str:
    return KINDS.get(kind, sentence(kind))


def changed(event: AuditEvent, earlier: AuditEvent | None) -> str:
    """Return a table of what changed: as the event says itself, or compared with the event before about the object."""
    if members := dict(_members(event.details.get("changes"))):
        old, new = ({name: pair[which] for name, pair in members.items()} for which in (0, 1))
        return _differences(old, new, label=str)
    before, after = event.details.get("before"), event.details.get("after")
    if isinstance(before, Mapping) or isinstance(after, Mapping):
        return _differences(before or {}, after or {})
    if earlier is None or kind_of(earlier.action) != kind_of(event.action):
        return NOTHING
    return _differences(_comparable(earlier.details), _comparable(event.details))


def _members(changes: Any) -> Iterator[tuple[str, list[Any]]]:
    """Yield the members of a change set's event, each with its value before and after."""
    for change in changes if isinstance(changes, list) else ():
        if isinstance(change, Mapping):
            row = f"{sentence(change['register'])} {change['key']}"
            yield from ((f"{row}: {words(name)}", pair) for name, pair in change["fields"].items())


def details(event: AuditEvent) -> str:
    """Return what else an event says."""
    return document({name: value for name, value in event.details.items() if name not in _NOT_SHOWN})


def _comparable(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in _NOT_SHOWN}


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], *, label: Callable[[str], str] = sentence) -> str:
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    rows = ((label(name), _value(before.get(name)), _value(after.get(name))) for name in names)
    return grid(("Field", "Before", "After"), rows)


def _value(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return ", ".join(_value(member) for member in value)
    if isinstance(value, Mapping):
        return "; ".join(f"{words(name)}: {_value(member)}" for name, member in value.items())
    return str(value)
