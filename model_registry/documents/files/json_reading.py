"""Strict JSON of documents from elsewhere (RFC 8259, I-JSON), every member with its line.

Python's reader says whether a text is JSON and makes the value. A walk over the tokens finds the lines, and refuses at
its line what that reader takes in: repeated members, NaN, numbers and characters that nothing can store, depth.
``common.http.strict_json`` refuses the same and is quicker, as it knows no lines.
"""

import json
import math
import re
from dataclasses import dataclass, field

from model_registry.documents.reading import CONTROL, ESCAPED, MAX_DEPTH, MAX_NODES, TOO_LARGE, Path, Read
from model_registry.documents.refusal import DocumentRefused, path_of

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_MAX_NUMBER = 400


def read_json(text: str) -> Read:
    """Return a JSON document. Raises DocumentRefused with the line."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as exc:
        raise DocumentRefused(f"This is no JSON: {exc.msg}.", line=exc.lineno) from None
    except (RecursionError, ValueError):
        value = None  # nested too deeply, or a number of thousands of digits: the walk finds the line
    return Read(value, _Walk(text).lines())


@dataclass
class _Container:
    """An object or a list that is open: where it is, what its next value is called, and the names it has had."""

    path: Path
    is_object: bool
    place: str | int = 0
    awaits_name: bool = True
    names: set[str] = field(default_factory=set)

    def next_path(self) -> Path:
        return (*self.path, self.place)


class _Walk:
    """Walk over the tokens of a text that is JSON."""

    def __init__(self, text: str) -> None:
        self._text, self._line, self._seen, self._nodes = text, 1, 0, 0
        self._open: list[_Container] = []
        self._lines: dict[Path, int] = {}

    def lines(self) -> dict[Path, int]:
        """Return the line of each member, by path. Raises DocumentRefused."""
        for found in _TOKEN.finditer(self._text):
            self._line += self._text.count("\n", self._seen, found.start())
            self._seen = found.start()
            self._take(found.group())
        return self._lines

    def _take(self, word: str) -> None:
        inside = self._open[-1] if self._open else None
        if word in "}]":
            self._open.pop()
        elif word == ":":
            self._inside().awaits_name = False
        elif word == ",":
            self._next()
        elif inside is not None and inside.is_object and inside.awaits_name:
            self._name(inside, word)
        else:
            self._value(inside, word)

    def _inside(self) -> _Container:
        return self._open[-1]

    def _next(self) -> None:
        inside = self._inside()
        inside.awaits_name = True
        if not inside.is_object:
            inside.place = int(inside.place) + 1

    def _name(self, inside: _Container, word: str) -> None:
        name = self._text_of(word, inside.path)
        inside.place = name
        if name in inside.names:
            raise self._refuse("This member is stated twice in one object.", inside.next_path())
        inside.names.add(name)
        self._lines[inside.next_path()] = self._line

    def _value(self, inside: _Container | None, word: str) -> None:
        path = inside.next_path() if inside else ()
        self._lines.setdefault(path, self._line)
        self._nodes += 1
        if word in "{[":
            self._open.append(_Container(path, is_object=word == "{"))
        elif word.startswith('"'):
            self._text_of(word, path)
        else:
            self._number(word, path)
        if len(self._open) > MAX_DEPTH or self._nodes > MAX_NODES:
            raise self._refuse(TOO_LARGE, ())

    def _text_of(self, word: str, path: Path) -> str:
        if "\\" in word:
            text = str(json.loads(word))
            if CONTROL.search(text):
                raise self._refuse(ESCAPED, path)
            return text
        return word[1:-1]

    def _number(self, word: str, path: Path) -> None:
        if word in ("true", "false", "null"):
            return
        if word in ("NaN", "Infinity", "-Infinity"):
            raise self._refuse(f"{word} is no number in JSON.", path)
        if len(word) > _MAX_NUMBER or not math.isfinite(float(word)):
            raise self._refuse("A number is too large.", path)

    def _refuse(self, what: str, path: Path) -> DocumentRefused:
        return DocumentRefused(what, line=self._line, member=path_of(path))
