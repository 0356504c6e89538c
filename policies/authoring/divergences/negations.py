"""Negations over what may be missing, found for the lint.

OPA evaluates the operands of a negated expression before it: where one is undefined, the whole is undefined. To the
embedded engine the negation is true then, so that a missing fact would permit. Both agree where a single reference is
negated or compared with ``==``; every other operand has to have a value: a variable, or a rule that always has one.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

from policies.authoring.rego_tokens import KEYWORDS, RuleBody, Token, closing, touches

MISSING = (
    "What may be missing gets a variable first, `value := input.x`, which is negated over: where it is missing, "
    "`not` is undefined in OPA and true in the embedded engine."
)

# Without an error undefined in both engines, for an empty collection.
_WITHOUT_VALUE = frozenset({"max", "min"})
_OPERATORS = frozenset({"==", "!=", "=", "<", ">", "<=", ">=", "+", "-", "*", "&", "|", "in"})
_ENDS = frozenset({";", "with", "else", "not", "if", ","})
_PASSES = 10


def undefined_operands(rule: RuleBody, defined: Collection[str], always: Collection[str]) -> Iterator[Token]:
    """Return the operands of negations that may be undefined. ``defined`` are the names of the package's rules."""
    for place, token in enumerate(rule.tokens):
        if token.text == "not" and token.kind == "name":
            yield from _operands(rule.tokens[place + 1 : _end(rule.tokens, place + 1)], defined, always)


def always_defined(rules: Iterable[RuleBody]) -> frozenset[str]:
    """Return the names of rules and functions that have a value whatever the facts are."""
    bodies = list(rules)
    defined = {rule.name for rule in bodies}
    always = frozenset(rule.name for rule in bodies if _is_default(rule) or _is_set(rule))
    for _ in range(_PASSES):
        more = {rule.name for rule in bodies if rule.name not in always and _ends_in_a_value(rule, defined, always)}
        if not more:
            break
        always |= more
    return always


def _is_default(rule: RuleBody) -> bool:
    return rule.tokens[0].text == "default"


def _is_set(rule: RuleBody) -> bool:
    return len(rule.tokens) > 1 and rule.tokens[1].text == "contains"


def _ends_in_a_value(rule: RuleBody, defined: Collection[str], always: Collection[str]) -> bool:
    """Return whether the last branch has no condition and a value that cannot be missing."""
    at_top = [place for place, token in enumerate(rule.tokens) if token.depth == rule.tokens[0].depth]
    last = next((place for place in reversed(at_top) if rule.tokens[place].text == "else"), 0)
    rest = [place for place in at_top if place >= last]
    assigned = next((place for place in rest if rule.tokens[place].text in {":=", "="}), None)
    if assigned is None or any(rule.tokens[place].text == "if" for place in rest) or not _takes_all(rule):
        return False
    value = rule.tokens[assigned + 1 :]
    return not any(_missing(value, defined, always))


def _takes_all(rule: RuleBody) -> bool:
    """Return whether a head takes whatever it is called with: no key, and parameters that are names only."""
    if rule.tokens[1].text == "[":
        return False
    end = closing(rule.tokens, 1) if rule.tokens[1].text == "(" else 1
    named = [token for token in rule.tokens[2:end] if token.text != ","]
    return all(token.kind == "name" and token.text not in KEYWORDS for token in named)


def _end(tokens: Sequence[Token], start: int) -> int:
    """Return where the expression that begins at a place ends."""
    if start >= len(tokens):
        return start
    depth = tokens[start].depth
    for place in range(start, len(tokens)):
        token = tokens[place]
        if token.depth < depth or (token.depth == depth and token.text in _ENDS):
            return place
        begins = token.is_first and token.depth == depth and place > start
        if begins and token.text not in {*_OPERATORS, ")", "]", "}"} and tokens[place - 1].text not in _OPERATORS:
            return place
    return len(tokens)


def _operands(negated: Sequence[Token], defined: Collection[str], always: Collection[str]) -> Iterator[Token]:
    """Return what of a negated expression may be missing and is evaluated before it."""
    sides = _sides(negated)
    for side in sides:
        root = _reference(side)
        if root:
            yield from _missing(side[root:], defined, always)
        elif len(sides) == 1 and _is_call(side):
            yield from _missing(side[_opening(side) :], defined, always)
        else:
            yield from _missing(side, defined, always)


def _sides(negated: Sequence[Token]) -> list[Sequence[Token]]:
    """Return the two sides of a single ``==``, else the whole."""
    top = [place for place, token in enumerate(negated) if token.depth == negated[0].depth]
    operators = [place for place in top if negated[place].text in _OPERATORS]
    if len(operators) == 1 and negated[operators[0]].text in {"==", "="}:
        return [side for side in (negated[: operators[0]], negated[operators[0] + 1 :]) if side]
    return [negated] if negated else []


def _reference(side: Sequence[Token]) -> int:
    """Return the length of the root of a side that is one reference and nothing else, 0 where it is more."""
    if side[0].kind != "name" or side[0].text in KEYWORDS:
        return 0
    place = 1
    while place < len(side):
        if side[place].text == "." and place + 1 < len(side):
            place += 2
        elif side[place].text == "[":
            place = closing(side, place) + 1
        else:
            return 0
    return 1


def _is_call(side: Sequence[Token]) -> bool:
    opened = _opening(side)
    return bool(opened) and closing(side, opened) == len(side) - 1


def _opening(tokens: Sequence[Token], start: int = 0) -> int:
    """Return where the bracket of the call stands that begins at a place, 0 where none begins there."""
    place = start + 1
    while place + 1 < len(tokens) and tokens[place].text == ".":
        place += 2
    return place if tokens[start].kind == "name" and place < len(tokens) and tokens[place].text == "(" else 0


def _missing(tokens: Sequence[Token], defined: Collection[str], always: Collection[str]) -> Iterator[Token]:
    """Return the references and calls that may be undefined. Comprehensions are queries of their own."""
    place = 0
    while place < len(tokens):
        token = tokens[place]
        if token.text in {"[", "{"} and _is_comprehension(tokens, place):
            place = closing(tokens, place)
        elif _is_root(tokens, place) and _may_be_missing(tokens, place, defined, always):
            yield token
        place += 1


def _is_root(tokens: Sequence[Token], place: int) -> bool:
    """Return whether a reference or call begins at a place."""
    token = tokens[place]
    return token.kind == "name" and token.text not in KEYWORDS and not (place and tokens[place - 1].text == ".")


def _may_be_missing(tokens: Sequence[Token], place: int, defined: Collection[str], always: Collection[str]) -> bool:
    name = tokens[place].text
    opened = _opening(tokens, place)
    after = tokens[place + 1] if place + 1 < len(tokens) else None
    if opened:
        is_own = opened == place + 1 and name in defined
        return name not in always if is_own else name in _WITHOUT_VALUE
    has_steps = after is not None and (after.text == "." or (after.text == "[" and touches(tokens[place], after)))
    return has_steps or (name in defined and name not in always)


def _is_comprehension(tokens: Sequence[Token], place: int) -> bool:
    before = tokens[place - 1] if place else None
    is_step = (
        before is not None and (before.kind == "name" or before.text in {"]", ")"}) and touches(before, tokens[place])
    )
    inside = tokens[place + 1 : closing(tokens, place)]
    return not is_step and any(each.text == "|" and each.depth == tokens[place].depth + 1 for each in inside)
