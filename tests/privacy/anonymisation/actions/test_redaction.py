"""Redaction of free text: what it finds and what it does not, on a labelled set, and what holds for any text."""

import itertools
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.anonymisation.actions.patterns import KINDS, NAME, Names, spans
from privacy.anonymisation.actions.redacting import redacted
from tests.helpers.paths import CHECKOUT

_MARKED = re.compile(r"\{(\w+)\|([^}]*)\}")
# Marks of what has no form ("unfound") and what is taken for something it is not ("unwanted").
_ANY = "unfound"


@cache
def labelled() -> tuple[Names, list[tuple[str, list[tuple[int, int, str]]]]]:
    names, sentences = [], []
    into = names
    for line in (Path(__file__).parent / "redaction_set.txt").read_text().splitlines():
        if line.startswith("#"):
            into = sentences if line == "# sentences" else into
        elif line.strip():
            into.append(line)
    return Names(names), [_read(line) for line in sentences]


def _read(line: str) -> tuple[str, list[tuple[int, int, str]]]:
    text, marks, upto = "", [], 0
    for found in _MARKED.finditer(line):
        text += line[upto : found.start()]
        if found[1] != "unwanted":
            marks.append((len(text), len(text) + len(found[2].rstrip()), found[1]))
        text += found[2]
        upto = found.end()
    return text + line[upto:], marks


def measured() -> dict[str, tuple[int, int, int]]:
    """Return of each kind how many were right, found, and there to be found. A finding is right if it is the mark."""
    right, found, there = Counter(), Counter(), Counter()
    names, sentences = labelled()
    for text, marks in sentences:
        for each in spans(text, names):
            found[each[2]] += 1
            right[each[2]] += each in marks
        there.update(kind for _, _, kind in marks)
    return {kind: (right[kind], found[kind], there[kind]) for kind in (*KINDS, NAME, _ANY)}


def test_the_figures_of_the_documentation_are_those_of_the_labelled_set():
    text = (CHECKOUT / "docs" / "pseudonymisation.md").read_text()
    counts = measured()
    for kind, (right, found, there) in counts.items():
        precision = f"{right / found:.2f}" if found else "-"
        assert f"| `{kind}` | {there} | {right / there:.2f} | {precision} |" in text, (kind, right, found, there)
    right, found, there = (sum(each) for each in zip(*counts.values(), strict=True))
    assert f"{there} marks, recall {right / there:.2f}, precision {right / found:.2f}" in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a@b.org", "[email]"),
        ("DE75512108001245126199 and more words", "[iban] and more words"),
        ("DE75512108001245126198", "DE75512108001245126198"),
        ("4111 1111 1111 1111", "[card]"),
        ("4111 1111 1111 1112", "4111 1111 1111 1112"),
        ("48273915C", "[national_id]"),
        ("48273915A", "48273915A"),
        ("300.1.1.1", "300.1.1.1"),
        ("31.2.2024", "31.2.2024"),
    ],
)
def test_a_number_with_wrong_check_digits_is_left(text, expected):
    assert redacted(text)[0] == expected


def test_names_are_found_whole_in_any_case_and_in_parts_with_a_capital():
    names = Names(["Ana Pérez", "May Hill"])

    assert redacted("ana perez, Perez, the may, May", names)[0] == "[name], [name], the may, [name]"


@given(st.text(max_size=200))
def test_any_text_is_redacted_once_and_for_all(text):
    once, found = redacted(text, Names(["Ana Pérez"]))

    assert redacted(once, Names(["Ana Pérez"])) == (once, Counter())
    assert bool(found) == (once != text)


@given(st.text("ab @.0123456789+-/:;", max_size=80))
def test_findings_never_overlap_and_lie_in_the_text(text):
    found = spans(text)

    assert all(0 <= start < end <= len(text) for start, end, _ in found)
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(found))
