"""Kind: a reference that OPA follows as a path and the embedded engine as a value. The lint refuses it."""

import json
import subprocess
from pathlib import Path

import pytest
import regorus

from policies.authoring import checks
from policies.authoring.folder import Folder
from policies.authoring.lint import lint
from tests.helpers.policy_engines import opa_binary

HEAD = """package governance.topic

# METADATA
# title: The answer
# description: Always defined.
# entrypoint: true
answer := {"decision": allowed}

default allowed := false
"""
TEST = """package governance.topic_test

import data.governance.topic

test_it if topic.answer.decision with input as {"action": "read"}

test_not if not topic.answer.decision with input as {}
"""
DATA = {
    "shop": {
        "blocked": ["x", "basic"],
        "position": "1",
        "tiers": {"basic": {"rank": 1}, "plus": {"rank": 2}},
        "deep": {"a": {"list": [{"name": "n"}]}, "b": {"list": []}},
        "rows": [["a", "b"], ["c"]],
    }
}


def found(body, data=DATA):
    return {finding.rule for finding in lint({"topic.rego": f"{HEAD}{body}\n"}, {"topic_test.rego": TEST}, data)}


@pytest.mark.parametrize(
    "body",
    [
        'allowed if data.shop.blocked[data.shop.position] == "basic"',
        'allowed if data.shop.blocked[input.position] == "basic"',
        'allowed if data.shop.blocked["1"] == "basic"',
        'allowed if data.shop.blocked["01"] == "basic"',
        'allowed if data["shop"]["blocked"][input.position] == "basic"',
        'allowed if not data.shop.blocked[input.position] == "basic"',
        'allowed if { some i in input.list; data.shop.blocked[i] == "basic" }',
        'allowed if { i := input.position; data.shop.blocked[i] == "basic" }',
        'allowed if data.shop.deep[input.key].list["0"].name == "n"',
        'allowed if data.shop[input.name][input.position] == "basic"',
        'allowed if data.shop.rows[1]["0"] == "c"',
        'allowed if data.shop.blocked[sprintf("%d", [1])] == "basic"',
        "allowed if count({x | x := data.shop.blocked[input.position]}) == 1",
        'keyed[k] := v if some k, v in data.shop.tiers\n\nallowed if keyed[input.number] == "one"',
        'keyed[k] := v if some k, v in data.shop.tiers\n\nallowed if keyed["1"] == "one"',
        "keyed[k] if some k in input.list\n\nallowed if keyed[1]",
        "keyed[k] := 1 if some k in input.list\n\nallowed if data.governance.topic.keyed[input.x] == 1",
    ],
)  # fmt: skip
def test_an_index_that_can_be_a_text_is_refused(body):
    assert "index" in found(body)


@pytest.mark.parametrize(
    "body",
    [
        'allowed if data.shop.blocked[1] == "basic"',
        'allowed if "basic" in data.shop.blocked',
        "allowed if { some tier in data.shop.blocked; tier == input.tier }",
        'allowed if data.shop.blocked[_] == "basic"',
        'allowed if data.shop.blocked[count(input.list) - 1] == "basic"',
        "allowed if data.shop.tiers[input.tier].rank == 1",
        'allowed if data.shop.deep[input.key].list[0].name == "n"',
        'allowed if data.shop.blocked["basic"]',
        'allowed if input.list[input.position] == "basic"',
        'allowed if data.unknown[input.position] == "basic"',
        "keyed[k] := v if some k, v in data.shop.tiers\n\nallowed if keyed.basic.rank == 1",
        "keyed[k] := v if some k, v in data.shop.tiers\n\nallowed if object.get(keyed, input.tier, 0) == 1",
        "names contains k if some k in input.list\n\nallowed if names[input.tier]",
    ],
)  # fmt: skip
def test_an_index_both_engines_read_alike_is_allowed(body):
    assert found(body) == set()


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("allowed if data.governance.other.answer", "package"),
        ("allowed if data[input.name].x", "package"),
        ('allowed if data["governance"]["other"].answer', "package"),
        ("other.name := 1\n\nallowed if input.x", "head"),
        ("other[x][y] := 1 if { some x, y in input.list }\n\nallowed if input.x", "head"),
        ('allowed if "x", "x" in {"x", "y"}', "membership"),
        ('allowed if input.x; 0, "x" in input.list', "membership"),
        ("allowed if count(input.list) == 1 with count as 1", "with"),
        ("allowed if { x := [x | some x in input.list]; x == [1] }", "shadow"),
        ("allowed if { some x in input.list; {x | some x in input.words} == {1} }", "shadow"),
        ('allowed if lower(input.name) == "x"', "builtin"),
        ('allowed if upper(input.name) == "X"', "builtin"),
        ('allowed if json.patch({"x": {1}}, []) == {}', "builtin"),
    ],
)
def test_what_else_the_cases_of_opa_show_is_refused(body, rule):
    assert rule in found(body)


@pytest.mark.parametrize(
    "body",
    [
        "allowed if { some k, v in input.map; k == v }",
        "allowed if { every k, v in input.map { k == v } }",
        'allowed if {"a": 1, "b": "x" in input.list} == input.answer',
        "allowed if input.x with input.y as 1",
        "allowed if {x | some x in input.list} == [x | some x in input.list]",
        "allowed if { some x in input.list; x == 1 } else if { some x in input.words; x == 2 }",
    ],
)
def test_the_usual_forms_are_not_refused(body):
    assert found(body) == set()


def test_the_engines_do_differ_where_the_lint_refuses(tmp_path: Path):
    """The finding has a reason: with another engine release it can go."""
    module = 'package t\n\na if data.list["1"] == "y"\n\nk[x] := 1 if some x, _ in data.map\n\nb if k[input.n] == 1\n'
    (tmp_path / "t.rego").write_text(module)
    (tmp_path / "data.json").write_text(json.dumps({"list": ["x", "y"], "map": {"1": 1}}))
    engine = regorus.Engine()
    engine.add_policy("t.rego", module)
    engine.add_data_json(json.dumps({"list": ["x", "y"], "map": {"1": 1}}))
    engine.set_input_json('{"n": 1}')

    command = [opa_binary(), "eval", "-d", str(tmp_path), "--stdin-input", "--format", "raw", "[data.t.a, data.t.b]"]
    done = subprocess.run(command, input='{"n": 1}', capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == [True, True]
    assert [engine.eval_rule_as_json(f"data.t.{name}") for name in ("a", "b")] == ['"<undefined>"'] * 2


def test_a_check_reads_the_data_of_the_folder():
    body = 'allowed if {\n\tinput.action == "read"\n\tnot data.shop.blocked[data.shop.position] == "basic"\n}'
    texts = {"topic.rego": f"{HEAD}\n{body}\n"}

    for parts in ({"overlay": DATA, "sample": {}}, {"overlay": {}, "sample": DATA}):
        report = checks.check(Folder(texts, {"topic_test.rego": TEST}, **parts))
        assert {finding.rule for finding in report.findings} == {"index", "negation"}


def test_publishing_reads_the_data_in_force():
    """A sample can lack what the registers have: what is published is looked at once more over the real data."""
    texts = {"topic.rego": f"{HEAD}\nallowed if data.shop.blocked[input.position] == 1\n"}

    assert any("index" in problem for problem in checks.compiles(texts, DATA))
    assert not any("index" in problem for problem in checks.compiles(texts, {"shop": {"blocked": {}}}))
