"""Who is answered by a candidate: the share that was asked for, the same people for as long as it does not shrink."""

import math
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from common.rollouts.shares import FULL, are_in_share
from tests.helpers.scale import scale

SALT = (7).to_bytes(8, "big")
shares = st.integers(0, FULL)


@given(st.uuids(), shares, shares)
def test_who_is_in_a_share_is_in_every_larger_one(person: UUID, one: int, other: int) -> None:
    smaller, larger = sorted((one, other))

    if are_in_share([person], share=smaller, salt=SALT):
        assert are_in_share([person], share=larger, salt=SALT)


@given(st.lists(st.uuids(), min_size=1, max_size=5), shares)
def test_many_are_in_a_share_only_if_each_of_them_is(people: list[UUID], share: int) -> None:
    each = [are_in_share([person], share=share, salt=SALT) for person in people]

    assert are_in_share(people, share=share, salt=SALT) == all(each)


@given(st.lists(st.uuids(), max_size=3))
def test_nobody_is_in_no_share_and_everybody_in_the_full_one(people: list[UUID]) -> None:
    assert not are_in_share(people, share=0, salt=SALT)
    assert are_in_share(people, share=FULL, salt=SALT)


def test_a_question_about_nobody_is_answered_by_the_candidate_once_everybodys_is() -> None:
    assert not are_in_share([], share=FULL - 1, salt=SALT)


@scale("number", small=20_000, long=2_000_000)
def test_the_share_is_as_large_as_it_says_and_other_people_in_another_rollout(number: int) -> None:
    people = [uuid4() for _ in range(number)]

    first = {person for person in people if are_in_share([person], share=1_000, salt=SALT)}
    second = {person for person in people if are_in_share([person], share=1_000, salt=(8).to_bytes(8, "big"))}

    # Six standard deviations of a share of 10 %, and of 1 %: once in 500 million runs by chance.
    assert abs(len(first) - number * 0.1) < 6 * math.sqrt(number * 0.1 * 0.9)
    assert abs(len(first & second) - number * 0.01) < 6 * math.sqrt(number * 0.01 * 0.99)


def test_the_answer_is_the_same_in_every_process_and_release() -> None:
    places = [UUID(int=number) for number in range(1, 9)]

    assert [are_in_share([place], share=5_000, salt=SALT) for place in places] == [
        True, True, False, False, True, False, True, False,
    ]  # fmt: skip
