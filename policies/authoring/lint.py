"""Lint of Rego: differences between the two engines, untested rules, and dangers to the service.

The rules follow what was measured in both engines (reasons for authors: policies/rego/README.md). Each finding is an
error: a policy with findings is not published. What only an engine can find is asked in ``checks``.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Any

from policies.authoring.builtins import ALLOWED, IN_TESTS_ONLY, why_refused
from policies.authoring.divergences import arguments, indexes, negations, scopes
from policies.authoring.rego_tokens import KEYWORDS, RuleBody, Token, closing, rules, tokens, touches

MAX_COLUMNS = 1024
MAX_DEPTH = 60
MAX_RULES = 3000
_MOST_CYCLES = 20
_SAFE_INTEGER = 2**53
_INTEGER = re.compile(r"0|[1-9][0-9]*")
_PACKAGE = re.compile(r"governance(\.[a-z][a-z0-9_]*)+")


@dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    column: int
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.rule}: {self.text}"


@dataclass
class _Module:
    path: str
    tokens: list[Token]
    """Without comments."""
    comments: list[Token]
    rules: list[RuleBody]
    package: str = ""
    defined: frozenset[str] = field(default_factory=frozenset)
    """The names of all rules of the package."""

    @property
    def is_test(self) -> bool:
        return self.path.endswith("_test.rego")


def lint(policies: Mapping[str, str], tests: Mapping[str, str], data: Mapping[str, Any] | None = None) -> list[Finding]:
    """Return every finding, in the order of the files. With the data, also indexes of its arrays."""
    modules = [_module(path, text) for path, text in sorted({**policies, **tests}.items())]
    defined: dict[str, set[str]] = {}
    for module in modules:
        defined.setdefault(module.package, set()).update(rule.name for rule in module.rules)
    for module in modules:
        module.defined = frozenset(defined[module.package])
    # First what would make looking further slow: brackets, lines and rules without end.
    found = [finding for module in modules for finding in _nesting(module)]
    if sum(len(module.rules) for module in modules) > MAX_RULES:
        found.append(Finding(modules[0].path, 1, 1, "size", f"At most {MAX_RULES} bodies of rules are taken."))
    found += [
        Finding(path, number, MAX_COLUMNS, "long-line", f"A line has fewer than {MAX_COLUMNS} columns.")
        for path, text in {**policies, **tests}.items()
        for number, line in enumerate(text.split("\n"), 1)
        if len(line.encode()) >= MAX_COLUMNS
    ]
    if found:
        return sorted(set(found))
    found += [finding for module in modules for check in _MODULE_CHECKS for finding in check(module)]
    found += _entrypoints(modules)
    found += _recursion(modules)
    found += _untested(modules)
    found += _indexes(modules, data or {})
    found += _negations(modules)
    return sorted(set(found))


def index_findings(policies: Mapping[str, str], data: Mapping[str, Any]) -> list[Finding]:
    """Return only what the data in force adds: indexes of its arrays."""
    return sorted(set(_indexes([_module(path, text) for path, text in policies.items()], data)))


def rule_lines(policies: Mapping[str, str]) -> dict[str, list[tuple[str, int, int]]]:
    """Return the lines of each rule's bodies: "package.rule" -> (path, first line, last line)."""
    lines: dict[str, list[tuple[str, int, int]]] = {}
    for path, text in policies.items():
        module = _module(path, text)
        for rule in module.rules:
            lines.setdefault(f"{module.package}.{rule.name}", []).append((path, rule.line, rule.last_line))
    return lines


def tests_of(tests: Mapping[str, str]) -> list[str]:
    """Return the tests for the embedded engine, as "package.rule".

    A test can say `custom: {engine: opa}` in its METADATA: what OPA finds undefined can be an error there; both deny.
    """
    modules = [_module(path, text) for path, text in tests.items()]
    return [
        f"{module.package}.{rule.name}"
        for module in modules
        for rule in module.rules
        if rule.name.startswith("test_") and not re.search(r"^ custom: \{engine: opa\}$", rule.metadata, re.MULTILINE)
    ]


def without_imports(text: str) -> str:
    """Rewrite a test with every imported name in full: `with` does not reach through imports when embedded."""
    every = [token for token in tokens(text) if token.kind != "comment"]
    lines = text.split("\n")
    names: dict[str, str] = {}
    by_line = {line: [t.text for t in group] for line, group in groupby(every, key=lambda t: t.line)}
    for token in every:
        if token.text == "import" and token.is_first and token.depth == 0:
            words = by_line[token.line][1:]
            path = "".join(words[: words.index("as")] if "as" in words else words)
            names[words[-1]] = path
            lines[token.line - 1] = ""
    for before, token in reversed(list(pairwise(every))):
        if token.kind == "name" and token.text in names and before.text != "." and lines[token.line - 1]:
            line, start = lines[token.line - 1], token.column - 1
            if line[start + len(token.text) : start + len(token.text) + 1] == ".":
                lines[token.line - 1] = line[:start] + names[token.text] + line[start + len(token.text) :]
    return "\n".join(lines)


