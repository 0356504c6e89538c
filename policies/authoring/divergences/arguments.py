"""Arguments for which the engines give a function different values, found for the lint."""

import re
from collections.abc import Iterator, Sequence

from policies.authoring.rego_tokens import Token

MAX_PATTERN = 200
MAX_REPEAT = 100
FREE_IN_TESTS = frozenset({"indexof", "replace", "substring"})

_CLASS = re.compile(r"\\[wWdDsSbBpP]")
_REPEAT = re.compile(r"\{(\d*),?(\d*)\}")
_VERB = re.compile(r"%[^v%]|%$")
_TEXTS = frozenset({"string", "raw"})

Misread = Iterator[tuple[Token, str, str]]


def misread(name: str, call: Token, arguments: Sequence[Token]) -> Misread:
    """Return the arguments of a call that the engines read differently: place, finding and text."""
    if name == "sprintf":
        yield from _sprintf(call, arguments)
    elif name.startswith("regex."):
        yield from _regex(call, arguments)
    elif name in {"indexof", "replace"}:
        yield from _searched(call, arguments)
    elif name == "substring":
        yield from _offsets(call, arguments)


def _sprintf(call: Token, arguments: Sequence[Token]) -> Misread:
    if not arguments or arguments[0].kind not in _TEXTS:
        yield call, "sprintf", "The format is written out, not computed."
        return
    written = arguments[0].value.replace("%%", "")
    values = _split(arguments)[1:]
    if _VERB.search(written):
        yield (
            arguments[0],
            "sprintf",
            "Only %v gives the same text in both engines: %d and %s differ by the value's type.",
        )
    elif len(values) != 1 or _listed(values[0]) != written.count("%v"):
        yield arguments[0], "sprintf", "The values are written out as a list, one for each %v."


def _listed(value: Sequence[Token]) -> int:
    """Return how many elements an array has that is written out, -1 for anything else."""
    if not value or value[0].text != "[" or value[-1].text != "]":
        return -1
    inside = [token for token in value[1:-1] if token.depth == value[0].depth + 1]
    if any(token.text == "|" for token in inside):
        return -1
    return len(_split(value[1:-1]))


def _regex(call: Token, arguments: Sequence[Token]) -> Misread:
    if not arguments or arguments[0].kind not in _TEXTS:
        yield call, "regex", "The pattern is written out, not computed."
        return
    token, pattern = arguments[0], arguments[0].value
    if _CLASS.search(pattern):
        yield token, "regex", r"\w, \d, \s, \b and \p differ: write [A-Za-z0-9_] or [0-9]."
    if len(pattern) > MAX_PATTERN:
        yield token, "regex", f"A pattern has at most {MAX_PATTERN} characters."
    repeats = _REPEAT.findall(pattern)
    if any(len(n) > 3 or int(n or 0) > MAX_REPEAT for pair in repeats for n in pair) or len(repeats) > 3:
        yield token, "regex", f"At most three repetitions in braces, of at most {MAX_REPEAT}."


def _searched(call: Token, arguments: Sequence[Token]) -> Misread:
    """Refuse to search for a text that can be empty: OPA finds it nowhere, or between the bytes of a letter."""
    given = _split(arguments)
    sought = given[1] if len(given) > 1 else []
    if len(sought) != 1 or sought[0].kind not in _TEXTS or not sought[0].value:
        yield call, "argument", "What is searched for is written out and not empty."


def _offsets(call: Token, arguments: Sequence[Token]) -> Misread:
    """Refuse computed offsets: one that is no whole number is undefined in OPA and an empty text here."""
    for given in _split(arguments)[1:]:
        if [token.kind for token in given if token.text != "-"] != ["number"]:
            yield call, "argument", "Where a part begins, and its length, are numbers written out."


def _split(arguments: Sequence[Token]) -> list[Sequence[Token]]:
    """Return the arguments one by one."""
    if not arguments:
        return []
    commas = [i for i, token in enumerate(arguments) if token.text == "," and token.depth == arguments[0].depth]
    starts = [0, *(comma + 1 for comma in commas)]
    return [arguments[start:end] for start, end in zip(starts, [*commas, len(arguments)], strict=True)]
