"""The lint and the checks: what the engines read differently is refused, what is hostile stays in a child."""

import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from policies import certification, rego
from policies.authoring import checks
from policies.authoring.folder import Folder, UnreadableFolder, read_folder
from policies.authoring.lint import lint
from tests.helpers.policy_engines import CASES, opa_binary

REGO = rego.FOLDER
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
GOOD = f'{HEAD}\nallowed if input.action == "read"\n'


def _rules(text: str, tests: str = TEST) -> list[tuple[str, int]]:
    return [(finding.rule, finding.line) for finding in lint({"topic.rego": text}, {"topic_test.rego": tests})]


def _folder(text: str, tests: str = TEST, **data: Any) -> Folder:
    return Folder({"topic.rego": text}, {"topic_test.rego": tests}, overlay={}, sample=data)


@pytest.mark.parametrize("folder", [REGO, certification.FOLDER], ids=lambda path: path.name)
def test_what_is_shipped_has_no_finding(folder: Path) -> None:
    read = read_folder(folder)

    assert lint(read.policies, read.tests) == []


def test_what_is_shipped_passes_every_check_of_both_engines() -> None:
    report = checks.check(read_folder(REGO, sample=CASES / "data.json"), opa=opa_binary())

    assert report.complaints == []
    assert report.passed > 40
    assert report.coverage >= checks.THRESHOLD


def test_a_good_policy_has_no_finding() -> None:
    assert _rules(GOOD) == []
    assert checks.check(_folder(GOOD)).complaints == []


LAST = HEAD.count("\n") + 1


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ('allowed if http.send({"method": "get", "url": input.url}).status_code == 200', "builtin"),
        ("allowed if walk(input, [_, 1])", "builtin"),
        ("allowed if time.now_ns() > 3", "builtin"),
        ("allowed if time.add_date(1, 0, 0, 1) > 3", "builtin"),
        ("allowed if io.jwt.decode(input.token)", "builtin"),
        ('allowed if rand.intn("x", 2) == 1', "builtin"),
        ("allowed if count(numbers.range(1, 1000000000)) > 3", "builtin"),
        ('allowed if json["marshal"](input) == "{}"', "builtin"),
        ('allowed if http["send"](input.request).status_code == 200', "builtin"),
        ("allowed if json.marshal (input) == 1", "builtin"),
        ("allowed if a_function_nobody_knows(input)", "builtin"),
        ("allowed if data.governance.other.f(input)", "builtin"),
        ('allowed if input.name == $"{input.action}"', "interpolation"),
        ("allowed if input.n > 1.5", "number"),
        ("allowed if input.n > 1e3", "number"),
        ("allowed if input.n == 9007199254740992", "number"),
        ("allowed if input.n / 2 == 1", "number"),
        (r'allowed if regex.match("^\\w+$", input.name)', "regex"),
        (r"allowed if regex.match(`^\d+$`, input.name)", "regex"),
        ("allowed if regex.match(input.pattern, input.name)", "regex"),
        ('allowed if regex.match("(a{900}){900}", input.name)', "regex"),
        (f'allowed if regex.match("{"a" * 500}", input.name)', "regex"),
        ('allowed if sprintf("%.2f", [input.n]) == "1"', "sprintf"),
        ('allowed if sprintf("%d", [input.n]) == "1"', "sprintf"),
        ('allowed if sprintf("%s", [input.n]) == "1"', "sprintf"),
        ('allowed if sprintf("%v %v", [input.n]) == "1"', "sprintf"),
        ('allowed if sprintf("%v", [1, input.n]) == "1"', "sprintf"),
        ('allowed if sprintf("%v", input.list) == "1"', "sprintf"),
        ('allowed if sprintf("%v", [x | some x in input.list]) == "1"', "sprintf"),
        ('allowed if indexof(input.name, "") == 0', "argument"),
        ("allowed if indexof(input.name, input.part) == 0", "argument"),
        ('allowed if replace(input.name, "", "x") == "x"', "argument"),
        ('allowed if replace(input.name, input.part, "x") == "x"', "argument"),
        ('allowed if substring(input.name, input.n, 1) == "x"', "argument"),
        ('allowed if substring(input.name, 0, input.n) == "x"', "argument"),
        ('allowed if object.subset(input.map, {"a": 1}) == false', "builtin"),
        ("allowed if sprintf(input.format, [input.n]) == 1", "sprintf"),
        ("allowed if { some allowed in input.list; allowed == 1 }", "shadow"),
        ("allowed if { answer := 1; answer == input.n }", "shadow"),
        ("allowed if allowed", "recursion"),
        ("allowed if answer.decision", "recursion"),
        ("allowed if data.governance.topic.answer.decision", "recursion"),
        ("import data.governance.other", "import"),
        ("package governance.second", "package"),
        (f'allowed if input.name == "{"a" * 1024}"', "long-line"),
        (f"allowed if input.x == {'[' * 100}{']' * 100}", "nesting"),
        ('never_asked_for if input.action == "read"', "untested"),
        ("# METADATA\n# title: Only a title\nallowed if input.n == 1", "metadata"),
    ],
)
def test_what_cannot_be_trusted_is_found_where_it_stands(written: str, rule: str) -> None:
    found = _rules(f"{HEAD}{written}\n")

    assert rule in {name for name, _ in found}
    assert all(line >= 1 for _, line in found)
    if rule != "recursion":
        assert (rule, LAST + written.count("\n")) in found


