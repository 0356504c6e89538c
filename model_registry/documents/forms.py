"""Forms of documents: read into a card, and written from it without losing what the card does not know."""

from collections import deque
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from model_registry.documents.card import ModelCard
from model_registry.documents.reading import Path, Read
from model_registry.documents.refusal import DocumentRefused, path_of

Document = dict[str, Any]
Made = TypeVar("Made", bound=BaseModel)
_GONE = object()


def overlaid(original: Any, theirs: Any, ours: Any) -> Any:
    """Return ``original`` with what differs between ``theirs`` and ``ours``: what was read from it, and what is now.

    Members that the card does not know stay as they were, also inside lists whose length is still the same.
    """
    if ours == theirs and type(ours) is type(theirs):
        return original
    if isinstance(original, dict) and isinstance(theirs, dict) and isinstance(ours, dict):
        found = {}
        for name in [*original, *(name for name in ours if name not in original)]:
            value = overlaid(original.get(name, _GONE), theirs.get(name, _GONE), ours.get(name, _GONE))
            if value is not _GONE:
                found[name] = value
        return found
    same_size = all(isinstance(each, list) for each in (original, theirs, ours))
    if same_size and len(original) == len(theirs) == len(ours):
        return [overlaid(*each) for each in zip(original, theirs, ours, strict=True)]
    return ours


def card_of(members: Mapping[str, Any], read: Read) -> ModelCard:
    """Return the card that a form's members make. Raises DocumentRefused at the member's line in the form."""
    return made(ModelCard, members, read)


def made(model: type[Made], members: Mapping[str, Any], read: Read) -> Made:
    """Return the document that a form's members make. Raises DocumentRefused at the member's line in the form."""
    try:
        return model.model_validate(members)
    except ValidationError as exc:
        error = exc.errors(include_url=False)[0]
        where = tuple(error["loc"])
        place = _place_of(error.get("input"), read.value)
        line = read.refuse(place, "").line
        raise DocumentRefused(error["msg"] + ".", line=line, member=path_of(place or where)) from None


def _place_of(value: Any, document: Any) -> Path:
    """Return where a value stands in the document that it was read from: it is the very object."""
    return next((path for path, each in _values(document) if each is value), ())


def check(found: Read, path: Path, value: Any, form: Any) -> None:
    """Refuse values of another type than a form has, members on top that it lacks, and misspelt ones inside.

    Other members inside are let pass. ``form``: "" is a text, None anything, a list holds the form of its entries, an
    object its members. Raises DocumentRefused.
    """
    if form is None:
        return
    if isinstance(form, str):
        text_of(found, path, value)
    elif isinstance(form, list):
        for number, each in enumerate(list_of(found, path, value)):
            check(found, (*path, number), each, form[0])
    else:
        for name, each in object_of(found, path, value).items():
            if name in form:
                check(found, (*path, name), each, form[name])
            elif not path or get_close_matches(name.lower(), form):
                known = ", ".join(form)
                raise found.refuse((*path, name), f"The form has no such member here. It has: {known}.")


def objects_of(document: Any) -> Iterator[tuple[Path, Document]]:
    """Yield every object of a document with its path, the first on top."""
    return ((path, value) for path, value in _values(document) if isinstance(value, dict))


def _values(document: Any) -> Iterator[tuple[Path, Any]]:
    """Yield every value of a document with its path, those on top first."""
    waiting: deque[tuple[Path, Any]] = deque([((), document)])
    while waiting:
        path, value = waiting.popleft()
        yield path, value
        if isinstance(value, dict):
            waiting.extend(((*path, name), each) for name, each in value.items())
        elif isinstance(value, list):
            waiting.extend(((*path, number), each) for number, each in enumerate(value))


def without_blanks(document: Document) -> Document:
    """Return a document without members that say nothing: absent is not the same as false or zero."""
    return {name: value for name, value in document.items() if value not in (None, "", [], {})}


def text_of(read: Read, path: Path, value: Any) -> str:
    """Return a member that must be a text. Raises DocumentRefused."""
    if not isinstance(value, str):
        raise read.refuse(path, f"This must be a text, not {kind_of(value)}.")
    return value


def list_of(read: Read, path: Path, value: Any) -> list[Any]:
    """Return a member that must be a list. Raises DocumentRefused."""
    if not isinstance(value, list):
        raise read.refuse(path, f"This must be a list, not {kind_of(value)}.")
    return value


def object_of(read: Read, path: Path, value: Any) -> Document:
    """Return a member that must be an object. Raises DocumentRefused."""
    if not isinstance(value, dict):
        raise read.refuse(path, f"This must be an object, not {kind_of(value)}.")
    return value


def needed(read: Read, path: Path, document: Document, name: str) -> Any:
    """Return a member that must be there and say something. Raises DocumentRefused."""
    if document.get(name) is None:
        raise read.refuse(path, f"“{name}” is missing.")
    return document[name]


def kind_of(value: Any) -> str:
    """Return how people call the type of a value."""
    names = {"dict": "an object", "list": "a list", "str": "a text", "bool": "true or false", "NoneType": "empty"}
    return names.get(type(value).__name__, "a number")
