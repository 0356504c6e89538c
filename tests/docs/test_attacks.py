"""Each attack that the documents name has its tests."""

import re

import pytest

from tests.docs.documents import DOCS, rows

ATTACKS = rows((DOCS / "attacks.md").read_text(encoding="utf-8"))
TEST = re.compile(r"\[`(test_\w+)`\]\((\.\./tests/[\w/]+\.py)\)")


@pytest.mark.parametrize("row", ATTACKS, ids=lambda row: row[0][:40])
def test_attack_has_tests_that_exist(row):
    named = TEST.findall(row[2])
    assert len(named) == row[2].count("](") > 0
    for name, path in named:
        assert re.search(rf"^def {name}\(", (DOCS / path).read_text(encoding="utf-8"), re.MULTILINE), name
