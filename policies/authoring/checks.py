"""Check policies with the engines, in child processes limited in time and memory, so that the service stays up.

The embedded engine always: it compiles everything, runs every test and says which lines ran. OPA as well where there is
one (``ASSENT_OPA``, or ``opa`` on the PATH): strict check, tests, coverage.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from policies.authoring import cost
from policies.authoring.folder import Folder
from policies.authoring.lint import Finding, rule_lines, tests_of, without_imports

THRESHOLD = 90
TIMEOUT_S = 30
_OPA_CPU_S, _OPA_MB = 60, 8192
_CHILD = Path(__file__).with_name("sandbox.py")


@dataclass(frozen=True)
class CheckReport:
    """Findings of all checks. ``coverage`` is in per cent of lines that can run."""

    findings: list[Finding] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    passed: int = 0
    coverage: int = 0
    opa: str = ""

    @property
    def is_clean(self) -> bool:
        return not self.findings and not self.problems

    @property
    def complaints(self) -> list[str]:
        return [*map(str, self.findings), *self.problems]


def check(folder: Folder, *, opa: str | None = None) -> CheckReport:
    """Lint; then, only if that is clean, compile and test. Nothing the lint refuses is ever run."""
    known = {**folder.sample, **folder.overlay}
    linted = sandboxed({"policies": folder.policies, "tests": folder.tests, "data": known}, task="lint")
    findings = [Finding(**found) for found in linted.get("findings", [])]
    if findings or linted.get("problems"):
        return CheckReport(findings=findings, problems=linted.get("problems", []))
    problems, passed, coverage = _embedded(folder)
    binary = opa or find_opa()
    if binary and not problems:
        problems += _opa(folder, binary)
    return CheckReport(problems=problems, passed=passed, coverage=coverage, opa=binary or "")


def compiles(policies: Mapping[str, str], data: Mapping[str, Any]) -> list[str]:
    """Return the embedded engine's errors in policies over the data they are to work with; [] if none."""
    queries = [f"data.{name}" for name in rule_lines(policies) if name.endswith(".answer")]
    answer = sandboxed({"policies": dict(policies), "data": dict(data), "queries": queries})
    return list(answer["problems"]) or _misread(policies, data) or _too_slow(policies, data)


def _misread(policies: Mapping[str, str], data: Mapping[str, Any]) -> list[str]:
    """Refuse indexes of the arrays in these data that the engines read differently: a sample may have had none."""
    linted = sandboxed({"policies": dict(policies), "data": dict(data)}, task="lint")
    return [*linted.get("problems", []), *(str(Finding(**found)) for found in linted.get("findings", []))]


def _too_slow(policies: Mapping[str, str], data: Mapping[str, Any]) -> list[str]:
    """Refuse policies too slow over the fact sheets of ``cost``: in service they would be ended in the middle."""
    queries = [f"data.{name}" for name in rule_lines(policies) if name.endswith(".answer")]
    asked = {"policies": dict(policies), "data": dict(data), "queries": queries, "inputs": cost.sheets(data)}
    answer = sandboxed(asked, task="cost")
    if "worst" not in answer:
        return list(answer["problems"])
    return [
        f"{query.removeprefix('data.')} takes {worst:.0f} ms for one question; {cost.MAX_MS} ms are allowed."
        for query, worst in answer["worst"].items()
        if worst > cost.MAX_MS
    ]


def find_opa() -> str | None:
    return os.environ.get("ASSENT_OPA") or shutil.which("opa")


def _embedded(folder: Folder) -> tuple[list[str], int, int]:
    tests = tests_of(folder.tests)
    if not tests:
        return ["There is no test."], 0, 0
    answer = sandboxed(
        {
            "policies": {**folder.policies, **{path: without_imports(text) for path, text in folder.tests.items()}},
            "data": {**folder.sample, **folder.overlay},
            "queries": [f"data.{name}" for name in tests],
        }
    )
    failed = [name for name in tests if answer["values"].get(f"data.{name}") != "true"]
    problems = answer["problems"] + [f"{name} does not hold in the embedded engine." for name in failed]
    if problems:
        return problems, len(tests) - len(failed), 0
    coverage = _coverage(answer["covered"], folder)
    problems += _unvisited(answer["covered"], folder)
    if coverage < THRESHOLD:
        problems.append(f"The tests run {coverage} % of the lines; {THRESHOLD} % are needed.")
    problems += _too_slow(folder.policies, {**folder.sample, **folder.overlay})
    return problems, len(tests), coverage


def _coverage(covered: Mapping[str, Any], folder: Folder) -> int:
    ran, idle = (sum(len(covered[path][side]) for path in folder.policies if path in covered) for side in (0, 1))
    return 100 * ran // (ran + idle) if ran + idle else 0


def _unvisited(covered: Mapping[str, Any], folder: Folder) -> list[str]:
    """Find rules of which no line ran. A rule that is only a constant leaves no trace, so it counts as visited."""
    problems = []
    for name, places in rule_lines(folder.policies).items():
        ran = idle = False
        for path, first, last in places:
            lines = covered.get(path, [[], []])
            ran |= any(first <= line <= last for line in lines[0])
            idle |= any(first <= line <= last for line in lines[1])
        if idle and not ran:
            path, line, _ = places[0]
            problems.append(f"{path}:{line}:1: No test runs `{name.rpartition('.')[2]}`.")
    return problems


def sandboxed(asked: Mapping[str, Any], *, task: str = "check") -> dict[str, Any]:
    """Ask the embedded engine in a child. Any end of the child is a problem and no exception."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_CHILD), task],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
            env={"RUST_BACKTRACE": "0"},
        )
        if done.returncode == 0:
            answer: dict[str, Any] = json.loads(done.stdout)
            return answer
        return _ended(f"The policies used up the time, memory or stack they may have (status {done.returncode}).")
    except subprocess.TimeoutExpired:
        return _ended(f"The policies did not come to an end within {TIMEOUT_S} seconds.")
    except ValueError:
        return _ended("The engine gave no answer.")


def _ended(why: str) -> dict[str, Any]:
    return {"problems": [why], "values": {}, "covered": {}}


def _opa(folder: Folder, binary: str) -> list[str]:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for path, text in {**folder.policies, **folder.tests}.items():
            (place / path).write_text(text)
        (place / "data.json").write_text(json.dumps({**folder.sample, **folder.overlay}))
        problem = _run(binary, place, "check", "--strict", ".")
        return problem or _run(
            binary, place, "test", "--timeout", f"{TIMEOUT_S}s", "--coverage", "--threshold", str(THRESHOLD), "."
        )


def _run(binary: str, place: Path, *arguments: str) -> list[str]:
    """Run one OPA command over a folder; [] if it has no findings."""
    command = [sys.executable, "-I", str(_CHILD), "exec", str(_OPA_CPU_S), str(_OPA_MB), binary, *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=place,
            capture_output=True,
            text=True,
            timeout=2 * TIMEOUT_S,
            check=False,
            env={"GOMEMLIMIT": "1GiB", "HOME": str(place)},
        )
    except subprocess.TimeoutExpired:
        return [f"OPA did not come to an end within {2 * TIMEOUT_S} seconds."]
    if done.returncode == 0:
        return []
    said = (done.stderr or done.stdout)[:2000].replace(str(place), "").strip()
    return [f"opa {arguments[0]}: {line}" for line in said.splitlines()[:20] if line.strip()] or [
        f"opa {arguments[0]} ended with status {done.returncode}."
    ]
