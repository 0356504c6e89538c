"""What engines complain of is led back to file, line and column."""

import pytest

from policies.authoring.checks import CheckReport
from policies.authoring.folder import UnreadableFolder, folder_of
from policies.authoring.lint import Finding
from policies.authoring.locations import placed, quoted

FILES = {"a.rego": "package governance.a\n\n\tanswer := x", "a_test.rego": "package governance.a_test\n\ntest_x if x"}


@pytest.mark.parametrize(
    ("problem", "found"),
    [
        (
            "opa check: 1 error occurred: a.rego:3: rego_compile_error: x is unsafe",
            Finding("a.rego", 3, 1, "rego_compile_error", "x is unsafe"),
        ),
        ("a.rego:3:9: expected a rule", Finding("a.rego", 3, 9, "engine", "expected a rule")),
        ("a.rego:3:1: No test runs `answer`.", Finding("a.rego", 3, 1, "untested", "No test runs `answer`.")),
        (
            "governance.a_test.test_x does not hold in the embedded engine.",
            Finding("a_test.rego", 3, 1, "test", "governance.a_test.test_x does not hold in the embedded engine."),
        ),
        ("There is no test.", Finding("", 0, 0, "check", "There is no test.")),
        ("other.rego:3:1: not of this draft", Finding("", 0, 0, "check", "other.rego:3:1: not of this draft")),
    ],
)
def test_a_complaint_is_placed(problem: str, found: Finding) -> None:
    assert placed(CheckReport(problems=[problem]), FILES) == [found]


def test_the_mark_stands_under_the_column() -> None:
    line, mark = quoted(Finding("a.rego", 3, 12, "engine", ""), FILES)

    assert line[mark.index("^")] == "x"


@pytest.mark.parametrize("finding", [Finding("a.rego", 99, 1, "engine", ""), Finding("", 0, 0, "check", "")])
def test_a_line_that_is_not_there_is_not_quoted(finding: Finding) -> None:
    assert quoted(finding, FILES) == ("", "")


@pytest.mark.parametrize(
    "text", ['{"a": NaN}', '{"a": 1e999}', '{"a": "\\u0000"}', '{"a": "\\ud800"}', "[1]", "{", "[" * 100_000]
)
def test_data_the_database_would_not_store_is_refused(text: str) -> None:
    with pytest.raises(UnreadableFolder, match=r"^data\.json"):
        folder_of({**FILES, "data.json": text})
