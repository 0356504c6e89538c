"""What a change set brings about, of what lint finds before and after it."""

import pytest

from common.registers.lint import Finding
from oversight.changes.checking import new_findings

ERROR = Finding("purpose", "newsletter", "recipient_unknown", "Known: a.", subject="x")
WARNING = Finding("purpose", "orders", "retention_missing", "Add one.", is_error=False)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (ERROR, []),
        (WARNING, []),
        (Finding("purpose", "newsletter", "recipient_unknown", "Known: a, b.", subject="x"), []),
        (Finding("purpose", "newsletter", "recipient_unknown", "Known: a.", subject="y"), ["y"]),
        (Finding("party", "newsletter", "recipient_unknown", "Known: a.", subject="x"), ["x"]),
        (Finding("purpose", "orders", "retention_missing", "Add one."), [""]),
        (Finding("purpose", "newsletter", "recipient_unknown", "Known: a.", is_error=False, subject="x"), []),
    ],
    ids=["same-error", "same-warning", "other-hint", "other-name", "other-row", "warning-to-error", "error-to-warning"],
)
def test_only_what_was_not_there_before_is_new(after: Finding, expected: list[str]) -> None:
    assert [each.subject for each in new_findings([ERROR, WARNING], [after])] == expected
