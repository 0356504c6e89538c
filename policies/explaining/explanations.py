"""Explanations: which rules led to an answer, evaluated again with the same facts on an engine of its own.

The engine's coverage says which rules were looked at, and the value of each says whether it held. Only rules with a
title in their ``# METADATA`` are listed. Facts hold no identity, so neither does an explanation.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from policies import engines
from policies.bundles.loading import LoadedBundle
from policies.bundles.packages import CONSENT
from policies.decisions.rendering import NO_ENGINE, RenderedVerdict
from policies.engines.embedded import Explained
from policies.engines.evaluator import ExplainRequest

_HEAD = re.compile(r"(?:default\s+)?([a-z_][a-z0-9_]*)(\()?")
_NOT_RULES = frozenset({"package", "import", "else"})
_EXPLAINED_ELSEWHERE = frozenset({"answer"})
_PREFIX = "explained_"
Explanation = dict[str, Any]


@dataclass
class Clause:
    """One definition of a rule: where its head and its other lines are. Its title is its own, or empty."""

    head: tuple[str, int]
    title: str
    description: str
    lines: set[tuple[str, int]] = field(default_factory=set)


@dataclass
class PolicyRule:
    """A rule of the consent package. Each clause of a set adds to it or does not, so they are listed one by one."""

    name: str
    is_function: bool = False
    is_set: bool = False
    clauses: list[Clause] = field(default_factory=list)

    @property
    def asked(self) -> str:
        """Return the rule whose value shows this one's result; a function is called by one of the added module."""
        return f"{_PREFIX}{self.name}" if self.is_function else self.name

    @property
    def titled(self) -> Clause | None:
        return next((clause for clause in self.clauses if clause.title), None)


def explain_answer(rendered: RenderedVerdict, bundle: LoadedBundle) -> list[Explanation] | None:
    """Return the titled rules that were looked at, in the order of the bundle. None where no rule was asked.

    Raises EngineFailure. Takes some hundredths of a second: not for the hot path.
    """
    if rendered.engine == NO_ENGINE or b'"package":' in rendered.facts:
        return None
    return explain_facts(rendered.facts.decode(), bundle)


def explain_facts(facts: str, bundle: LoadedBundle) -> list[Explanation]:
    """Return the titled rules that are looked at for these facts. Raises EngineFailure."""
    known = read_rules(bundle.policies)
    rules = [rule for rule in known.values() if rule.titled and rule.name not in _EXPLAINED_ELSEWHERE]
    calls = dict(_calls(rules, known, bundle.policies))
    asked = [rule.asked for rule in rules if not rule.is_function or rule.name in calls]
    request = ExplainRequest(facts, CONSENT, _module(calls), asked)
    found = engines.embedded_engine().explain(bundle, request)
    return [each for rule in rules for each in (_render_set if rule.is_set else _render_rule)(rule, found)]


def _render_rule(rule: PolicyRule, found: Explained) -> Iterator[Explanation]:
    value, clause = found.values.get(rule.asked), rule.titled
    if clause and any(each.lines & found.covered for each in rule.clauses):
        yield _explanation(rule, clause, fired=value not in (None, False, [], {}), value=value)


def _render_set(rule: PolicyRule, found: Explained) -> Iterator[Explanation]:
    """Return the clauses that added something, titled or not, and the titled ones that were tried."""
    for clause in rule.clauses:
        fired = clause.head in found.covered
        if fired or (clause.title and clause.lines & found.covered):
            yield _explanation(rule, clause, fired=fired, value=found.values.get(rule.asked))


def _explanation(rule: PolicyRule, clause: Clause, *, fired: bool, value: Any) -> Explanation:
    named = {"rule": f"{CONSENT}.{rule.name}", "source": f"{clause.head[0]}:{clause.head[1]}"}
    described = {"description": clause.description} if clause.description else {}
    return {**named, "title": clause.title or rule.name, **described, "fired": fired, "value": value}


def read_rules(policies: dict[str, str]) -> dict[str, PolicyRule]:
    """Read the rules of the consent package's modules, by name."""
    rules: dict[str, PolicyRule] = {}
    for path, text in policies.items():
        lines = text.splitlines()
        if f"package {CONSENT}" in lines:
            _read_module(path, lines, rules)
    return rules


def _read_module(path: str, lines: list[str], rules: dict[str, PolicyRule]) -> None:
    comment: list[str] = []
    clause: Clause | None = None
    for number, line in enumerate(lines, start=1):
        if line.startswith("#"):
            comment, clause = [*comment, line], None
            continue
        head = _HEAD.match(line)
        if head and head[1] not in _NOT_RULES:
            rule = rules.setdefault(head[1], PolicyRule(head[1]))
            rule.is_function |= head[2] is not None
            rule.is_set |= line.startswith(f"{rule.name} contains ")
            clause = Clause((path, number), *_metadata(comment))
            rule.clauses.append(clause)
        if line.strip():
            comment = []
        if clause is not None and not line.startswith("default "):
            clause.lines.add((path, number))


def _metadata(comment: list[str]) -> tuple[str, str]:
    """Return the title and the description of a ``# METADATA`` comment; empty where it is another comment."""
    if "# METADATA" not in comment:
        return "", ""
    words = [line.removeprefix("#").strip() for line in comment[comment.index("# METADATA") + 1 :]]
    title = next((line.removeprefix("title: ") for line in words if line.startswith("title: ")), "")
    starts = [number for number, line in enumerate(words) if line.startswith("description:")]
    if not starts:
        return title, ""
    first = words[starts[0]].removeprefix("description:").strip()
    return title, " ".join(words[starts[0] + 1 :]) if first == ">-" else first


def _calls(
    rules: list[PolicyRule], known: dict[str, PolicyRule], policies: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield how the policy itself calls each titled function, where its argument stands for itself."""
    text = "\n".join(policies.values())
    for rule in rules:
        if rule.is_function:
            arguments = re.findall(rf"\b{rule.name}\(([a-z_.]+)\)", text)
            argument = next((each for each in arguments if each.startswith("input.") or each in known), None)
            if argument:
                yield rule.name, argument


def _module(calls: dict[str, str]) -> str:
    rules = [f"{_PREFIX}{name} := {name}({argument})" for name, argument in calls.items()]
    return "\n".join([f"package {CONSENT}", "import rego.v1", *rules])
