"""What training keeps of people, and what it refuses to keep."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.demo.datasets import demo_shop
from personalization.recommender.interactions import Interactions, InvalidInteractions, Item
from personalization.recommender.recipe import Kind
from personalization.recommender.training import train
from tests.helpers.paths import CHECKOUT
from tests.helpers.recommender import kept_weights, weights

ITEMS = tuple(Item(name, name.title()) for name in ("bread", "butter", "honey", "tea", "rare"))
METHODS = pytest.mark.parametrize("dense_limit", [0, 5_000], ids=["tfidf", "ease"])


def interactions(rows):
    """Build interactions from (person, item) or (person, item, weight) tuples."""
    return Interactions(
        person=[row[0] for row in rows],
        item=[row[1] for row in rows],
        weight=np.array([row[2] if len(row) > 2 else 1.0 for row in rows], dtype=np.float64),
        time=np.arange(len(rows), dtype=np.float64),
    )


BREAKFASTS = [(person, item) for person in range(10) for item in ("bread", "butter")]
TEAS = [(person, item) for person in range(10, 25) for item in ("tea", "honey")]


def weight_between(model, source, target):
    ids = [item.id for item in model.items]
    return kept_weights(model)[ids.index(source), ids.index(target)]


def ids_of(model):
    return [item.id for item in model.items]


def popularity_of(model, item):
    return model.popularity.scores[[known.id for known in model.items].index(item)]


@METHODS
def test_items_touched_by_the_same_people_speak_for_each_other(dense_limit):
    model = train(interactions(BREAKFASTS + TEAS), ITEMS, {}, dense_limit=dense_limit)

    assert weight_between(model, "bread", "butter") > 0
    assert weight_between(model, "bread", "tea") == 0
    assert model.parameters.recipe.parts[0].kind is (Kind.EASE if dense_limit else Kind.TFIDF_COSINE)


@METHODS
def test_one_person_alone_leaves_no_weight_and_no_popularity(dense_limit):
    alone = [(99, "rare"), (99, "tea"), (99, "bread")]

    model = train(interactions(BREAKFASTS + TEAS + alone), ITEMS, {}, dense_limit=dense_limit)

    assert all(weights(model)[ids_of(model).index("rare")] == 0)
    assert all(weights(model)[:, ids_of(model).index("rare")] == 0)
    assert weight_between(model, "tea", "bread") == 0  # both well supported, but together by one person only
    assert popularity_of(model, "rare") == 0


@METHODS
def test_a_second_person_makes_the_support(dense_limit):
    pair = [(person, item) for person in (98, 99) for item in ("rare", "honey")]

    model = train(interactions(BREAKFASTS + TEAS + pair), ITEMS, {}, dense_limit=dense_limit)

    assert weights(model)[ids_of(model).index("rare"), ids_of(model).index("honey")] > 0
    assert popularity_of(model, "rare") > 0


@METHODS
def test_the_support_can_be_raised(dense_limit):
    model = train(interactions(BREAKFASTS + TEAS), ITEMS, {}, min_people=11, dense_limit=dense_limit)

    assert weight_between(model, "bread", "butter") == 0
    assert weight_between(model, "tea", "honey") > 0


@given(st.lists(st.tuples(st.integers(0, 6), st.sampled_from([item.id for item in ITEMS])), max_size=40))
def test_every_weight_has_two_people_behind_it(rows):
    people = {item.id: {person for person, touched in rows if touched == item.id} for item in ITEMS}

    for dense_limit in (0, 5_000):
        kept = kept_weights(train(interactions(rows), ITEMS, {}, dense_limit=dense_limit))

        ids = sorted(people)
        for source, target in np.argwhere(kept):
            assert source != target
            assert len(people[ids[source]] & people[ids[target]]) >= 2


def test_a_segment_is_stored_from_k_people_on():
    segments = dict.fromkeys(range(10), "region=IS") | dict.fromkeys(range(10, 25), "region=DE")

    model = train(interactions(BREAKFASTS + TEAS), ITEMS, segments, min_segment=15)

    assert list(model.segments) == ["region=DE"]
    assert model.segments["region=DE"].people == 15


def test_people_without_interactions_do_not_fill_a_segment():
    segments = dict.fromkeys(range(10, 60), "region=DE")

    model = train(interactions(TEAS), ITEMS, segments, min_segment=20)

    assert model.segments == {}


def test_popularity_counts_people_not_touches():
    eager = [(0, "bread")] * 100

    model = train(interactions(BREAKFASTS + TEAS + eager), ITEMS, {}, damping=10)

    assert popularity_of(model, "bread") == pytest.approx(10 / (25 + 10))
    assert popularity_of(model, "tea") > popularity_of(model, "bread")


def test_a_segment_is_pulled_towards_everybody():
    segments = dict.fromkeys(range(10), "a")

    model = train(interactions(BREAKFASTS + TEAS), ITEMS, segments, min_segment=10, damping=10)

    scores = dict(zip([item.id for item in model.items], model.segments["a"].scores, strict=True))
    assert scores["bread"] == pytest.approx((10 + 10 * 10 / 35) / (10 + 10))
    assert 0 < scores["tea"] < scores["bread"]


def test_the_unit_of_weights_does_not_matter():
    rows = [(person, item, 1.0 + person % 3) for person, item in BREAKFASTS + TEAS]
    cents = [(person, item, 100 * weight) for person, item, weight in rows]

    model, other = (train(interactions(same), ITEMS, {}) for same in (rows, cents))

    assert np.array_equal(weights(model), weights(other))


@METHODS
def test_training_is_deterministic_and_blind_to_order(dense_limit):
    shop = demo_shop(people=80)
    backwards = shop.interactions.rows(range(len(shop.interactions))[::-1])

    model = train(shop.interactions, shop.items, shop.segments("region"), dense_limit=dense_limit)
    again = train(backwards, shop.items[::-1], shop.segments("region"), dense_limit=dense_limit)

    assert model.items == again.items
    assert np.array_equal(weights(model), weights(again))
    assert np.array_equal(model.popularity.scores, again.popularity.scores)
    assert list(model.segments) == list(again.segments)


@METHODS
def test_an_item_keeps_only_its_strongest_neighbours(dense_limit):
    shop = demo_shop(people=80)

    model = train(shop.interactions, shop.items, {}, neighbours=5, dense_limit=dense_limit)

    assert (kept_weights(model) != 0).sum(axis=1).max() == 5


def test_pseudonyms_work_as_people():
    rows = [(b"%032d" % person, item) for person, item in BREAKFASTS]

    model = train(interactions(rows), ITEMS, {b"%032d" % person: "a" for person in range(10)}, min_segment=10)

    assert model.segments["a"].people == model.trained_on.people == 10


@METHODS
def test_no_interactions_give_a_model_that_recommends_nothing(dense_limit):
    model = train(interactions([]), ITEMS, {}, dense_limit=dense_limit)

    assert model.recommend("individual").recommendations == ()


def test_interactions_with_items_outside_the_catalogue_are_left_out():
    model = train(interactions([*BREAKFASTS, (500, "discontinued")]), ITEMS, {})

    assert model.trained_on.people == 10
    assert model.trained_on.pairs == 20


def test_two_items_with_one_id_are_refused():
    with pytest.raises(InvalidInteractions):
        train(interactions(BREAKFASTS), [*ITEMS, Item("tea", "Other tea")], {})


@pytest.mark.parametrize(
    "parameters",
    [
        {"min_people": 1},
        {"min_segment": 1},
        {"min_people": 30},
        {"neighbours": 0},
        {"damping": -1.0},
    ],
)
def test_parameters_that_would_undo_the_protection_or_the_maths_are_refused(parameters):
    with pytest.raises(ValueError, match="must be"):
        train(interactions(BREAKFASTS), ITEMS, {}, **parameters)


@pytest.mark.parametrize(
    ("column", "values"),
    [("weight", [0.0, 1.0]), ("weight", [np.nan, 1.0]), ("time", [np.inf, 0.0]), ("time", [0.0])],
)
def test_columns_that_do_not_fit_are_refused(column, values):
    columns = {"weight": np.ones(2), "time": np.zeros(2)} | {column: np.array(values)}

    with pytest.raises(InvalidInteractions):
        Interactions(person=[1, 2], item=["tea", "tea"], **columns)


def test_the_recommender_loads_without_the_web_framework():
    script = (
        "import sys, personalization.recommender.storage, personalization.recommender.validation.evaluation;"
        "print([name for name in ('django', 'celery', 'rest_framework', 'implicit') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=CHECKOUT, check=True)

    assert done.stdout.strip() == "[]"
