"""Sandbox script, run by a Python of its own and never imported: limits itself, then loads policies or a program.

    sandbox.py lint    < {"policies", "tests", "data"}               -> {"findings"}; without tests, of indexes only
    sandbox.py check   < {"policies", "data", "queries"}             -> {"problems", "covered", "values"}
    sandbox.py cost    < {"policies", "data", "queries", "inputs"}   -> {"worst"}: query -> ms of processor time
    sandbox.py exec SECONDS MEGABYTES PROGRAM ARGUMENT ...

A policy may be hostile: it can loop, recurse until the stack ends, or ask for all memory. Here that ends this process,
which has no database, no secrets in its environment and nothing to lose.
"""

import contextlib
import json
import os
import resource
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

_CPU_SECONDS = 20
_ONE_EVALUATION_S = 1.0
_MEGABYTES = 1024
_UNDEFINED = '"<undefined>"'
_LONGEST_TEXT = 400


def main(arguments: list[str]) -> None:
    if arguments[0] == "exec":
        _limit(int(arguments[1]), int(arguments[2]))
        os.execv(arguments[3], arguments[3:])  # noqa: S606 (no shell is wanted)
    _limit(_CPU_SECONDS, _MEGABYTES)
    json.dump({"lint": _lint, "check": _check, "cost": _cost}[arguments[0]](json.load(sys.stdin)), sys.stdout)


def _limit(seconds: int, megabytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20, megabytes * 2**20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _lint(asked: dict[str, Any]) -> dict[str, Any]:
    # An isolated Python does not look where this file is; the lint needs nothing but the standard library.
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from policies.authoring.lint import index_findings, lint

    policies, data = asked["policies"], asked.get("data", {})
    found = lint(policies, asked["tests"], data) if "tests" in asked else index_findings(policies, data)
    return {"findings": [asdict(finding) for finding in found]}


def _check(asked: dict[str, Any]) -> dict[str, Any]:
    """Load everything, then evaluate each query. A problem is the engine's message, with file, line and column."""
    import regorus

    problems: list[str] = []
    values: dict[str, str] = {}
    engine = regorus.Engine()
    for path, text in asked["policies"].items():
        try:
            engine.add_policy(path, text)
        except BaseException as exc:  # noqa: BLE001 (a panic of the engine is no Exception)
            problems.append(_said(exc))
    if problems:
        return {"problems": problems, "values": values, "covered": {}}
    engine.add_data_json(json.dumps(asked["data"]))
    lines: dict[str, tuple[set[int], set[int]]] = {}
    for query in asked["queries"]:
        # The engine keeps its results even across `with`: each query gets an engine of its own.
        fresh = engine.clone()
        fresh.set_enable_coverage(True)
        try:
            fresh.set_input_json(json.dumps(asked.get("input", {})))
            values[query] = fresh.eval_rule_as_json(query)
        except BaseException as exc:  # noqa: BLE001
            problems.append(f"{query}: {_said(exc)}")
        for file in json.loads(fresh.get_coverage_report_as_json())["files"]:
            ran, idle = lines.setdefault(file["path"], (set(), set()))
            ran.update(file["covered"])
            idle.update(file["not_covered"])
    covered = {path: [sorted(ran), sorted(idle - ran)] for path, (ran, idle) in lines.items()}
    return {
        "problems": problems,
        "values": {query: value[:_LONGEST_TEXT] for query, value in values.items() if value != _UNDEFINED},
        "covered": covered,
    }


def _cost(asked: dict[str, Any]) -> dict[str, Any]:
    """Measure the slowest input of each query. One that takes a second of processor time ends this process."""
    import regorus

    worst: dict[str, float] = {}
    for query in asked["queries"]:
        engine = regorus.Engine()
        for path, text in asked["policies"].items():
            engine.add_policy(path, text)
        engine.add_data_json(json.dumps(asked["data"]))
        worst[query] = 0.0
        # The first evaluation prepares the rules, which later ones need not.
        for number, facts in enumerate([asked["inputs"][0], *asked["inputs"]]):
            engine.set_input_json(json.dumps(facts))
            signal.setitimer(signal.ITIMER_PROF, _ONE_EVALUATION_S)
            began = time.process_time()
            with contextlib.suppress(Exception):  # an error is a denial, and may come late as well
                engine.eval_rule_as_json(query)
            took = (time.process_time() - began) * 1000
            signal.setitimer(signal.ITIMER_PROF, 0)
            worst[query] = max(worst[query], took if number else 0.0)
    return {"worst": worst}


def _said(exc: BaseException) -> str:
    """Return the engine's message in one line: "--> file:line:column ... error: what is wrong"."""
    lines = str(exc).split("Stack backtrace", 1)[0].strip().splitlines()
    places = [line.strip().removeprefix("--> ") for line in lines if line.lstrip().startswith("-->")]
    errors = [line.strip().removeprefix("error: ") for line in lines if line.startswith("error:")]
    said = f"{places[0]}: {' '.join(errors)}" if places and errors else " ".join(lines)
    return said[:_LONGEST_TEXT]


if __name__ == "__main__":
    main(sys.argv[1:])
