"""Kind: `not` over an operand that is missing, which is true in the embedded engine and undefined in OPA.

The lint refuses it. What it lets through, in policies of an installation's own too, is answered alike by both engines
whichever members the facts lack.
"""

import json
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import regorus

from policies import certification, rego
from policies.authoring.folder import read_folder
from policies.authoring.lint import lint
from policies.engines.embedded import EmbeddedEngine
from policies.engines.opa import OpaEngine
from tests.helpers.fact_sheets import BASE
from tests.helpers.policy_engines import REGISTER, Ask, bundle_of, opa_binary

HEAD = """package governance.topic

# METADATA
# title: The answer
# description: Always defined.
# entrypoint: true
answer := {"decision": allowed}

default allowed := false

fits(x) if x == 1

same(x) := x

picked(x) := x if x == 1

total(path) := object.get(input, path, [])

name := input.name

names contains each if some each in input.list

listed := [x | some x in input.list]

default chosen := 0

chosen := input.n

tail := input.n if { input.n > 0 } else := 0

taken := data.shop if { input.n } else := input.name
"""
TEST = "package governance.topic_test\n\nimport data.governance.topic\n\ntest_it if topic.answer\n"


def found(body: str) -> list[str]:
    findings = lint({"topic.rego": f"{HEAD}\n{body}\n"}, {"topic_test.rego": TEST})
    return [finding.rule for finding in findings if finding.rule != "untested"]


REFUSED = [
    "not fits(input.x)",
    "not fits(input.x.y)",
    'not fits(input["x"])',
    "not fits(picked(1))",
    "not fits(name)",
    "not fits(taken)",
    "not fits(data.shop.limit)",
    "not fits(input.list[9])",
    "not fits([input.x])",
    "not fits(1 + input.x)",
    "not fits(max(listed))",
    "not picked(1) == 1",
    "not is_string(input.x)",
    "not startswith(input.x, name)",
    'not object.get(input.x, "a", 0) == 1',
    "not input.x in input.list",
    "not 1 in input.list",
    "not input.x in {1, 2}",
    "not input.x in names",
    "not input.x != 1",
    "not input.x > 1",
    "not input.x + 1 == 2",
    "not count(input.x) == 0",
    "not [input.x] == [1]",
    'not {"a": input.x} == {"a": 1}',
    "not input.list[input.x] == 1",
    "not data.shop[input.x]",
    "not data.shop[name].limit",
    "some x in listed; not fits(x.y)",
    "some x in listed; not x.y in listed",
    "count([1 | not fits(input.x)]) == 0",
    "every x in listed { not fits(x.y) }",
    "not fits(input.x) with input.y as 2",
    "not fits(\n\t\tinput.x,\n\t)",
]  # fmt: skip
ALLOWED = [
    "not input.x",
    "not input.x.y",
    "not input.x == 1",
    "not 1 == input.x",
    "not input.x == input.y",
    "not input.x.y == name",
    "not name",
    "not name == 1",
    "not data.shop.limit == input.x",
    "not fits(1)",
    "x := input.x; not fits(x)",
    "x := input.x; not x in listed",
    "x := input.x; not x > 1",
    "x := input.x; list := input.list; not x in list",
    "some x in listed; not fits(x)",
    "some x in listed; not x.y",
    "some x in listed; not x.y == 1",
    "not 1 in names",
    "not 1 in listed",
    "not 1 in {x | some x in input.list}",
    "not 1 in [x | x := input.list[_]]",
    "not fits(chosen)",
    "not same(1) == 2",
    "not fits(tail)",
    'not fits(total(["x"]))',
    'not is_string(object.get(input, ["x"], null))',
    'not type_name(object.get(input, "x", [])) in {"number", "null"}',
    "not count(listed) == 0",
    "every x in listed { not fits(x) }",
    "not fits(chosen) with input.n as 2",
]  # fmt: skip


@pytest.mark.parametrize("written", REFUSED)
def test_a_negation_over_what_may_be_missing_is_refused(written: str) -> None:
    assert "negation" in found(f"allowed if {{ {written} }}")


@pytest.mark.parametrize("written", ALLOWED)
def test_a_negation_both_engines_read_alike_is_allowed(written: str) -> None:
    assert found(f"allowed if {{ {written} }}") == []


