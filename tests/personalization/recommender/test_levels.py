"""A level is a promise: what it does not allow changes nothing in the answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.levels import Level
from governance.demo.datasets import demo_shop
from personalization.recommender.answers import Basis, Fallback
from personalization.recommender.interactions import Interaction, InvalidInteractions
from personalization.recommender.levels import BEHAVIORAL_WINDOW
from personalization.recommender.training import train

SHOP = demo_shop(people=150)
SEGMENTS = SHOP.segments("region")
MODEL = train(SHOP.interactions, SHOP.items, SEGMENTS)
IDS = [item.id for item in MODEL.items]
LIKES = tuple(Interaction(item) for item in ("cast-iron-skillet", "carbon-steel-wok", "smoked-sea-salt"))
HISTORY = (*LIKES, Interaction("burr-hand-grinder"), Interaction("pour-over-dripper"))
SESSION = (Interaction("mahogany-concert-ukulele"), Interaction("spring-capo"))

a_touch = st.builds(
    Interaction,
    item=st.sampled_from([*IDS, "no-longer-sold"]),
    weight=st.floats(0.1, 10),
    time=st.floats(0, 1e9),
    liked=st.just(True),
)
touches = st.lists(a_touch, max_size=30)
segment_keys = st.sampled_from([None, "region=IS", "region=ZZ", *MODEL.segments])


@given(touches, touches, segment_keys, st.booleans())
def test_none_gives_the_same_answer_to_everybody(history, session, segment, exclude_seen):
    served = MODEL.recommend("none", history=history, session=session, segment=segment, exclude_seen=exclude_seen)

    assert served == MODEL.recommend("none")
    assert {one.basis for one in served.recommendations} == {Basis.POPULAR}
    assert served.fallback is None


@given(touches, touches, segment_keys)
def test_segment_uses_the_segment_and_nothing_else_of_the_person(history, session, segment):
    served = MODEL.recommend("segment", history=history, session=session, segment=segment)

    assert served == MODEL.recommend("segment", segment=segment)


@given(touches, touches)
def test_behavioral_does_not_see_the_session(history, session):
    served = MODEL.recommend("behavioral", history=history, session=session)

    assert served == MODEL.recommend("behavioral", history=history)


@given(st.lists(a_touch, min_size=105, max_size=125, unique_by=lambda touch: touch.time))
def test_behavioral_does_not_see_beyond_the_last_hundred_interactions(history):
    recent = sorted(history, key=lambda touch: touch.time)[-BEHAVIORAL_WINDOW:]

    served = MODEL.recommend("behavioral", history=history)

    assert served == MODEL.recommend("behavioral", history=recent)


def test_individual_sees_the_whole_history():
    old = [Interaction(item, time=1) for item in ("brass-stitch-markers", "bamboo-circular-needles")]
    recent = [Interaction(touch.item, time=2) for touch in HISTORY * 20]

    limited = MODEL.recommend("behavioral", history=old + recent, count=100, reasons=100)
    whole = MODEL.recommend("individual", history=old + recent, count=100, reasons=100)

    assert "brass-stitch-markers" not in _reasons(limited)
    assert "brass-stitch-markers" in _reasons(whole)


def test_contextual_uses_the_session_and_says_so():
    served = MODEL.recommend("contextual", history=HISTORY, session=SESSION, count=50, reasons=100)

    assert {Basis.SESSION, Basis.HISTORY} <= {one.basis for one in served.recommendations}
    from_session = {
        because.item for one in served.recommendations for because in one.because if because.source is Basis.SESSION
    }
    assert from_session <= {touch.item for touch in SESSION}
    assert served.level_used is Level.CONTEXTUAL


def test_too_little_history_falls_back_to_the_segment():
    served = MODEL.recommend("behavioral", history=LIKES[:1], segment="region=DE")

    assert MODEL.parameters.recipe.min_likes == 2
    assert (served.level_used, served.fallback) == (Level.SEGMENT, Fallback.TOO_LITTLE_HISTORY)
    assert {one.basis for one in served.recommendations} == {Basis.SEGMENT}


def test_too_little_history_without_a_segment_falls_back_to_popularity():
    served = MODEL.recommend("individual", history=LIKES[:1])

    assert (served.level_used, served.fallback) == (Level.NONE, Fallback.TOO_LITTLE_HISTORY)
    assert {one.basis for one in served.recommendations} == {Basis.POPULAR}


def test_enough_history_is_used():
    served = MODEL.recommend("behavioral", history=HISTORY, segment="region=DE")

    assert len(HISTORY) >= MODEL.parameters.recipe.min_likes
    assert (served.level_used, served.fallback) == (Level.BEHAVIORAL, None)
    assert served.recommendations[0].basis is Basis.HISTORY


def test_repeating_one_item_is_not_enough_history():
    served = MODEL.recommend("behavioral", history=[Interaction("cast-iron-skillet")] * 50)

    assert served.fallback is Fallback.TOO_LITTLE_HISTORY


def test_a_segment_that_is_not_stored_falls_back_to_popularity():
    served = MODEL.recommend("segment", segment="region=IS")

    assert (served.level_used, served.fallback) == (Level.NONE, Fallback.SEGMENT_NOT_AVAILABLE)
    assert served.recommendations == MODEL.recommend("none").recommendations


def test_a_segment_answer_names_a_group_of_at_least_k_people():
    served = MODEL.recommend("segment", segment="region=DE")

    assert all(one.people >= MODEL.parameters.min_segment for one in served.recommendations)
    assert served.level_used is Level.SEGMENT


def test_levels_are_ordered_by_what_they_allow():
    assert [level.includes(Level.BEHAVIORAL) for level in Level] == [False, False, True, True, True]
    assert all(level.includes(level) for level in Level)


def test_an_unknown_level_is_refused():
    with pytest.raises(ValueError, match="everything"):
        MODEL.recommend("everything", history=HISTORY)


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_an_interaction_without_a_positive_weight_is_refused(weight):
    with pytest.raises(InvalidInteractions):
        MODEL.recommend("individual", history=[Interaction("cast-iron-skillet", weight=weight)])


def test_the_scores_of_the_none_level_hold_no_count_of_a_single_person():
    touched_once = {
        item for item in IDS if len({p for p, i in zip(_people(), _items(), strict=True) if i == item}) == 1
    }

    assert np.all(MODEL.popularity.scores[[IDS.index(item) for item in touched_once]] == 0)


def _people():
    return SHOP.interactions.person


def _items():
    return SHOP.interactions.item


def _reasons(served):
    return {because.item for one in served.recommendations for because in one.because}
