"""Decision records keep to their template, and the index names each."""

import re
from pathlib import Path

import pytest

from tests.docs.documents import DOCS

FOLDER = DOCS / "decisions"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))
STATUS = re.compile(r"^- Status: (proposed|accepted|superseded by)", re.MULTILINE)
DATE = re.compile(r"^- Date: [0-9]{4}-[0-9]{2}-[0-9]{2}$", re.MULTILINE)
PARTS = ["## Context", "## Decision", "## Consequences"]
# Written before the template, with headings of their own.
BEFORE_THE_TEMPLATE = range(10, 21)


def number(record: Path) -> int:
    return int(record.name[:4])


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_record_has_status_date_and_parts(record: Path):
    text = record.read_text(encoding="utf-8")
    assert text.startswith(f"# {record.name[:4]}")
    assert STATUS.search(text)
    assert DATE.search(text)
    if number(record) not in BEFORE_THE_TEMPLATE:
        assert re.findall(r"^## .*$", text, re.MULTILINE) == PARTS


def test_index_names_every_record_once():
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[[0-9]{4}\]\(([^)]+)\)", index, re.MULTILINE)
    assert listed == [record.name for record in RECORDS]

    numbers = [number(record) for record in RECORDS]
    assert len(set(numbers)) == len(numbers)  # records written at the same time leave gaps, never a number twice


def test_template_has_the_parts():
    text = (FOLDER / "template.md").read_text(encoding="utf-8")
    assert re.findall(r"^## .*$", text, re.MULTILINE) == PARTS