def test_a_word_in_a_string_or_a_comment_is_no_finding() -> None:
    body = 'allowed if input.action == "http.send(1.5) read"\n\nallowed if input.x == `\\w`\n'
    text = f"{HEAD}# http.send(1.5) and \\w\n{body}"

    assert _rules(text) == []


@pytest.mark.parametrize(
    "written",
    [
        'allowed if sprintf("%v of %v: 100%%", [input.n, [1, input.list]]) == "x"',
        'allowed if sprintf("none", []) == input.name',
        'allowed if indexof(input.name, "x") == 0',
        'allowed if replace(input.name, `x`, input.part) == "y"',
        'allowed if substring(input.name, 1, -1) == "x"',
    ],
)
def test_arguments_that_are_written_out_are_no_finding(written: str) -> None:
    assert _rules(f"{HEAD}{written}\n") == []


def test_the_entrypoint_has_to_say_what_it_means() -> None:
    assert ("metadata", 3) in _rules("package governance.topic\n\nanswer := input.x\n")
    assert ("entrypoint", 1) in _rules("package governance.topic\n\nreply := input.x\n")
    assert ("package", 1) in _rules("package elsewhere\n\nanswer := 1\n")


def test_a_test_that_does_not_hold_and_thin_coverage_are_problems() -> None:
    failing = checks.check(_folder(GOOD, TEST.replace("test_not if not", "test_not if")))
    thin = f"{GOOD}\nallowed if {{\n" + "".join(f"\tinput.n{n} == 1\n" for n in range(60)) + "}\n"

    assert any("test_not" in problem for problem in failing.problems)
    assert any("% are needed" in problem for problem in checks.check(_folder(thin)).problems)


def test_what_the_engine_cannot_parse_is_told_with_its_place() -> None:
    assert any(
        problem.startswith("topic.rego:10:") for problem in checks.check(_folder(f"{HEAD}allowed if =\n")).problems
    )


@pytest.mark.parametrize(
    "text",
    [
        "package a\nf(n) := f(n + 1)\nanswer := f(1)\n",  # the embedded engine runs out of stack
        "package a\nr := numbers.range(1, 30000)\nanswer := count([1 | some i in r; some j in r; i < j])\n",
        "package a\nanswer := count(numbers.range(1, 4000000000))\n",
        "package a\nanswer := " + "[" * 200_000 + "]" * 200_000 + "\n",
    ],
    ids=["stack", "time", "memory", "nesting"],
)
def test_what_is_hostile_ends_a_child_and_nothing_else(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "TIMEOUT_S", 5)

    assert checks.compiles({"a.rego": text}, {})


@pytest.mark.parametrize(
    "text",
    [
        "x := " + "f(" * 100_000 + ")" * 100_000,
        "x := [" + ",\n".join(["f(1)"] * 40_000) + "]",
        "\n".join(f"x{n} if x{n + 1}" for n in range(15_000)),
        "\n".join("import data.a" for _ in range(15_000)),
        "\n".join(f"x{n} if x{(n + 1) % 2_500}" for n in range(2_500)),
        "#" * 250_000,
        '"' * 250_000,
    ],
    ids=["nested calls", "many calls", "long chain", "imports", "long cycle", "comment", "quotes"],
)
def test_the_lint_itself_is_quick_whatever_it_reads(text: str) -> None:
    began = time.thread_time()

    assert lint({"topic.rego": f"{HEAD}\n{text}\n"}, {"topic_test.rego": TEST})
    assert time.thread_time() - began < 10


def test_the_child_gets_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def run(*_: Any, **options: Any) -> Any:
        seen.update(options["env"])
        raise ValueError

    monkeypatch.setattr(checks.subprocess, "run", run)

    assert checks.compiles({}, {})
    assert set(seen) == {"RUST_BACKTRACE"}


def test_a_folder_is_refused_before_anything_huge_is_read(tmp_path: Path) -> None:
    (tmp_path / "topic.rego").write_text(GOOD)
    assert read_folder(tmp_path).policies == {"topic.rego": GOOD}

    with (tmp_path / "data.json").open("wb") as file:
        file.truncate(2**30)
    with pytest.raises(UnreadableFolder, match=r"data\.json is larger"):
        read_folder(tmp_path)


@pytest.mark.parametrize("name", ["Über.rego", "a b.rego", "_x.rego"])
def test_odd_names_links_and_odd_bytes_are_refused(name: str, tmp_path: Path) -> None:
    shutil.copy(REGO / "levels.rego", tmp_path / name)
    with pytest.raises(UnreadableFolder):
        read_folder(tmp_path)

    (tmp_path / name).unlink()
    (tmp_path / "a.rego").symlink_to("/etc/passwd")
    with pytest.raises(UnreadableFolder):
        read_folder(tmp_path)

    (tmp_path / "a.rego").unlink()
    (tmp_path / "a.rego").write_bytes(b"\xff\xfe")
    with pytest.raises(UnreadableFolder):
        read_folder(tmp_path)


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', '{"a": NaN}', '{"a": ' + "[" * 100_000])
def test_data_that_two_readers_could_take_differently_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "topic.rego").write_text(GOOD)
    (tmp_path / "data.json").write_text(text)

    with pytest.raises(UnreadableFolder, match=r"data\.json is not JSON that is read in one way only"):
        read_folder(tmp_path)
