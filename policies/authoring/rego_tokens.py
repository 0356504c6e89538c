"""Rego tokens for the lint, with their places, and the rules they make up.

This is no parser: the engines are. It only has to be right about what is a string, a comment, a number and a name,
and about where a rule begins (at the first column that holds anything outside of brackets).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["name", "number", "string", "raw", "template", "comment", "mark"]
KEYWORDS = frozenset(
    {"as", "contains", "default", "else", "every", "false", "if", "import", "in", "not", "null", "package", "some"}
    | {"true", "with"}
)
_TOKEN = re.compile(
    r"""
    (?P<comment>\#[^\n]*)
  | (?P<template>\$["`])
  | (?P<string>"(?:[^"\\\n]|\\.)*")
  | (?P<raw>`[^`]*`)
  | (?P<number>\d[0-9A-Za-z_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<mark>:=|==|!=|<=|>=|[^\s])
    """,
    re.VERBOSE,
)
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")


@dataclass(frozen=True)
class Token:
    kind: Kind
    text: str
    line: int
    column: int
    depth: int
    """How many brackets are open around it."""
    is_first: bool
    """Whether nothing stands before it on its line."""

    @property
    def value(self) -> str:
        """Return a string's content, as far as the lint looks into it: only the bar's escape is resolved."""
        return self.text[1:-1].replace("\\\\", "\\") if self.kind == "string" else self.text[1:-1]


@dataclass(frozen=True)
class RuleBody:
    """One body of a rule, its ``else`` branches included."""

    name: str
    path: str
    tokens: tuple[Token, ...]
    metadata: str

    @property
    def line(self) -> int:
        return self.tokens[0].line

    @property
    def last_line(self) -> int:
        return self.tokens[-1].line


def tokens(text: str) -> Iterator[Token]:
    line, line_start, depth, seen_on, read_to = 1, 0, 0, 0, 0
    for found in _TOKEN.finditer(text):
        begun = text.count("\n", read_to, found.start())
        if begun:
            line += begun
            line_start = text.rindex("\n", read_to, found.start()) + 1
        read_to = found.start()
        kind: Kind = found.lastgroup  # type: ignore[assignment]  # a group of the pattern has matched
        word = found[0]
        if kind == "mark" and word in _CLOSE:
            depth = max(0, depth - 1)
        yield Token(kind, word, line, found.start() - line_start + 1, depth, seen_on != line)
        if kind == "mark" and word in _OPEN:
            depth += 1
        seen_on = line + (word.count("\n") if kind == "raw" else 0)


def closing(tokens: Sequence[Token], place: int) -> int:
    """Return where the bracket at a place is closed."""
    depth = tokens[place].depth
    return next((i for i in range(place + 1, len(tokens)) if tokens[i].depth <= depth), len(tokens))


def touches(before: Token, after: Token) -> bool:
    """Return whether nothing stands between two tokens."""
    return before.line == after.line and before.column + len(before.text) == after.column


def rules(path: str, all_tokens: list[Token]) -> list[RuleBody]:
    """Return the rules of a module. Package and imports are not among them."""
    found: list[RuleBody] = []
    statement: list[Token] = []
    metadata: list[str] = []
    pending: list[Token] = []
    for token in all_tokens:
        if token.kind == "comment":
            pending.append(token)
            continue
        if token.depth == 0 and token.is_first and token.text not in {"else", *_CLOSE}:
            _close(found, path, statement, metadata)
            statement, metadata = [], _metadata(pending, token.line)
        pending = []
        statement.append(token)
    _close(found, path, statement, metadata)
    return found


def _metadata(comments: list[Token], line: int) -> list[str]:
    """Return the annotation directly above a statement, its first line left out; [] where there is none."""
    lines = [comment.text.removeprefix("#") for comment in comments]
    starts = [index for index, text in enumerate(lines) if text.strip() == "METADATA"]
    if not starts or comments[-1].line != line - 1:
        return []
    return lines[starts[-1] :]


def _close(found: list[RuleBody], path: str, statement: list[Token], metadata: list[str]) -> None:
    words = [token.text for token in statement if token.text != "default"]
    if not words or words[0] in {"package", "import"} or statement[0].kind != "name":
        return
    found.append(RuleBody(words[0], path, tuple(statement), "\n".join(metadata)))
