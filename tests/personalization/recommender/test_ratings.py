"""Errors of predicted ratings: what is predicted, from what, and that the score helps where tastes differ."""

import numpy as np
import pytest

from personalization.recommender.interactions import NO_INTERACTIONS, Interactions, Item
from personalization.recommender.validation import ratings
from personalization.recommender.validation.evaluation import ask
from personalization.recommender.validation.split import split

PEOPLE = 40
ITEMS = [Item(f"item-{number:02d}", f"Item {number}") for number in range(20)]


def _rated(seed=1):
    """Rows (person, item, stars, moment): who likes even items rates odd ones low, and the other way round."""
    draw = np.random.default_rng(seed)
    rows = []
    for person in range(PEOPLE):
        for moment, number in enumerate(draw.permutation(len(ITEMS))[:12].tolist()):
            is_own = number % 2 == person % 2
            rows.append((person.to_bytes(16, "big"), ITEMS[number].id, 5.0 if is_own else 1.0 + person % 2, moment))
    return rows


def _columns(rows):
    return Interactions(
        [row[0] for row in rows],
        [row[1] for row in rows],
        np.array([row[2] for row in rows]),
        np.array([float(row[3]) for row in rows]),
    )


@pytest.fixture(scope="module")
def known():
    rows = _rated()
    touches = _columns([row for row in rows if row[2] >= 3])
    return rows, touches, ask(touches, ITEMS, {})


def test_ratings_after_the_training_part_are_predicted_and_better_with_the_score(known):
    rows, touches, asked = known

    found = ratings.measure(_columns(rows), touches, asked, least=20)

    held = set(range(len(touches))) - set(split(touches).training.tolist())
    begins = {}
    for number in held:
        person = touches.person[number]
        begins[person] = min(begins.get(person, np.inf), touches.time[number])
    later = [row for row in rows if row[3] >= begins.get(row[0], np.inf)]
    assert (found.ratings, found.people) == (len(later), len({row[0] for row in later}))
    assert found.rmse < 0.8 * found.biases[0]
    assert found.mae < 0.8 * found.biases[1]
    assert 0 < found.mae <= found.rmse


def test_of_two_ratings_of_an_item_the_last_counts(known):
    rows, touches, asked = known
    first = [(*row[:2], 6.0 - row[2], row[3] - 0.5) for row in rows]

    assert ratings.measure(_columns([*first, *rows]), touches, asked, least=20) == ratings.measure(
        _columns(rows), touches, asked, least=20
    )


def test_what_the_training_part_holds_is_not_predicted(known):
    rows, touches, asked = known
    again = [(person, item, 5.0, 100.0 + moment) for person, item, stars, moment in rows if stars >= 3]

    with_again = ratings.measure(_columns([*rows, *again]), touches, asked, least=20)

    held = {
        (touches.person[n], touches.item[n]) for n in set(range(len(touches))) - set(split(touches).training.tolist())
    }
    low = ratings.measure(_columns(rows), touches, asked, least=20).ratings - len(held)
    assert with_again.ratings == len(held) + low


@pytest.mark.parametrize(("least", "given"), [(PEOPLE + 1, True), (2, False)])
def test_too_few_people_or_no_ratings_give_no_errors(known, least, given):
    rows, touches, asked = known

    assert ratings.measure(_columns(rows) if given else NO_INTERACTIONS, touches, asked, least=least) is None
