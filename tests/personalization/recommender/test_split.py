"""Split by time and the people asked about, against the same in plain Python, one row after the other."""

import numpy as np
import pytest
from hypothesis import strategies as st

from personalization.recommender.coded import Coded
from personalization.recommender.histories import Histories
from personalization.recommender.interactions import Interactions, Item
from personalization.recommender.validation import split as splitting
from personalization.recommender.validation.evaluation import cases
from personalization.recommender.validation.split import TRAINED_ON, sample, split
from tests.helpers.scale import property_test

ITEMS = ("tea", "milk", "bread", "salt", "rice", "oats")
ROWS = st.lists(
    st.tuples(st.sampled_from([b"ann", b"bob", b"cy"]), st.sampled_from(ITEMS), st.integers(0, 4), st.booleans()),
    max_size=40,
)


def _interactions(rows):
    return Interactions(
        person=[row[0] for row in rows],
        item=[row[1] for row in rows],
        weight=np.array([1.0 + number % 3 for number in range(len(rows))]),
        time=np.array([float(row[2]) for row in rows]),
        liked=np.array([row[3] for row in rows], dtype=np.bool_),
    )


@property_test(60, 5_000, rows=ROWS)
def test_the_last_fifth_of_a_persons_items_is_held_out(rows):
    data = _interactions(rows)

    found = split(data)

    training, relevant = [], {}
    for person in {row[0] for row in rows}:
        own = [number for number in np.argsort(data.time, kind="stable") if rows[number][0] == person]
        distinct = list(dict.fromkeys(rows[number][1] for number in own))
        held = distinct[max(int(TRAINED_ON * len(distinct)), 1) :]
        training += [number for number in own if rows[number][1] not in held]
        liked = tuple(item for item in held if any(rows[number][1] == item and rows[number][3] for number in own))
        if liked:
            relevant[person] = liked
    assert found.training.tolist() == sorted(training)
    assert dict(found.relevant) == relevant


@property_test(40, 2_000, rows=ROWS)
def test_people_asked_have_their_history_in_its_order(rows):
    data = _interactions(rows)

    found = cases(data, {b"ann": ["tea"], b"cy": ["milk"]})

    by_time = [rows[number] for number in np.argsort(data.time, kind="stable")]
    able = list(dict.fromkeys(row[0] for row in by_time if row[0] != b"bob"))
    assert [case.person for case in found] == able
    for case in found:
        touches = [(touch.item, touch.time, touch.liked) for touch in case.history]
        assert touches == [(row[1], row[2], row[3]) for row in by_time if row[0] == case.person]


@property_test(40, 2_000, rows=ROWS)
def test_numbers_of_people_and_items_do_not_matter(rows):
    """The same rows under other numbers, as a snapshot gives them back, are the same histories."""
    data = _interactions(rows)
    people, items = [b"cy", b"zoe", b"bob", b"ann"], list(reversed(ITEMS))
    again = Interactions(
        person=Coded(np.array([people.index(row[0]) for row in rows], dtype=np.int32), people),
        item=Coded(np.array([items.index(row[1]) for row in rows], dtype=np.int32), items),
        weight=data.weight,
        time=data.time,
        liked=data.liked,
    )
    catalogue = [Item(name, name) for name in ITEMS[:4]]

    one, other = Histories.of(data, catalogue), Histories.of(again, catalogue)

    assert list(again.person) == list(data.person)
    assert again.people.distinct() == [person for person in people if person in data.person]
    assert one.people == other.people
    for name in ("number", "position", "strength", "liked"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist()


@pytest.mark.parametrize(
    ("items", "expected"),
    [(10, 20), (60, 40), (150, 100)],
    ids=["least", "touches-of-items", "everybody"],
)
def test_a_sample_is_spread_evenly_over_people(monkeypatch, items, expected):
    monkeypatch.setattr(splitting, "PEOPLE", 20)
    monkeypatch.setattr(splitting, "TOUCHES_OF_AN_ITEM", 2)
    rows = [(b"%03d" % (number % 100), ITEMS[number // 100], number, True) for number in range(300)]
    shuffled = [rows[place] for place in np.random.default_rng(0).permutation(len(rows))]

    some, other = (sample(_interactions(each), items) for each in (rows, shuffled))

    people = sorted(int(person) for person in some.people.distinct())
    assert len(people) == expected
    assert set(np.diff(people)) <= {99 // (expected - 1), 99 // (expected - 1) + 1}
    # Whole histories, and the same people under whatever numbers they come.
    assert len(some) == 3 * expected
    assert set(other.people.distinct()) == set(some.people.distinct())
