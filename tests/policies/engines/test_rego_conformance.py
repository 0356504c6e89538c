"""Both engines give every construct and function that policies may use the same value.

Two sources: expressions written here for every allowed function, with OPA itself as the judge; and the cases of OPA's
own conformance suite (Copyright The OPA Authors, Apache License 2.0), read where OPA's source lies and never copied:
those that the lint lets through have to come out of the embedded engine as OPA states.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import regorus
import yaml

from policies.authoring import builtins
from policies.authoring.lint import lint
from tests.helpers.policy_engines import opa_binary

FACTS = {"t": "B", "n": 3, "list": [3, 1, 2], "map": {"a": 1, "b": {"c": [1]}}, "none": None, "words": ["b", "a"]}
EXPRESSIONS = [
    "abs(-3)", "array.concat([1], input.list)", "array.slice(input.list, 1, 9)", 'concat("-", input.words)',
    'contains("abc", "bc")', "count(input.map)", 'count("é€")', 'endswith("abc", "c")', 'indexof("é€", "€")',
    "intersection({{1, 2}, {2}})", "is_array(input.list)", "is_boolean(input.none)", "is_null(input.none)",
    "is_number(input.n)", "is_object(input.map)", "is_set({1})", "is_string(input.t)",
    "max(input.list)", 'max({"a", "b"})', "min(input.list)", 'object.filter(input.map, ["a"])',
    'object.get(input.map, ["b", "c", 0], 0)', 'object.get(input.map, "z", null)', "object.keys(input.map)",
    'object.remove(input.map, ["a"])',
    'object.union(input.map, {"b": {"d": 1}})', "object.union_n([input.map, {}])", "product([2, 3])",
    'regex.is_valid("[")', 'regex.match("^[a-c]+$", "abc")', 'replace("aab", "a", "x")', "set()", "sort(input.list)",
    'sort([null, {"a": 1}, [1], "x", 2, true])', 'split("a,b", ",")', 'split("", ",")',
    'sprintf("%v %v %v", [input.list, 3, "x"])', 'sprintf("%v", [{"b": 1, "a": [null, true]}])',
    'startswith("abc", "a")', 'strings.any_prefix_match("abc", ["b", "a"])', 'strings.any_suffix_match(["abc"], "c")',
    'substring("héllo", 1, 2)', 'substring("abc", 1, -1)', "sum(input.list)", 'trim("xax", "x")',
    'trim_left("xax", "x")', 'trim_prefix("xxa", "x")', 'trim_right("xax", "x")', 'trim_space(" a\\t")',
    'trim_suffix("axx", "x")', "type_name({1})", "union({{1}, {2}})", "input.list[0]", "input.list[9]",
    'input.list["0"]', "input.map.z", "input.map.a.z", "[1, 2] == [1, 2]", "{1, 2} == {2, 1}", '{"a": 1} == {"a": 1}',
    "null == false", '1 < "a"', "[1] < {1}", "input.n + 1 - 2 * 3", "{1, 2} - {2}", "{1} | {2}", "{1, 2} & {2}",
    "3 in input.list", '"a" in {"x": "a"}', '"x" in {"x": "a"}', "[x | some x in input.list; x > 1]",
    "{x | some x in input.list}", "{k: v | some k, v in input.map}", "[i | some i, x in input.list; x == 2]",
    "[x | some x in {3, 1}]", "every_small", "not_there", "not_false", "either", "chained", "keyed", "names",
    "defaulted", "twice(2)", "matched([1, 2])", "numbered", '{"1": "text"}[input.n]', 'data.texts["1"]',
    "data.texts[1]", "data.list[1]", "data.list[7]", "data.texts[input.n]",
]  # fmt: skip
RULES = """
every_small if { every x in input.list { x < 9 } }
not_there if { not input.absent }
not_false := x if { x := false }
either := 1 if { input.absent } else := 2 if { input.n == 3 } else := 3
chained := x if { some y in input.list; y > 2; x := [y, input.t] }
keyed[k] := v if { some k, v in input.map }
names contains x if { some x in input.words }
default defaulted := 7
defaulted := 8 if { input.n == 4 }
twice(x) := x * 2
matched([x, _]) := x
numbered := {n | n := input.list[_]; n != 2}
"""
DATA = {"texts": {"1": "text"}, "list": ["x", "y"]}


def _embedded(modules: dict[str, str], data: Any, facts: Any, query: str) -> Any:
    """Return the value in a list, an empty list where it is undefined, or None for an error."""
    engine = regorus.Engine()
    try:
        for path, text in modules.items():
            engine.add_policy(path, text)
        engine.add_data_json(json.dumps(data))
        if facts is not None:
            engine.set_input_json(json.dumps(facts))
        answer = engine.eval_rule_as_json(query)
    except BaseException:  # noqa: BLE001 (a panic of the engine is no Exception; each of them is a refusal)
        return None
    return [] if answer == '"<undefined>"' else [json.loads(answer)["value"]]


def _module(expression: str) -> str:
    return f'package governance.topic\n\nwrapped := {{"value": value}} if {{ value := {expression} }}\n{RULES}'


def test_every_function_and_construct_has_the_same_value(tmp_path: Path) -> None:
    text = "\n".join(
        f'wrapped_{number} := {{"value": value}} if {{ value := {each} }}' for number, each in enumerate(EXPRESSIONS)
    )
    (tmp_path / "t.rego").write_text(f"package governance.topic\n\n{text}\n{RULES}")
    (tmp_path / "data.json").write_text(json.dumps(DATA))
    command = [opa_binary(), "eval", "-d", str(tmp_path), "--stdin-input", "--format", "raw", "data.governance.topic"]
    done = subprocess.run(command, input=json.dumps(FACTS), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    stated = json.loads(done.stdout)

    differing = {}
    for number, each in enumerate(EXPRESSIONS):
        expected = [stated[f"wrapped_{number}"]["value"]] if f"wrapped_{number}" in stated else []
        # A function that fails is undefined in OPA and an error here: both deny.
        found = _embedded({"t.rego": _module(each)}, DATA, FACTS, "data.governance.topic.wrapped") or []
        if found != expected:
            differing[each] = (found, expected)

    assert differing == {}


@pytest.mark.parametrize("name", sorted(builtins.ALLOWED - builtins.IN_TESTS_ONLY))
def test_every_allowed_function_is_compared(name: str) -> None:
    assert any(f"{name}(" in each for each in EXPRESSIONS)


def _suite() -> Path:
    """Return OPA's own cases, in the module cache that OPA was built from, or skip the test."""
    version = re.search(
        r"Version: (\S+)", subprocess.run([opa_binary(), "version"], capture_output=True, text=True).stdout
    )
    cache = Path(os.environ.get("GOMODCACHE") or Path(os.environ.get("GOPATH") or Path.home() / "go") / "pkg/mod")
    source = cache / f"github.com/open-policy-agent/opa@v{version[1] if version else ''}"
    folder = Path(os.environ.get("ASSENT_TEST_OPA_CASES") or source / "v1/test/cases/testdata/v1")
    if not folder.is_dir():
        pytest.skip(
            "NO CASES: OPA's own cases were NOT run. Put their folder (v1/test/cases/...) in ASSENT_TEST_OPA_CASES."
        )
    return folder


