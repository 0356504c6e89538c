"""Indexes the two engines read differently, found for the lint.

OPA follows a reference into data, or to a rule with keys in its head, as a path: the text "1" finds the second element
of an array, and the number 1 the key "1" of such a rule. The embedded engine finds nothing. So an array of data is
indexed by numbers only, and such a rule by texts that cannot be numbers.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from policies.authoring.rego_tokens import RuleBody, Token, closing

ARRAY = (
    "An array of data is indexed by a number written out: a text would find an element in OPA and none here. "
    "Iterate with `some x in`, or make it an object."
)
KEYED = (
    'A rule with keys in its head is read with object.get: OPA finds the key "1" by the number 1, and this engine not.'
)

FOREIGN = "Data is read by a name written out, and other packages not at all: an engine holds one package only."
HEAD = "A rule has a plain name, with at most one key in brackets: longer heads are read differently."
_MOST_VALUES = 5_000
# What OPA reads as a number in a path begins with a digit or a sign.
_NO_NUMBER = re.compile(r"[^0-9+-].*|", re.DOTALL)


def array_indexes(rule: RuleBody, data: Mapping[str, Any]) -> Iterator[Token]:
    """Return the indexes that can be a text, where the data known has an array."""
    for place, token in enumerate(rule.tokens):
        if token.text != "data" or token.kind != "name" or (place and rule.tokens[place - 1].text == "."):
            continue
        values: list[Any] = [data]
        for step in _steps(rule.tokens, place + 1):
            if any(isinstance(value, list) for value in values) and not _is_number(step):
                yield step[0]
                break
            values = _following(values, step)


def keyed_indexes(rule: RuleBody, keyed: Iterable[str], package: str) -> Iterator[Token]:
    """Return the indexes, other than plain texts, by which a rule reads one of those with keys in their heads."""
    names = {*keyed}
    path = ["data", *package.split(".")]
    for place, token in enumerate(rule.tokens[1:], 1):
        before = rule.tokens[place - 1].text
        by_path = (
            before == "." and [each.text for each in rule.tokens[max(0, place - 2 * len(path)) : place : 2]] == path
        )
        if token.kind == "name" and token.text in names and (before != "." or by_path):
            step = next(_steps(rule.tokens, place + 1), None)
            if step and step[0].text not in {"_", "."} and not _is_plain_text(step):
                yield step[0]


def keyed_rules(rules: Iterable[RuleBody]) -> set[str]:
    """Return the rules with keys in their heads: ``name[key] := value``."""
    return {rule.name for rule in rules if len(rule.tokens) > 1 and rule.tokens[1].text == "["}


def long_heads(rules: Iterable[RuleBody]) -> Iterator[Token]:
    """Return the heads with more than one step behind the name, or with one after a full stop."""
    for rule in rules:
        steps = list(_steps(rule.tokens, 1))
        if len(steps) > 1 or (steps and steps[0][0].text == "."):
            yield rule.tokens[0]


def foreign_references(rule: RuleBody, package: str) -> Iterator[Token]:
    """Return references that can lead into another package of policies, of which an engine here knows nothing."""
    own = package.split(".")
    for place, token in enumerate(rule.tokens):
        if token.text != "data" or token.kind != "name" or (place and rule.tokens[place - 1].text == "."):
            continue
        steps = list(_steps(rule.tokens, place + 1))
        names = [_name(step) for step in steps[: len(own)]]
        is_computed = bool(steps) and names[0] is None
        if is_computed or (names[:1] == own[:1] and names != own) or not steps:
            yield token


def _name(step: Sequence[Token]) -> str | None:
    """Return the name a step is written as, None where it is computed."""
    if step[0].text == ".":
        return step[1].text
    return step[0].text[1:-1] if len(step) == 1 and step[0].kind in ("string", "raw") else None


def _steps(tokens: Sequence[Token], place: int) -> Iterator[list[Token]]:
    """Return the tokens of each step of a reference: a name after a full stop, or what stands in brackets."""
    while place + 1 < len(tokens):
        if tokens[place].text == "." and tokens[place + 1].kind == "name":
            yield [tokens[place], tokens[place + 1]]
            place += 2
        elif tokens[place].text == "[" and tokens[place].line == tokens[place - 1].line:
            end = closing(tokens, place)
            yield list(tokens[place + 1 : end]) or [tokens[place]]
            place = end + 1
        else:
            return


def _is_number(step: Sequence[Token]) -> bool:
    """Return whether a step is a number, all of them, or a text that is no number in either engine."""
    if step[0].text == "." or _is_plain_text(step):
        return True
    if len(step) == 1:
        return step[0].kind == "number" or step[0].text == "_"
    if step[0].text != "count" or step[1].text != "(":
        return False
    rest = step[closing(step, 1) + 1 :]
    return not rest or (len(rest) == 2 and rest[0].text in ("+", "-") and rest[1].kind == "number")


def _is_plain_text(step: Sequence[Token]) -> bool:
    return len(step) == 1 and step[0].kind in ("string", "raw") and bool(_NO_NUMBER.fullmatch(step[0].text[1:-1]))


def _following(values: Iterable[Any], step: Sequence[Token]) -> list[Any]:
    """Return the values a step can lead to."""
    key = step[-1].text if step[0].text == "." else None
    if len(step) == 1 and step[0].kind in ("string", "raw", "number"):
        key = step[0].text.strip('"`')
    found: list[Any] = []
    for value in values:
        if isinstance(value, list):
            found += value
        elif isinstance(value, Mapping):
            found += [value[key]] if key in value else value.values() if key is None else []
        if len(found) > _MOST_VALUES:
            return found[:_MOST_VALUES]
    return found
