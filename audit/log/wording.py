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
    "audit_log": "Downloads of the audit log",
    "decision_log": "Downloads of the decision log",
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
_IN_LINE, _LONGEST = 3, 60  # of what changed in the list: members, and letters of a value
_NOT_SHOWN = frozenset({"row", "before", "after", "changes"})


def kind_of(action: str) -> str:
    return action.partition(".")[0]


def kind_in_words(kind: str) -> str:
    return KINDS.get(kind, sentence(kind))


def changed(event: AuditEvent, earlier: AuditEvent | None) -> str:
    """Return a table of what changed: as the event says itself, or compared with the event before about the object."""
    if said := _said(event):
        return _differences(*said, label=str)
    if earlier is None or kind_of(earlier.action) != kind_of(event.action):
        return NOTHING
    return _differences(_comparable(earlier.details), _comparable(event.details))


def said_changes(event: AuditEvent) -> list[tuple[str, str, str]]:
    """Return what an event says of itself that it changed, for its line in the list: member, before, after."""
    said = _said(event)
    if said is None:
        return []
    found = list(_moved(*said))
    more = [(f"and {len(found) - _IN_LINE} more", "", "")] if len(found) > _IN_LINE else []
    return [*((name, _cut(old), _cut(new)) for name, old, new in found[:_IN_LINE]), *more]


def _said(event: AuditEvent) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """Return the members before and after that an event itself names, by their words; None where it names none."""
    if members := dict(_members(event.details.get("changes"))):
        old, new = ({name: pair[which] for name, pair in members.items()} for which in (0, 1))
        return old, new
    before, after = event.details.get("before"), event.details.get("after")
    if isinstance(before, Mapping) or isinstance(after, Mapping):
        return tuple({sentence(name): value for name, value in (side or {}).items()} for side in (before, after))  # type: ignore[return-value]
    return None


def _moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the members that differ, in words."""
    for name in {**before, **after}:
        if before.get(name) != after.get(name):
            yield name, _value(before.get(name)), _value(after.get(name))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


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
    rows = ((label(name), old, new) for name, old, new in _moved(before, after))
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
