"""Run by a Python of its own, never imported: limits itself, then loads policies or becomes another program.

    confined.py check   < {"policies", "data", "queries"}   -> {"problems", "covered", "values"}
    confined.py exec SECONDS MEGABYTES PROGRAM ARGUMENT ...

A policy may be hostile: it can loop, recurse until the stack ends, or ask for all memory. Here that ends this process,
which has no database, no secrets in its environment and nothing to lose.
"""

import json
import os
import resource
import sys
from typing import Any

_CPU_SECONDS = 20
_MEGABYTES = 1024
_UNDEFINED = '"<undefined>"'
_LONGEST_TEXT = 400


def main(arguments: list[str]) -> None:
    if arguments[0] == "exec":
        _limit(int(arguments[1]), int(arguments[2]))
        os.execv(arguments[3], arguments[3:])  # noqa: S606 (no shell is wanted)
    _limit(_CPU_SECONDS, _MEGABYTES)
    json.dump(_check(json.load(sys.stdin)), sys.stdout)


def _limit(seconds: int, megabytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20, megabytes * 2**20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _check(asked: dict[str, Any]) -> dict[str, Any]:
    """Load everything, then ask each query. A problem is what the engine says, file, line and column in it."""
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
        # The engine keeps what it has worked out, whatever `with` says: each query gets one of its own.
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


def _said(exc: BaseException) -> str:
    """The engine's own words in one line: "--> file:line:column ... error: what is wrong"."""
    lines = str(exc).split("Stack backtrace", 1)[0].strip().splitlines()
    places = [line.strip().removeprefix("--> ") for line in lines if line.lstrip().startswith("-->")]
    errors = [line.strip().removeprefix("error: ") for line in lines if line.startswith("error:")]
    said = f"{places[0]}: {' '.join(errors)}" if places and errors else " ".join(lines)
    return said[:_LONGEST_TEXT]


if __name__ == "__main__":
    main(sys.argv[1:])
