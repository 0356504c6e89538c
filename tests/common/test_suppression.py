"""Withholding: small groups never show, and what is withheld cannot be found by subtracting."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import suppression

K = 20
withhold = partial(suppression.withhold, smallest=K)
sizes = st.dictionaries(st.integers(0, 30), st.integers(1, 60), max_size=12)


@pytest.mark.parametrize(
    ("people", "groups", "total"),
    [
        ({}, set(), False),
        ({"a": 20}, set(), False),
        ({"a": 19}, {"a"}, True),
        ({"a": 20, "b": 30}, set(), False),
        ({"a": 19, "b": 30, "c": 40}, {"a", "b"}, False),
        ({"a": 12, "b": 13, "c": 40}, {"a", "b"}, False),
        ({"a": 2, "b": 3, "c": 40, "d": 50}, {"a", "b", "c"}, False),
        ({"a": 2, "b": 3}, {"a", "b"}, True),
    ],
)
def test_a_group_of_19_is_withheld_with_enough_others_and_one_of_20_is_shown(people, groups, total):
    withheld = withhold(people)

    assert withheld.groups == groups
    assert withheld.total is total


def test_groups_that_share_people_need_one_that_is_large_enough_by_itself():
    people = {"a": 12, "b": 13, "c": 40, "d": 50}

    assert withhold(people).groups == {"a", "b"}
    assert withhold(people, overlapping=True).groups == {"a", "b", "c"}


@given(sizes)
def test_subtracting_what_is_shown_from_the_total_never_leaves_a_small_or_single_group(people):
    withheld = withhold(people)

    shown = {key: count for key, count in people.items() if key not in withheld.groups}
    assert all(count >= K for count in shown.values())
    rest = sum(people.values()) - sum(shown.values())
    if withheld.groups and not withheld.total:
        assert rest >= K
        assert len(withheld.groups) >= 2


@given(st.dictionaries(st.integers(0, 8), st.frozensets(st.integers(0, 40), min_size=1), max_size=8))
def test_nor_does_it_where_people_are_in_several_groups(members):
    withheld = withhold({key: len(people) for key, people in members.items()}, overlapping=True)

    hidden = [members[key] for key in withheld.groups]
    if hidden and not withheld.total:
        assert len(frozenset().union(*hidden)) >= K
        assert len(hidden) >= 2


@given(sizes)
def test_nothing_is_withheld_where_every_group_is_large(people):
    large = {key: count + K for key, count in people.items()}

    assert withhold(large) == withhold({})
