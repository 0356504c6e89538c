"""Form of a document: what it shows of a document's content, and the content that was typed.

What the form does not ask for (figures, what was read from a file) stays as it was. Rows that are left blank go.
"""

import copy
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from pydantic import BaseModel, ValidationError

from model_registry.documents.kinds import KINDS
from model_registry.documents.refusal import DocumentRefused, path_of
from model_registry.pages.entries import FORMS, Entry, Path, Rows, Widget

Content = dict[str, Any]
_BLANK_ROWS = 1
_MOST_ROWS = 200


def shown(kind: str, content: Content) -> list[dict[str, Any]]:
    """Return the sections of a form with the values of a document, for a template."""
    return [
        {"title": section.title, "note": section.note, "parts": [_part(part, content) for part in section.parts]}
        for section in FORMS[kind]
    ]


def _part(part: Entry | Rows, content: Content) -> dict[str, Any]:
    if isinstance(part, Entry):
        return _field(part, part.path, _value(content, part.path))
    rows = _value(content, part.path) or []
    return {
        "label": part.label,
        "rows": [
            [_field(entry, (*part.path, str(number), *entry.path), _value(row, entry.path)) for entry in part.entries]
            for number, row in enumerate([*rows, *({} for _ in range(_BLANK_ROWS))], start=1)
        ],
    }


def _field(entry: Entry, path: Path, value: Any) -> dict[str, Any]:
    if entry.widget == Widget.LINES:
        value = "\n".join(value or ())
    is_ticked = value is False if entry.widget == Widget.UNLESS else bool(value)
    return {
        "name": _name(path), "label": entry.label, "widget": str(entry.widget), "help": entry.help,
        "choices": entry.choices, "value": "" if value is None else value, "is_ticked": is_ticked,
    }  # fmt: skip


def typed(kind: str, content: Content, post: Mapping[str, str]) -> Content:
    """Return a document's content with what was typed into its form."""
    changed = copy.deepcopy(content)
    for section in FORMS[kind]:
        for part in section.parts:
            if isinstance(part, Rows):
                _put(changed, part.path, list(_rows(part, _value(content, part.path) or [], post)))
            else:
                _put(changed, part.path, _typed(part, part.path, post))
    if "answers" in changed:
        changed["answers"] = {key: answer for key, answer in changed["answers"].items() if _says_something(answer)}
    return changed


def _says_something(answer: Any) -> bool:
    """Return whether a question is answered, or said not to apply."""
    return bool(answer["text"] or not answer["applies"] if isinstance(answer, dict) else answer)


def _rows(part: Rows, rows: list[Content], post: Mapping[str, str]) -> Iterator[Content]:
    for number in count(1):
        paths = {entry: (*part.path, str(number), *entry.path) for entry in part.entries}
        if number > _MOST_ROWS or not any(_name(path) in post for path in paths.values()):
            return
        values = {entry: _typed(entry, path, post) for entry, path in paths.items()}
        if not any(values.values()):
            continue
        row = copy.deepcopy(rows[number - 1]) if number <= len(rows) else {}
        for entry, value in values.items():
            _put(row, entry.path, value)
        yield row


def _typed(entry: Entry, path: Path, post: Mapping[str, str]) -> Any:
    text = post.get(_name(path), "").replace("\r\n", "\n").strip()
    if entry.widget in (Widget.FLAG, Widget.UNLESS):
        return bool(text) is (entry.widget == Widget.FLAG)
    if entry.widget == Widget.LINES:
        return [line.strip() for line in text.split("\n") if line.strip()]
    return _number(text) if entry.widget == Widget.NUMBER else text


def _number(text: str) -> float | str | None:
    try:
        return float(text) if text else None
    except ValueError:
        return text  # refused with its place, as any value of another type


def document(kind: str, content: Content) -> BaseModel:
    """Return the document of a form. Raises DocumentRefused that names the entry."""
    try:
        return KINDS[kind].model.model_validate(content)
    except ValidationError as exc:
        error = exc.errors(include_input=False, include_url=False)[0]
        raise DocumentRefused(f"{error['msg']}.", member=_words(kind, tuple(error["loc"]))) from None


def _words(kind: str, where: tuple[Any, ...]) -> str:
    """Return the label of the entry at a place, with the number of its row."""
    for part in (part for section in FORMS[kind] for part in section.parts):
        inside = where[len(part.path) :]
        if where[: len(part.path)] != part.path:
            continue
        if isinstance(part, Entry):
            return part.label
        label = next((entry.label for entry in part.entries if entry.path == inside[1:2]), "")
        return f"{part.label} {inside[0] + 1}, {label}" if inside else part.label
    return path_of(where)


def _name(path: Path) -> str:
    return "/".join(path)


def _value(content: Any, path: Path) -> Any:
    for name in path:
        content = content.get(name) if isinstance(content, dict) else None
    return content


def _put(content: Content, path: Path, value: Any) -> None:
    for name in path[:-1]:
        content = content.setdefault(name, {})
    content[path[-1]] = value
