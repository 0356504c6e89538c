"""Change sets as officers read them: words for states, values and steps."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db import models
from django.urls import reverse

from common.admin_pages.display import NOTHING, badge, exact_moment, in_days, moment, who, words
from common.wording import word_diff
from oversight import registers, rows
from oversight.changes import documents
from oversight.models import Change, ChangeSet

_TONES = {
    ChangeSet.State.DRAFT: "plain",
    ChangeSet.State.PROPOSED: "caution",
    ChangeSet.State.IN_FORCE: "good",
    ChangeSet.State.REFUSED: "alarm",
    ChangeSet.State.WITHDRAWN: "plain",
    ChangeSet.State.UNDONE: "plain",
}
_TEXT = 60
_MOST_LINKS = 20


def state(change_set: ChangeSet) -> str:
    """Return a set's state as a badge."""
    return badge(str(change_set.get_state_display()), _TONES[ChangeSet.State(change_set.state)])


def in_list(change_set: ChangeSet) -> dict[str, Any]:
    """Return a row of the list of sets."""
    return {
        "row": change_set,
        "url": reverse("change-set", args=[change_set.pk]),
        "state": state(change_set),
        "by": who(change_set.author_name),
        "kind": change_set.get_kind_display(),
        "when": moment(change_set.applied_at or change_set.proposed_at or change_set.created_at),
    }


def of_object(register: str, key: str) -> list[dict[str, Any]]:
    """Return the sets that hold an object, newest first."""
    changes = Change.objects.filter(register=register, key=key).select_related("set").order_by("-set_id")[:20]
    return [
        {**in_list(change.set), "fields": ", ".join(row["name"] for row in _differences(change))} for change in changes
    ]


def changes(change_set: ChangeSet, user: Any) -> list[dict[str, Any]]:
    """Return each change of a set with its members before and after; the first lead to the pages of their objects."""
    return [
        {
            "title": registers.find(change.register).title,
            "key": change.key,
            "what": _what(change),
            "url": _page_of(change, user) if number < _MOST_LINKS else "",
            "members": list(_differences(change)),
        }
        for number, change in enumerate(change_set.changes.all())
    ]


def _page_of(change: Change, user: Any) -> str:
    """Return the address of the object's page, where there is one that the officer may see."""
    register = registers.find(change.register)
    options = register.model._meta  # noqa: SLF001 (Django documents it for this use)
    if not any(user.has_perm(f"{options.app_label}.{verb}_{options.model_name}") for verb in ("view", "change")):
        return ""
    row = rows.find_row(register, change.key) if admin.site.is_registered(register.model) else None
    return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk]) if row else ""


def _what(change: Change) -> str:
    if change.before is None:
        return "new"
    return "deleted" if change.after is None else "changed"


def _differences(change: Change) -> Iterator[dict[str, Any]]:
    register = registers.find(change.register)
    fields = {field.name: field for field in register.fields}
    for name, (old, new) in documents.differences(change.before, change.after).items():
        if name in {child.name for child in register.children}:
            yield from _of_children(name, old or {}, new or {})
        else:
            if name in register.of_people:
                old, new = _people(old), _people(new)
            old, new = register.in_words(name, old), register.in_words(name, new)
            yield _member(_label(name, fields.get(name)), old, new, fields.get(name))


def _people(refs: list[str] | None) -> str | None:
    """Return how many people a member names: who may see a change set need not be one who may look at people."""
    return None if not refs else f"{len(refs):,} {'person' if len(refs) == 1 else 'people'}"


def _of_children(name: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key, (before, after) in documents.differences(old, new).items():
        for member, (was, shall_be) in documents.differences(before, after).items():
            yield _member(f"{words(name).capitalize()}, {key}: {words(member)}", was, shall_be, None)


def _label(name: str, field: Any) -> str:
    return str(getattr(field, "verbose_name", words(name))).capitalize()


def _member(label: str, old: Any, new: Any, field: Any) -> dict[str, Any]:
    pieces = word_diff(old, new) if _is_text(old) and _is_text(new) else None
    return {"name": label, "before": value(old, field), "after": value(new, field), "pieces": pieces}


def _is_text(content: Any) -> bool:
    return isinstance(content, str) and len(content) > _TEXT


def value(content: Any, field: Any = None) -> str:
    """Return a member's value in words."""
    if content is None or content == "" or content == []:
        return NOTHING
    if isinstance(content, bool):
        return "Yes" if content else "No"
    if isinstance(field, models.DurationField):
        return in_days(timedelta(microseconds=content))
    if isinstance(field, models.DateTimeField):
        return _moment(content)
    if isinstance(content, list):
        return ", ".join(value(each) for each in content)
    if isinstance(content, dict):
        return ", ".join(f"{words(name)}: {value(member)}" for name, member in content.items()) or NOTHING
    choices = dict(field.flatchoices) if field is not None else {}
    return str(choices.get(content, content))


def _moment(content: Any) -> str:
    """Return a moment in words; what a file states and is none as it stands: lint refuses it."""
    try:
        return exact_moment(datetime.fromisoformat(content))
    except (TypeError, ValueError):
        return str(content)


def figures(change_set: ChangeSet) -> list[dict[str, Any]]:
    """Return the preview's figures, those that stay as they are last; texts that stay are left out."""
    shown = [
        {**figure, "before": _count(figure["before"]), "after": _count(figure["after"]), "moves": _moves(figure)}
        for figure in change_set.preview
        if _moves(figure) or not isinstance(figure["after"], str)
    ]
    return sorted(shown, key=lambda figure: not figure["moves"])


def _moves(figure: dict[str, Any]) -> bool:
    return bool(figure["before"] != figure["after"])


def _count(found: int | str | None) -> str:
    if isinstance(found, int):
        return f"{found:,}"
    return found or NOTHING
