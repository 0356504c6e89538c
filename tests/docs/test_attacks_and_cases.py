"""Each attack, and each case of a public report, that the documents name has its tests."""

import re

import pytest

from tests.docs.documents import DOCS, rows, section

ATTACKS = rows((DOCS / "attacks.md").read_text(encoding="utf-8"))
KINDS = ("Consent", "Policies, residency, data and jobs")
CASES = [row for kind in KINDS for row in rows(section(DOCS / "cases.md", kind))]
TEST = re.compile(r"\[`(test_\w+)`\]\((\.\./tests/[\w/]+\.py)\)")


@pytest.mark.parametrize("row", ATTACKS + CASES, ids=lambda row: row[0][:40])
def test_attack_or_case_has_tests_that_exist(row):
    named = TEST.findall(row[2])
    assert len(named) == row[2].count("](") > 0
    for name, path in named:
        assert re.search(rf"^ *def {name}\(", (DOCS / path).read_text(encoding="utf-8"), re.MULTILINE), name


def test_case_stands_in_one_table_only():
    waiting = rows(section(DOCS / "cases.md", "Cases that ask for a feature"))
    names = [row[0] for row in CASES + waiting]

    assert len(names) == len(set(names))
    assert waiting
