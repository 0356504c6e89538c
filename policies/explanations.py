"""Which rules led to an answer: asked again with the same facts, on an engine made for the explanation alone.

The engine's coverage says which rules were looked at, and the value of each says whether it held. Only rules with a
title in their ``# METADATA`` are told. Facts hold no identity, so neither does an explanation.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from policies.answers import Prepared
from policies.bundles import LoadedBundle
from policies.engines.embedded import Explained, explain
from policies.packages import CONSENT

_HEAD = re.compile(r"(?:default\s+)?([a-z_][a-z0-9_]*)(\()?")
_NOT_RULES = frozenset({"package", "import", "else"})
_TOLD_ELSEWHERE = frozenset({"answer"})
_PREFIX = "explained_"
Explanation = dict[str, Any]


@dataclass
class Rule:
    """A titled rule of the consent package and where its lines are."""

    name: str
    title: str
    description: str
    is_function: bool = False
    lines: set[tuple[str, int]] = field(default_factory=set)


def explain_answer(prepared: Prepared, bundle: LoadedBundle) -> list[Explanation] | None:
    """Return the titled rules that were looked at, in the order of the bundle. None where no rule was asked.

    Raises EngineFailure. Takes some hundredths of a second: not for the hot path.
    """
    if prepared.engine == "none" or b'"package":' in prepared.facts:
        return None
    rules = [rule for rule in read_rules(bundle.policies).values() if rule.title and rule.name not in _TOLD_ELSEWHERE]
    calls = dict(_calls(rules, bundle.policies))
    names = {rule.name: calls_name(rule) if rule.is_function else rule.name for rule in rules}
    asked = [names[rule.name] for rule in rules if not rule.is_function or rule.name in calls]
    found = explain(bundle, prepared.facts, package=CONSENT, more=_module(calls), rules=asked)
    return [_told(rule, found, names[rule.name]) for rule in rules if rule.lines & found.covered]


def calls_name(rule: Rule) -> str:
    return f"{_PREFIX}{rule.name}"


def _told(rule: Rule, found: Explained, asked: str) -> Explanation:
    value = found.values.get(asked)
    told = {"rule": f"{CONSENT}.{rule.name}", "title": rule.title}
    if rule.description:
        told["description"] = rule.description
    return {**told, "fired": value not in (None, False, [], {}), "value": value}


def read_rules(policies: dict[str, str]) -> dict[str, Rule]:
    """Read the rules of the modules: name -> title, description and lines."""
    rules: dict[str, Rule] = {}
    for path, text in policies.items():
        lines = text.splitlines()
        if f"package {CONSENT}" not in lines:
            continue
        comment: list[str] = []
        current: Rule | None = None
        for number, line in enumerate(lines, start=1):
            if line.startswith("#"):
                comment, current = [*comment, line], None
                continue
            head = _HEAD.match(line)
            if head and head[1] not in _NOT_RULES:
                current = rules.setdefault(head[1], Rule(head[1], "", ""))
                current.is_function |= head[2] is not None
                _add_metadata(current, comment)
            if line.strip():
                comment = []
            if current is not None and not line.startswith("default "):
                current.lines.add((path, number))
    return rules


def _add_metadata(rule: Rule, comment: list[str]) -> None:
    if rule.title or "# METADATA" not in comment:
        return
    words = [line.removeprefix("#").strip() for line in comment[comment.index("# METADATA") + 1 :]]
    for number, line in enumerate(words):
        if line.startswith("title: "):
            rule.title = line.removeprefix("title: ")
        elif line.startswith("description:"):
            first = line.removeprefix("description:").strip()
            rest = words[number + 1 :] if first == ">-" else []
            rule.description = " ".join([*([] if first == ">-" else [first]), *rest])


def _calls(rules: list[Rule], policies: dict[str, str]) -> Iterator[tuple[str, str]]:
    """How each titled function is called by the policy itself, where its argument stands for itself."""
    text = "\n".join(policies.values())
    known = read_rules(policies)
    for rule in rules:
        if rule.is_function:
            for argument in re.findall(rf"\b{rule.name}\(([a-z_.]+)\)", text):
                if argument.startswith("input.") or argument in known:
                    yield rule.name, argument
                    break


def _module(calls: dict[str, str]) -> str:
    rules = [f"{_PREFIX}{name} := {name}({argument})" for name, argument in calls.items()]
    return "\n".join([f"package {CONSENT}", "import rego.v1", *rules])