def _module(path: str, text: str) -> _Module:
    everything = list(tokens(text))
    module = _Module(
        path,
        [token for token in everything if token.kind != "comment"],
        [token for token in everything if token.kind == "comment"],
        rules(path, everything),
    )
    if module.tokens and module.tokens[0].text == "package":
        module.package = "".join(token.text for token in module.tokens[1:] if token.line == module.tokens[0].line)
    return module


def _at(module: _Module, token: Token, rule: str, text: str) -> Finding:
    return Finding(module.path, token.line, token.column, rule, text)


def _package(module: _Module) -> Iterator[Finding]:
    named = [token for token in module.tokens if token.text == "package" and token.depth == 0 and token.is_first]
    if not named or module.tokens[0] is not named[0] or not _PACKAGE.fullmatch(module.package):
        yield Finding(module.path, 1, 1, "package", "A file begins with `package governance.NAME`.")
    for token in named[1:]:
        yield _at(module, token, "package", "A file has one package.")


def _imports(module: _Module) -> Iterator[Finding]:
    for token in module.tokens:
        if token.text == "import" and token.is_first and token.depth == 0 and not module.is_test:
            yield _at(module, token, "import", "The embedded engine evaluates all of an imported package: no imports.")


def _strings(module: _Module) -> Iterator[Finding]:
    for token in module.tokens:
        if token.kind == "template":
            yield _at(module, token, "interpolation", "The embedded engine has no string interpolation: use concat.")
        if token.kind == "mark" and token.text in {'"', "`"}:
            yield _at(module, token, "string", "This string does not end.")


def _nesting(module: _Module) -> Iterator[Finding]:
    deep = next((token for token in module.tokens if token.depth > MAX_DEPTH), None)
    if deep is not None:
        yield _at(module, deep, "nesting", f"Brackets are nested at most {MAX_DEPTH} deep.")


def _numbers(module: _Module) -> Iterator[Finding]:
    for index, token in enumerate(module.tokens):
        if token.kind == "number" and (not _INTEGER.fullmatch(token.text) or len(token.text) > 16):
            yield _at(module, token, "number", "The engines round differently: whole decimal numbers only.")
        elif token.kind == "number" and int(token.text) >= _SAFE_INTEGER:
            yield _at(module, token, "number", "Numbers are below 2^53.")
        elif token.text in {"/", "%"} and token.kind == "mark" and index:
            yield _at(module, token, "number", "Division leaves the whole numbers, and fails for zero.")


def _calls(module: _Module) -> Iterator[tuple[str, Token, list[Token]]]:
    """Return each call: the dotted name, its place, and the tokens of its arguments."""
    every = module.tokens
    for index, token in enumerate(every):
        if token.text != "(" or index == 0 or every[index - 1].kind != "name" or not touches(every[index - 1], token):
            continue
        first = index - 1
        while first >= 2 and every[first - 1].text == "." and every[first - 2].kind == "name":
            first -= 2
        if every[first].text in KEYWORDS - {"contains"} or (first and every[first - 1].text == "."):
            continue
        yield "".join(t.text for t in every[first:index]), every[first], every[index + 1 : closing(every, index)]


def _builtins(module: _Module) -> Iterator[Finding]:
    lines = {token.line for token in module.tokens if token.text == "import" and token.is_first}
    imported = {token.text for token in module.tokens if token.line in lines and token.kind == "name"}
    for name, token, _ in _calls(module):
        head = name.split(".")[0]
        if name in IN_TESTS_ONLY and not module.is_test:
            yield _at(module, token, "builtin", f"`{name}` is not allowed outside of tests: it differs for sets.")
        if name in module.defined or name in ALLOWED or (module.is_test and head in imported):
            continue
        if head == "data" and not module.is_test:
            yield _at(module, token, "builtin", "A function of another package is not called.")
        elif head != "data":
            yield _at(module, token, "builtin", f"`{name}` is not allowed: {why_refused(name)}.")
    for before, token in pairwise(module.tokens):
        is_operand = before.text == "]" or (before.kind == "name" and before.text not in KEYWORDS)
        if token.text == "(" and is_operand and (before.text == "]" or not touches(before, token)):
            # `json["marshal"](x)` is a call in both engines, `count (x)` in one of them.
            yield _at(module, token, "builtin", "A function is called by its plain name, the bracket right behind it.")
        # Not only where they are called: OPA also takes a function's name in `with`.
        if before.text != "." and token.kind == "name" and token.text in {"http", "walk", "opa"}:
            yield _at(module, token, "builtin", f"`{token.text}` is not used: it names a function that is not allowed.")


