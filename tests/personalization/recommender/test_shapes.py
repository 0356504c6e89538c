"""Shapes of lists: shares hold within their bounds, objectives do what they say, and all at 0 is relevance alone."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalization.recommender.answers import Recommendation
from personalization.recommender.diversity import intra_list
from personalization.recommender.interactions import Interaction
from personalization.recommender.model import Model
from personalization.recommender.shaping import shapes
from personalization.recommender.shaping.shapes import Known, Shape
from personalization.recommender.training import train
from tests.personalization.conftest import SHOP

IDS = [item.id for item in SHOP.items]
MODEL = train(SHOP.interactions, SHOP.items, SHOP.segments("region", "age"))
histories = st.lists(st.sampled_from(IDS), min_size=2, max_size=15, unique=True)
shares = st.sampled_from([0.0, 0.1, 0.15, 0.2, 0.5])


def listed(history: list[str], shape: Shape | None = None, count: int = 10, model: Model = MODEL) -> Any:
    touches = [Interaction(item, 1.0, float(time)) for time, item in enumerate(history)]
    return list(model.recommend("individual", history=touches, count=count, shape=shape).recommendations)


def ids(found: list[Recommendation]) -> list[str]:
    return [each.item.id for each in found]


def everything_known(items: list[str]) -> Known:
    return Known(
        small={item for item in items if IDS.index(item) % 4 == 0},
        may_be_tried={item for item in items if IDS.index(item) % 2},
    )


@settings(max_examples=40)
@given(histories, shares, shares, st.integers(1, 30), st.integers(0, 1_000))
def test_shares_of_places_hold_within_their_bounds(
    history: list[str], tried: float, small: float, count: int, seed: int
) -> None:
    shape = Shape(tried=tried, small=small, seed=seed, known=everything_known)
    relevance = listed(history, count=100)
    personal = [each for each in relevance if each.basis in ("history", "session")]

    found = listed(history, shape, count)

    assert len(set(ids(found))) == len(found) == min(count, len(relevance))
    explored = [each.item.id for each in found if each.is_tried]
    assert len(explored) <= tried * count + 1
    assert set(explored) <= everything_known(ids(personal)).may_be_tried
    possible = everything_known(ids(personal)[: count + shapes.POOL]).small
    in_list = [item for item in ids(found) if item in possible]
    assert len(in_list) >= min(int(np.ceil(small * min(count, len(personal)))), len(possible))
    again = listed(history, shape, count)
    assert ids(again) == ids(found), "the same seed, the same list"
    exact = {each.item.id: each.score for each in personal}
    assert all(each.score == pytest.approx(exact[each.item.id]) for each in found if each.item.id in exact)


def test_the_share_that_is_tried_is_the_policys_over_many_lists() -> None:
    history = IDS[:6]
    counts = [
        sum(each.is_tried for each in listed(history, Shape(tried=0.15, seed=seed, known=everything_known)))
        for seed in range(400)
    ]

    assert set(counts) <= {1, 2}
    assert np.mean(counts) == pytest.approx(1.5, abs=0.1)


def test_what_few_people_know_is_tried_more_often() -> None:
    items, people = [str(number) for number in range(40)], np.where(np.arange(40) % 2, 1.0, 400.0)
    drawn: Counter[int] = Counter()
    for seed in range(300):
        shape = Shape(tried=0.2, seed=seed, known=lambda given_: Known(may_be_tried=set(given_)))
        _, tried = shapes.arranged(shape, items, np.ones(40), people, 10)
        drawn.update(number % 2 for number in tried)

    assert drawn[1] > 3 * drawn[0]


@settings(max_examples=30)
@given(histories)
def test_without_a_shape_relevance_alone_decides(history: list[str]) -> None:
    assert listed(history, Shape()) == listed(history)
    assert not any(each.is_tried for each in listed(history, Shape(small=0.5, tried=0.2)))


def test_each_objective_gives_more_of_itself() -> None:
    model, plain, by = MODEL, [], {"variety": [], "novelty": [], "balance": []}
    for person in range(40):
        history = [IDS[(person * 3 + step) % 60] for step in range(6)]
        plain.append(measures(model, history, listed(history)))
        for name, found in by.items():
            found.append(measures(model, history, listed(history, Shape(**{name: 0.5}))))

    means = np.mean(plain, axis=0)
    for place, name in enumerate(("variety", "novelty", "balance")):
        assert np.mean(by[name], axis=0)[place] > means[place] + 0.01, name


def measures(model: Model, history: list[str], found: list[Recommendation]) -> tuple[float, float, float]:
    at = [model._positions[item] for item in ids(found)]
    own = model._shares[[model._positions[item] for item in history]].mean(axis=0)
    divergence = shapes._divergence(own, model._shares[at].mean(axis=0)[np.newaxis])[0]
    return intra_list(model._categories[at]), float(model._novelty[at].mean()), -float(divergence)


@pytest.mark.parametrize(
    "wrong", [{"variety": -0.1}, {"novelty": 1.1}, {"variety": 0.6, "balance": 0.5}, {"tried": 2.0}, {"small": -1.0}]
)
def test_weights_and_shares_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        Shape(**wrong)
