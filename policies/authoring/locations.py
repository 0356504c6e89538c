"""Locations of the engines' errors in the files: file, line and column, for the author to correct."""

import re
from collections.abc import Mapping

from policies.authoring.checks import CheckReport
from policies.authoring.lint import Finding, rule_lines

_PLACE = re.compile(r"(?<![\w/.])([a-z][a-z0-9_]*\.(?:rego|json)):(\d+)(?::(\d+))?:? *(?:(rego_[a-z_]+): *)?")
_TEST = re.compile(r"([a-z0-9_.]+\.(test_[a-z0-9_]+)) does not hold")
_LONGEST_QUOTE = 160


def placed(report: CheckReport, files: Mapping[str, str]) -> list[Finding]:
    """Return all problems of a report as findings; ``line`` is 0 where no place is known."""
    tests = {name: text for name, text in files.items() if name.endswith("_test.rego")}
    lines = rule_lines(tests) if any(map(_TEST.match, report.problems)) else {}
    return [*report.findings, *(_finding(problem, files, lines) for problem in report.problems)]


def _finding(problem: str, files: Mapping[str, str], tests: Mapping[str, list[tuple[str, int, int]]]) -> Finding:
    failed = _TEST.match(problem)
    if failed and failed[1] in tests:
        path, line, _ = tests[failed[1]][0]
        return Finding(path, line, 1, "test", problem)
    found = _PLACE.search(problem)
    if found is None or found[1] not in files:
        return Finding("", 0, 0, "check", problem)
    said = problem[found.end() :] or problem
    rule = "untested" if said.startswith("No test runs") else found[4] or "engine"
    return Finding(found[1], int(found[2]), int(found[3] or 1), rule, said)


def quoted(finding: Finding, files: Mapping[str, str]) -> tuple[str, str]:
    """Return a finding's line, and spaces with a mark that stands under its column; empty where there is none."""
    lines = files.get(finding.path, "").split("\n")
    if not 0 < finding.line <= len(lines):
        return "", ""
    line = lines[finding.line - 1].replace("\t", " ")
    first = max(0, min(finding.column - 1, len(line)) - _LONGEST_QUOTE // 2)
    return line[first : first + _LONGEST_QUOTE], " " * (min(finding.column - 1, len(line)) - first) + "^"