def _arguments(module: _Module) -> Iterator[Finding]:
    """Find arguments for which the engines give different values; tests may ask for one engine only."""
    for name, token, given in _calls(module):
        if not (module.is_test and name in arguments.FREE_IN_TESTS):
            for place, rule, text in arguments.misread(name, token, given):
                yield _at(module, place, rule, text)


def _variables(module: _Module) -> Iterator[Finding]:
    """Find variables named like a rule: the engines disagree whether the rule is meant."""
    text = "A variable of its own name, please: a rule of this package has it."
    for rule in module.rules:
        declared = [*_declared(rule), *_parameters(rule)]
        for token in declared:
            if token.text in module.defined:
                yield _at(module, token, "shadow", text)


def _scopes(module: _Module) -> Iterator[Finding]:
    """Find what the engines take for another variable, collection or function."""
    if module.is_test:
        return
    for rule in module.rules:
        for token in scopes.declared_again(rule, _declared(rule)):
            yield _at(module, token, "shadow", scopes.AGAIN)
    for token in scopes.keyed_memberships(module.tokens):
        yield _at(module, token, "membership", scopes.KEYED)
    for token in scopes.replaced_functions(module.tokens):
        yield _at(module, token, "with", scopes.REPLACED)


def _declared(rule: RuleBody) -> Iterator[Token]:
    for index, token in enumerate(rule.tokens):
        if token.text in {"some", "every"}:
            for place in range(index + 1, len(rule.tokens)):  # no slice: a rule can have many of them
                after = rule.tokens[place]
                if after.text == "in" or after.line != token.line or after.text in {"}", "|", "{"}:
                    break
                if after.kind == "name":
                    yield after
        if token.text == ":=" and token.depth > 0 and rule.tokens[index - 1].kind == "name":
            yield rule.tokens[index - 1]


def _parameters(rule: RuleBody) -> list[Token]:
    words = [token for token in rule.tokens if token.text != "default"]
    if len(words) < 2 or words[1].text != "(":
        return []
    end = next((i for i in range(2, len(words)) if words[i].depth == words[1].depth), len(words))
    return [token for token in words[2:end] if token.kind == "name"]


def _annotations(module: _Module) -> Iterator[Finding]:
    for rule in module.rules:
        if not rule.metadata or module.is_test:
            continue
        for member in ("title", "description"):
            if not re.search(rf"^ {member}: *\S", rule.metadata, re.MULTILINE):
                yield _at(module, rule.tokens[0], "metadata", f"The METADATA of `{rule.name}` has no {member}.")


_MODULE_CHECKS: tuple[Callable[[_Module], Iterable[Finding]], ...] = (
    _package, _imports, _strings, _numbers, _builtins, _arguments, _variables, _scopes, _annotations,
)  # fmt: skip


def _entrypoints(modules: list[_Module]) -> Iterator[Finding]:
    """Check that each package has an `answer` with METADATA: every query evaluates this rule."""
    for package in sorted({module.package for module in modules if not module.is_test}):
        answers = [
            (module, rule)
            for module in modules
            if module.package == package and not module.is_test
            for rule in module.rules
            if rule.name == "answer"
        ]
        if not answers:
            path = next(module.path for module in modules if module.package == package)
            yield Finding(path, 1, 1, "entrypoint", f"The package {package} has no rule `answer`.")
        elif not any(re.search(r"^ entrypoint: true$", rule.metadata, re.MULTILINE) for _, rule in answers):
            module, rule = answers[0]
            text = "Above `answer` stands METADATA with title, description and `entrypoint: true`."
            yield _at(module, rule.tokens[0], "metadata", text)


def _references(rule: RuleBody, defined: frozenset[str]) -> Iterator[Token]:
    """Return the rules of its own package a rule reads."""
    body = rule.tokens[1 if rule.tokens[0].text == "default" else 0 :]
    for before, token in pairwise(body):
        if token.kind == "name" and token.text in defined and before.text != ".":
            yield token


def _graph(modules: list[_Module]) -> dict[tuple[str, str], list[tuple[str, Token, str]]]:
    """Return the references: (package, rule) -> the rules it reads, each with file and place."""
    graph: dict[tuple[str, str], list[tuple[str, Token, str]]] = {}
    for module in modules:
        for rule in module.rules:
            reads = graph.setdefault((module.package, rule.name), [])
            reads += [(t.text, t, module.path) for t in _references(rule, module.defined)]
            reads += [(name, t, module.path) for name, t in _by_path(module.package, rule)]
    return graph


