"""Documents and findings before and after a set, compared without a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.registers.lint import Finding
from oversight.changes.checking import new_findings
from oversight.changes.documents import Compared, Document, differences, digest, for_trail, merge

NAMES = st.sampled_from("abcd")
VALUES = (
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4) | st.lists(st.text(max_size=2), max_size=2)
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=4)
CHANGES = st.lists(
    st.builds(Compared, NAMES, NAMES, st.none() | DOCUMENTS, st.none() | DOCUMENTS),
    max_size=5,
    unique_by=lambda change: (change.register, change.key),
)


@given(CHANGES.flatmap(lambda changes: st.tuples(st.just(changes), st.permutations(changes))))
def test_the_order_of_changes_makes_no_difference(orders: tuple[list[Compared], list[Compared]]) -> None:
    assert digest(orders[0]) == digest(orders[1])


@given(CHANGES, CHANGES)
def test_other_changes_have_another_digest(some: list[Compared], other: list[Compared]) -> None:
    def listed(changes: list[Compared]) -> list[str]:
        return sorted(map(repr, changes))

    assert (digest(some) == digest(other)) == (listed(some) == listed(other))


@given(DOCUMENTS, DOCUMENTS)
def test_differences_turn_one_into_the_other(before: Document, after: Document) -> None:
    changed = differences(before, after)

    for name in before.keys() | after.keys():
        assert changed.get(name, (before.get(name), before.get(name)))[1] == after.get(name)
    assert all(old != new for old, new in changed.values())


@given(DOCUMENTS, DOCUMENTS)
def test_merging_with_an_unmoved_register_changes_nothing(base: Document, mine: Document) -> None:
    assert merge(base, mine, base).document == mine
    assert merge(base, base, mine).document == mine
    assert not merge(base, mine, base).clashes


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_a_merge_keeps_both_sides_and_names_every_clash(base: Document, mine: Document, theirs: Document) -> None:
    merged = merge(base, mine, theirs)

    assert merged.document is not None
    for name in base.keys() | mine.keys() | theirs.keys():
        own, other, old = mine.get(name), theirs.get(name), base.get(name)
        assert merged.document.get(name) == (other if own == old else own)
        assert (name in merged.clashes) == (own not in (old, other) and other != old)


def test_a_deleted_object_clashes_as_a_whole() -> None:
    assert merge({"a": 1}, None, {"a": 2}).clashes == ("existence",)
    assert merge({"a": 1}, {"a": 2}, None).clashes == ("existence",)


def test_long_texts_stand_in_the_trail_by_their_digest() -> None:
    said = for_trail({"text": "x"}, {"text": "y" * 200})

    assert said["text"][0] == "x"
    assert set(said["text"][1]) == {"sha256"}


# Findings that a set brings about


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
