"""Names and words whose reach the two engines see differently, found for the lint."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from policies.authoring.rego_tokens import RuleBody, Token

AGAIN = "Another name for the inner variable, please: the embedded engine takes the two for one."
KEYED = "Ask for a value only, `value in collection`: with a key, sets differ."
REPLACED = "Only input and data are replaced by `with`."

_LONGEST_LINE = 1024
_ENDS = frozenset({";", "|", ":", "if", ":=", "=", "=="})


def declared_again(rule: RuleBody, declared: Iterable[Token]) -> Iterator[Token]:
    """Return variables declared once more inside of the brackets they hold in."""
    around = dict(_brackets_around(rule))
    names: dict[str, list[Token]] = {}
    for token in declared:
        names.setdefault(token.text, []).append(token)
    for same in names.values():
        outer = {around[token][-1] for token in same}
        yield from (token for token in same if token.text != "_" and outer & set(around[token][:-1]))


def keyed_memberships(tokens: Sequence[Token]) -> Iterator[Token]:
    """Return each `in` of `key, value in collection` outside of `some` and `every`."""
    for place, token in enumerate(tokens):
        if token.text == "in" and token.kind == "name" and _has_key(tokens, place):
            yield token


def replaced_functions(tokens: Iterable[Token]) -> Iterator[Token]:
    """Return functions replaced by `with`, which the embedded engine does otherwise."""
    for before, token in pairwise(tokens):
        if before.text == "with" and before.kind == "name" and token.text not in {"input", "data"}:
            yield token


def _brackets_around(rule: RuleBody) -> Iterator[tuple[Token, tuple[int, ...]]]:
    """Return each token with the places of the brackets that are open around it; the rule itself is the first."""
    opened = [-1]
    for place, token in enumerate(rule.tokens):
        while len(opened) > 1 and rule.tokens[opened[-1]].depth >= token.depth:
            opened.pop()
        yield token, tuple(opened)
        if token.text in {"{", "[", "("}:
            opened.append(place)


def _has_key(tokens: Sequence[Token], place: int) -> bool:
    """Return whether a comma stands before `in`, in the same expression, and no `some` or `every` before that."""
    here, has_comma = tokens[place], False
    for before in reversed(tokens[max(0, place - _LONGEST_LINE) : place]):
        if before.line != here.line or before.depth < here.depth or before.text in _ENDS:
            break
        if before.text in {"some", "every"}:
            return False
        has_comma |= before.text == "," and before.depth == here.depth
    return has_comma