def _by_path(package: str, rule: RuleBody) -> Iterator[tuple[str, Token]]:
    """Find rules read as `data.governance.topic.name`."""
    written = ["data", *package.split(".")]
    names = [(i, t) for i, t in enumerate(rule.tokens) if t.text == "data"]
    for index, token in names:
        following = [t.text for t in rule.tokens[index : index + 2 * len(written) + 1]]
        if following[: 2 * len(written) - 1 : 2] == written and len(following) == 2 * len(written) + 1:
            yield following[-1].strip('"'), token


def _recursion(modules: list[_Module]) -> Iterator[Finding]:
    """Find recursion: both engines refuse it in rules, the embedded one in functions only by running out of stack."""
    graph = _graph([module for module in modules if not module.is_test])
    for key in _in_cycles(graph)[:_MOST_CYCLES]:
        for name, token, path in graph[key]:
            if _reaches(graph, (key[0], name), key):
                text = f"`{key[1]}` depends on itself" + ("." if name == key[1] else f" by way of `{name}`.")
                yield Finding(path, token.line, token.column, "recursion", text)
                break


def _in_cycles(graph: dict[tuple[str, str], list[tuple[str, Token, str]]]) -> list[tuple[str, str]]:
    """Return the rules left when those that read no other rule are taken away, again and again."""
    reads = {key: {(key[0], name) for name, _, _ in places} & graph.keys() for key, places in graph.items()}
    readers: dict[tuple[str, str], list[tuple[str, str]]] = {key: [] for key in graph}
    for key, others in reads.items():
        for other in others:
            readers[other].append(key)
    free = [key for key, others in reads.items() if not others]
    while free:
        done = free.pop()
        for reader in readers[done]:
            reads[reader].discard(done)
            if not reads[reader]:
                free.append(reader)
    return [key for key, others in reads.items() if others]


def _reaches(
    graph: dict[tuple[str, str], list[tuple[str, Token, str]]], start: tuple[str, str], goal: tuple[str, str]
) -> bool:
    seen, waiting = {start}, [start]
    while waiting:
        key = waiting.pop()
        if key == goal:
            return True
        following = {(key[0], name) for name, _, _ in graph.get(key, [])} - seen
        seen |= following
        waiting += following
    return False


def _indexes(modules: list[_Module], data: Mapping[str, Any]) -> Iterator[Finding]:
    """Find indexes that lead to one value in OPA and to another, or none, in the embedded engine."""
    policies = [module for module in modules if not module.is_test]
    for module in policies:
        keyed = indexes.keyed_rules(
            rule for other in policies if other.package == module.package for rule in other.rules
        )
        for token in indexes.long_heads(module.rules):
            yield _at(module, token, "head", indexes.HEAD)
        for rule in module.rules:
            for token in indexes.foreign_references(rule, module.package):
                yield _at(module, token, "package", indexes.FOREIGN)
            for token in indexes.array_indexes(rule, data):
                yield _at(module, token, "index", indexes.ARRAY)
            for token in indexes.keyed_indexes(rule, keyed, module.package):
                yield _at(module, token, "index", indexes.KEYED)


def _negations(modules: list[_Module]) -> Iterator[Finding]:
    """Find negations that a missing fact makes true in the embedded engine only."""
    policies = [module for module in modules if not module.is_test]
    for package in sorted({module.package for module in policies}):
        own = [module for module in policies if module.package == package]
        always = negations.always_defined(rule for module in own for rule in module.rules)
        for module in own:
            for rule in module.rules:
                for token in negations.undefined_operands(rule, module.defined, always):
                    yield _at(module, token, "negation", negations.MISSING)


def _untested(modules: list[_Module]) -> Iterator[Finding]:
    """Find rules no test leads to, neither by name nor by a rule it names."""
    policies = [module for module in modules if not module.is_test]
    graph = _graph(policies)
    named = {token.text for module in modules if module.is_test for token in module.tokens if token.kind == "name"}
    reached = {key for key in graph if key[1] in named}
    waiting = list(reached)
    while waiting:
        key = waiting.pop()
        following = {(key[0], name) for name, _, _ in graph[key]} & graph.keys() - reached
        reached |= following
        waiting += following
    for module in policies:
        for rule in module.rules:
            if (module.package, rule.name) not in reached:
                yield _at(module, rule.tokens[0], "untested", f"No test leads to `{rule.name}`.")