def _values(texts: list[str], facts: dict[str, Any], place: Path) -> list[tuple[str, Any, Any]]:
    """Return what differs: each expression, its value in OPA, and embedded. An error permits nothing."""
    module = _module(texts)
    (place / "topic.rego").write_text(module)
    (place / "data.json").write_text(json.dumps({"shop": {"a": {"limit": 1}}}))
    command = [opa_binary(), "eval", "-d", str(place), "--stdin-input", "--format", "raw", "data.governance.topic"]
    done = subprocess.run(command, input=json.dumps(facts), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    stated = json.loads(done.stdout)
    differing = []
    for number, text in enumerate(texts):
        engine = regorus.Engine()
        engine.add_policy("topic.rego", module)
        engine.add_data_json((place / "data.json").read_text())
        engine.set_input_json(json.dumps(facts))
        try:
            embedded = engine.eval_rule_as_json(f"data.governance.topic.w{number}") == "true"
        except Exception:  # noqa: BLE001 (regorus raises bare exceptions)
            embedded = False
        if embedded != stated.get(f"w{number}", False):
            differing.append((text, stated.get(f"w{number}"), embedded))
    return differing


def test_the_engines_differ_over_each_refused_form(tmp_path: Path) -> None:
    """The finding has a reason: with another engine release it can go."""
    simple = _well_typed([text for text in REFUSED if text.startswith("not ")], tmp_path)

    differing = {text for text, _, _ in _values(simple, {"list": []}, tmp_path)}

    assert len(differing) > len(simple) * 2 // 3


FACTS = {"x": 1, "y": [1], "z": {"y": "a"}, "n": 2, "name": "a", "list": [1, "a", {"y": 1}], "m": {"a": 1}}
OPERANDS = [
    "1", '"a"', "input.x", "input.z.y", 'input["y"]', "input.list[0]", "data.shop.a.limit", "data.shop[name].limit",
    "name", "names", "listed", "chosen", "tail", "taken", 'total(["x"])', "same(input.x)", "[input.x]", "{input.n, 2}",
    '{"k": input.x}', "v", "w.y", "[q | q := input.x]", "count(listed)", "max(listed)", 'object.get(input, "x", 0)',
    "object.get(input.m, name, 0)", "input.m[name]", "type_name(v)",
]  # fmt: skip
SHAPES = [
    "not {0}", "not {0} == {1}", "not {0} != {1}", "not {0} > {1}", "not {0} in {1}", "not fits({0})",
    "not same({0}) == {1}", "not picked({0}) == {1}", "not is_string({0})", "not [{0}, {1}] == [1, 1]",
    "every e in listed {{ not e == {0} }}", "count([1 | not fits({0})]) == 0", "some e in listed; not e in {0}",
    "not fits({0}) with input.n as 1",
]  # fmt: skip


def drawn_texts(random_: random.Random) -> Iterator[str]:
    for _ in range(1500):
        operands = random_.choices(OPERANDS, k=2)
        needs = "v := input.x; some w in listed; " if {"v", "w.y", "type_name(v)"} & {*operands} else ""
        yield needs + random_.choice(SHAPES).format(*operands)


def test_what_passes_the_lint_is_alike_whatever_is_missing(tmp_path: Path) -> None:
    random_ = random.Random(13)
    drawn = list(dict.fromkeys(drawn_texts(random_)))
    texts = _well_typed([text for text in drawn if not found(f"allowed if {{ {text} }}")], tmp_path)
    assert 60 < len(texts) < len(drawn)

    for _ in range(8):
        facts = {key: value for key, value in FACTS.items() if random_.random() < 0.6}
        assert _values(texts, facts, tmp_path) == []


def _module(texts: list[str]) -> str:
    return HEAD + "".join(f"\nw{number} if {{ {text} }}" for number, text in enumerate(texts)) + "\n"


def _well_typed(texts: list[str], place: Path) -> list[str]:
    """Return those that OPA's type checker takes: it refuses comparisons that can never hold."""
    left = texts
    while True:
        (place / "topic.rego").write_text(_module(left))
        command = [opa_binary(), "check", "--format", "json", "--max-errors", "0", str(place / "topic.rego")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return left
        errors = json.loads(done.stdout or done.stderr)["errors"]
        rows = {error["location"]["row"] - HEAD.count("\n") - 2 for error in errors}
        assert rows & set(range(len(left))), errors
        left = [text for number, text in enumerate(left) if number not in rows]


@pytest.mark.parametrize("folder", [rego.FOLDER, certification.FOLDER], ids=lambda path: path.name)
def test_what_is_shipped_negates_nothing_that_may_be_missing(folder: Path) -> None:
    read = read_folder(folder)

    assert [finding for finding in lint(read.policies, read.tests) if finding.rule == "negation"] == []


PLACEMENT = {
    "kind": "store",
    "region": "us-east-1",
    "region_group": "us",
    "subject_groups": ["eea"],
    "data_categories": ["views"],
    "purposes": ["recommendations"],
    "expired_instruments": ["eu-us-dpf"],
}


def test_placements_with_members_missing_are_answered_alike(opa_engine: OpaEngine) -> None:
    bundle, query = bundle_of(REGISTER), "data.governance.deployment.answer"
    embedded = EmbeddedEngine()
    for missing in range(2 ** len(PLACEMENT)):
        facts = {key: value for bit, (key, value) in enumerate(PLACEMENT.items()) if not missing >> bit & 1}
        encoded = json.dumps(facts).encode()

        assert opa_engine.evaluate(bundle, encoded, query) == embedded.evaluate(bundle, encoded, query), facts


def test_facts_with_members_missing_are_answered_alike(ask_embedded: Ask, ask_opa: Ask) -> None:
    random_ = random.Random(13)
    for _ in range(150):
        facts = _thinned(BASE, random_)

        assert ask_opa(facts) == ask_embedded(facts), json.dumps(facts)


def _thinned(value: Any, random_: random.Random) -> Any:
    """Return a value without some of its members, at any depth."""
    if isinstance(value, dict):
        return {key: _thinned(each, random_) for key, each in value.items() if random_.random() < 0.9}
    return value


def test_an_own_policy_that_binds_first_denies_alike() -> None:
    """An installation's own rule: the form refused permits in one engine, the form advised in neither."""
    own = HEAD.replace("default allowed", "blocked(x) if x in input.blocked\n\ndefault allowed")
    rule = '\nallowed if {{\n\tinput.action == "read"\n\t{}\n}}\n'
    facts = {"action": "read", "blocked": ["a"]}
    asked = f"{own}{rule.format('not blocked(input.who)')}"
    bound = f"{own}{rule.format('who := input.who; not blocked(who)')}"

    assert "negation" in {each.rule for each in lint({"t.rego": asked}, {"t_test.rego": TEST})}
    assert "negation" not in {each.rule for each in lint({"t.rego": bound}, {"t_test.rego": TEST})}
    for text, expected in ((asked, True), (bound, False)):
        engine = regorus.Engine()
        engine.add_policy("t.rego", text)
        engine.set_input_json(json.dumps(facts))
        assert json.loads(engine.eval_rule_as_json("data.governance.topic.allowed")) is expected