def _cases(folder: Path) -> Iterator[tuple[str, str, dict[str, str], dict[str, Any]]]:
    """Return the cases that ask for one rule of one package: its name, the rule, the modules, the case."""
    for path in sorted(folder.rglob("*.yaml")):
        for case in yaml.load(path.read_text(), yaml.CSafeLoader).get("cases", []):
            asked = re.fullmatch(r"data\.(\w+(?:\.\w+)*)\.(\w+)\s*=\s*x", case["query"])
            modules = {f"m{number}.rego": text for number, text in enumerate(case.get("modules", []))}
            packages = {text.split("package ", 1)[1].split()[0] for text in modules.values() if "package " in text}
            if asked and packages == {asked[1]} and "want_result" in case and "input_term" not in case:
                yield asked[1], asked[2], modules, case


def _ours(package: str, modules: dict[str, str]) -> dict[str, str]:
    """Return the modules in a package as ours are named."""
    name = re.compile(rf"(?<![\w.])(package\s+|data\.){re.escape(package)}(?![\w])")
    return {path: name.sub(r"\1governance.topic", text) for path, text in modules.items()}


def _is_ours(modules: dict[str, str], data: Any) -> bool:
    """Return whether the lint has no finding, but for those about documentation and tests."""
    other = {"entrypoint", "metadata", "untested"}
    return not any(finding.rule not in other for finding in lint(modules, {}, data))


def _alike(value: Any) -> Any:
    """Return a value with its arrays sorted: OPA states sets as arrays, in no order."""
    if isinstance(value, dict):
        return {key: _alike(each) for key, each in value.items()}
    if isinstance(value, list):
        return sorted(map(_alike, value), key=json.dumps)
    return value


def test_opa_s_own_cases_in_our_subset_come_out_alike() -> None:
    compared, differing = 0, {}
    for package, rule, original, case in _cases(_suite()):
        modules, data = _ours(package, original), case.get("data") or {}
        if not _is_ours(modules, data):
            continue
        wrapper = f'package governance.topic\n\nwrapped_ := {{"value": data.governance.topic.{rule}}}\n'
        found = _embedded({**modules, "w.rego": wrapper}, data, case.get("input"), "data.governance.topic.wrapped_")
        expected = [row["x"] for row in case["want_result"]]
        compared += 1
        if _alike(found or []) != _alike(expected):
            differing[case["note"]] = (found, expected)

    assert compared > 400
    assert differing == {}
