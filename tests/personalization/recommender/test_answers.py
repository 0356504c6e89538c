"""Every recommendation carries its exact reason, and obligations bind the list."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalization.recommender.answers import Basis, Fallback
from personalization.recommender.interactions import Interaction, Interactions, Item
from personalization.recommender.training import train

ITEMS = tuple(
    Item(f"item-{number}", f"Item {number}", ("alcohol",) if number % 5 == 0 else ("books",)) for number in range(12)
)
IDS = [item.id for item in ITEMS]


@st.composite
def models(draw):
    """Draw a few people with full baskets: sparser ones would leave nothing personal to check."""
    baskets = draw(st.lists(st.sets(st.sampled_from(IDS), min_size=4, max_size=8), min_size=4, max_size=10))
    rows = [(person, item) for person, basket in enumerate(baskets) for item in sorted(basket)]
    weights = draw(st.lists(st.floats(0.5, 5), min_size=len(rows), max_size=len(rows)))
    interactions = Interactions(
        person=[person for person, _ in rows],
        item=[item for _, item in rows],
        weight=np.array(weights, dtype=np.float64),
        time=np.arange(len(rows), dtype=np.float64),
    )
    return train(interactions, ITEMS, {}, dense_limit=draw(st.sampled_from([0, 5_000])))


histories = st.lists(
    st.builds(Interaction, item=st.sampled_from([*IDS, "unknown"]), weight=st.floats(0.1, 9)),
    min_size=6,
    max_size=10,
    unique_by=lambda touch: touch.item,
)


def a_model(**limits):
    """Thirty people who like neighbours: person p touches the items p to p + 3 (around the circle of ids)."""
    rows = [(person, IDS[(person + step) % len(IDS)]) for person in range(30) for step in range(4)]
    interactions = Interactions(
        person=[person for person, _ in rows],
        item=[item for _, item in rows],
        weight=np.ones(len(rows)),
        time=np.arange(len(rows), dtype=np.float64),
    )
    return train(interactions, ITEMS, {}, **limits)


MODEL = a_model()
HISTORY = [Interaction(item) for item in IDS[:5]]


@given(models(), histories, histories)
def test_contributions_sum_to_the_score_and_shares_to_one(model, history, session):
    served = model.recommend("individual", history=history, session=session, count=100, reasons=100)

    for one in served.recommendations:
        if one.basis in {Basis.HISTORY, Basis.SESSION}:
            reasons = [*one.because, *one.despite]
            total = sum(reason.contribution for reason in reasons) + one.prior
            assert total == pytest.approx(one.score, abs=1e-6)
            assert sum(because.share for because in one.because) == pytest.approx(1.0)
            assert all(reason.contribution < 0 for reason in one.despite)


@given(models(), histories, histories)
def test_every_recommendation_has_a_reason(model, history, session):
    served = model.recommend("contextual", history=history, session=session, count=100)

    touched = {touch.item for touch in [*history, *session]}
    for one in served.recommendations:
        assert one.score > 0
        assert (one.people is not None) != bool(one.because)
        assert {because.item for because in one.because} <= touched


@given(models(), histories, st.integers(1, 100))
def test_a_list_has_no_item_twice_and_is_ordered_within_a_basis(model, history, count):
    served = model.recommend("behavioral", history=history, count=count)

    ids = [one.item.id for one in served.recommendations]
    assert len(ids) == len(set(ids)) <= count
    personal = [one.score for one in served.recommendations if one.because]
    general = [one.score for one in served.recommendations if not one.because]
    assert personal == pytest.approx(sorted(personal, reverse=True))
    assert general == sorted(general, reverse=True)
    assert all(one.because for one in served.recommendations[: len(personal)])


@given(models(), histories)
def test_seen_items_are_left_out_unless_asked_for(model, history):
    touched = {touch.item for touch in history}

    fresh = model.recommend("individual", history=history, count=100)

    assert touched.isdisjoint(one.item.id for one in fresh.recommendations)


def test_seen_items_come_back_when_asked_for():
    served = MODEL.recommend("individual", history=HISTORY, count=100, exclude_seen=False)

    assert {touch.item for touch in HISTORY} <= {one.item.id for one in served.recommendations}


@given(models(), histories, histories)
def test_an_excluded_category_is_neither_recommended_nor_a_reason(model, history, session):
    served = model.recommend("individual", history=history, session=session, count=100, exclude_categories={"alcohol"})

    alcohol = {item.id for item in ITEMS if "alcohol" in item.categories}
    assert alcohol.isdisjoint(one.item.id for one in served.recommendations)
    assert alcohol.isdisjoint(because.item for one in served.recommendations for because in one.because)


def test_an_item_of_an_excluded_category_is_no_reason_where_it_was_one_before():
    history = [Interaction(item) for item in IDS[:7]]

    free = MODEL.recommend("individual", history=history, reasons=100)
    bound = MODEL.recommend("individual", history=history, reasons=100, exclude_categories={"alcohol"})

    assert "item-5" in {because.item for one in free.recommendations for because in one.because}
    assert "item-5" not in {because.item for one in bound.recommendations for because in one.because}
    assert any(one.because for one in bound.recommendations)


def test_without_the_obligation_the_category_is_recommended():
    served = MODEL.recommend("individual", history=[Interaction(item) for item in IDS[1:5]], count=100)

    assert "item-0" in {one.item.id for one in served.recommendations}


@given(models(), histories)
def test_unknown_items_in_the_history_change_nothing(model, history):
    known = [touch for touch in history if touch.item != "unknown"]

    assert model.recommend("individual", history=history) == model.recommend("individual", history=known)


def test_the_strongest_reason_comes_first_and_reasons_are_bounded():
    served = MODEL.recommend("behavioral", history=HISTORY, reasons=2)

    for one in served.recommendations:
        shares = [because.share for because in one.because]
        assert len(shares) <= 2
        assert shares == sorted(shares, reverse=True)


def test_an_item_of_history_and_session_counts_once_and_as_session():
    twice = MODEL.recommend("contextual", history=HISTORY, session=HISTORY[:1], reasons=100)
    once = MODEL.recommend("behavioral", history=HISTORY, reasons=100)

    assert [one.score for one in twice.recommendations] == [one.score for one in once.recommendations]
    sources = {because.item: because.source for one in twice.recommendations for because in one.because}
    assert sources["item-0"] is Basis.SESSION
    assert sources["item-1"] is Basis.HISTORY


def test_a_history_nothing_is_related_to_falls_back():
    everything = [Interaction(item) for item in IDS]

    served = MODEL.recommend("individual", history=everything)

    assert served.fallback is Fallback.NOTHING_RELATED
    assert served.recommendations == ()


def test_a_short_personal_list_is_filled_with_popular_items():
    served = a_model(dense_limit=0).recommend("behavioral", history=HISTORY, count=100)

    bases = [one.basis for one in served.recommendations]
    assert bases == sorted(bases)  # history before popular
    assert set(bases) == {Basis.HISTORY, Basis.POPULAR}


@pytest.mark.parametrize("count", [1, 100])
def test_counts_from_one_to_a_hundred_are_served(count):
    assert 1 <= len(MODEL.recommend("none", count=count).recommendations) <= count


@pytest.mark.parametrize("count", [-1, 0, 101])
def test_other_counts_are_refused(count):
    with pytest.raises(ValueError, match="count"):
        MODEL.recommend("none", count=count)


def test_a_recommendation_without_room_for_a_reason_is_refused():
    with pytest.raises(ValueError, match="reasons"):
        MODEL.recommend("none", reasons=0)
