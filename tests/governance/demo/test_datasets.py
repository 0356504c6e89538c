"""The demonstration shop and the restaurants; sensitive attributes stay out of every model."""

import shutil

import numpy as np
import pytest

from common.levels import Level
from governance.demo.datasets import DatasetUnreadable, demo_shop, restaurants
from personalization.recommender import storage
from personalization.recommender.interactions import Interactions, Item
from personalization.recommender.training import train
from personalization.recommender.validation.evaluation import evaluate
from personalization.recommender.validation.tuning import choose
from tests.helpers.paths import DATA

REAL = DATA / "restaurants"

USERS = """userID,birth_year,ambience,budget,dress_preference,transport,religion,smoker
U2,1990,family,low,?,public,Catholic,true
U1,1960,friends,?,formal,on foot,none,?
"""
PLACES = "placeID,name\n7,carnitas_mata\n8,El Rinc\u00f3n \n"
CUISINES = "placeID,Rcuisine\n7,Mexican\n7,Bar\n99,Thai\n"
RATINGS = "userID,placeID,rating\nU1,7,2\nU2,7,1\nU2,8,0\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "userprofile.csv").write_text(USERS)
    (tmp_path / "geoplaces2.csv").write_text(PLACES, encoding="latin-1")
    (tmp_path / "chefmozcuisine.csv").write_text(CUISINES)
    (tmp_path / "rating_final.csv").write_text(RATINGS)
    return tmp_path


def test_the_demo_shop_looks_like_a_shop():
    shop = demo_shop()

    assert len(shop.items) == len({item.id for item in shop.items}) == 120
    assert "Cast-iron skillet" in {item.title for item in shop.items}
    assert len({item.categories[0] for item in shop.items}) == 8
    assert len(shop.people) == 400
    assert set(shop.interactions.item) <= {item.id for item in shop.items}


def test_the_demo_shop_is_the_same_for_the_same_seed_only():
    shop, again, other = demo_shop(people=50), demo_shop(people=50), demo_shop(people=50, seed=8)

    assert shop.interactions.item == again.interactions.item
    assert np.array_equal(shop.interactions.time, again.interactions.time)
    assert shop.interactions.item != other.interactions.item


def test_the_demo_shop_lies_in_the_half_year_before_its_end():
    until = 1_700_000_000.0

    times = demo_shop(people=50, until=until).interactions.time

    assert until - 180 * 86_400 <= times.min()
    assert times.max() <= until


def test_the_demo_shop_shows_a_segment_that_is_too_small_and_people_too_new():
    shop = demo_shop()

    model = train(shop.interactions, shop.items, shop.segments("region"))

    assert "region=DE" in model.segments
    assert "region=IS" in set(shop.segments("region").values()) - set(model.segments)
    touched = {}
    for person, item in zip(shop.interactions.person, shop.interactions.item, strict=True):
        touched.setdefault(person, set()).add(item)
    assert min(len(items) for items in touched.values()) < 5


def test_every_step_to_a_higher_level_pays_in_the_demo_shop():
    shop = demo_shop()

    ndcg = evaluate(shop.interactions, shop.items, shop.segments("region", "age")).ndcg

    assert ndcg[Level.NONE] < ndcg[Level.SEGMENT] < ndcg[Level.BEHAVIORAL] < ndcg[Level.CONTEXTUAL]
    assert ndcg[Level.INDIVIDUAL] > 2 * ndcg[Level.SEGMENT]


def test_a_perfect_prediction_scores_one_and_a_lone_item_is_not_asked_about():
    rows = [(person, item) for person in range(30) for item in ("a", "b")] + [(99, "b")]
    interactions = Interactions(
        person=[person for person, _ in rows],
        item=[item for _, item in rows],
        weight=np.ones(len(rows)),
        time=np.array([0.0 if (person, item) != (0, "b") else 1.0 for person, item in rows]),
    )
    only = interactions.rows([row for row, (person, _) in enumerate(rows) if person in {0, 99}])

    everybody = evaluate(interactions, [Item("a", "A"), Item("b", "B")], {})
    nobody_learnt = evaluate(only, [Item("a", "A"), Item("b", "B")], {})

    assert everybody.people == 30
    assert nobody_learnt.people == 1
    assert nobody_learnt.ndcg[Level.NONE] == 0.0


def test_evaluating_nothing_gives_zeros():
    nothing = Interactions(person=[], item=[], weight=np.array([]), time=np.array([]))

    evaluation = evaluate(nothing, [Item("a", "A")], {})

    assert evaluation.people == 0
    assert set(evaluation.ndcg.values()) == {0.0}


def test_likes_titles_and_cuisines_are_read(folder):
    data = restaurants(folder)

    assert data.items == (
        Item("7", "carnitas mata", ("Bar", "Mexican")),
        Item("8", "El Rinc\u00f3n", ()),
    )
    assert (data.interactions.person, data.interactions.item) == ([0, 1], ["7", "7"])
    assert data.interactions.weight.tolist() == [2.0, 1.0]


def test_sensitive_attributes_come_apart_and_missing_values_not_at_all(folder):
    data = restaurants(folder)

    assert data.attributes[1] == {
        "ambience": "family",
        "budget": "low",
        "transport": "public",
        "age": "under-25",
    }
    assert data.sensitive[1] == {"birth_year": "1990", "religion": "Catholic", "smoker": "true"}
    assert "smoker" not in data.sensitive[0]


def test_segments_are_formed_from_attributes(folder):
    data = restaurants(folder)

    assert data.segments("ambience", "age") == {
        0: "ambience=friends|age=40-and-over",
        1: "ambience=family|age=under-25",
    }
    assert data.segments("budget") == {1: "budget=low"}


@pytest.mark.parametrize("names", [("religion",), ("age", "smoker"), ("birth_year",), ()])
def test_segments_are_never_formed_from_sensitive_attributes(folder, names):
    with pytest.raises(ValueError, match="ambience"):
        restaurants(folder).segments(*names)


def test_a_column_nobody_named_is_sensitive(folder):
    lines = USERS.splitlines()
    (folder / "userprofile.csv").write_text(f"{lines[0]},diagnosis\n{lines[1]},asthma\n{lines[2]},?\n")

    data = restaurants(folder)

    assert data.sensitive[1]["diagnosis"] == "asthma"
    assert "diagnosis" not in data.attributes[1]


@pytest.mark.parametrize("file", ["userprofile.csv", "geoplaces2.csv", "chefmozcuisine.csv", "rating_final.csv"])
def test_a_missing_file_is_one_clear_error(folder, file):
    (folder / file).unlink()

    with pytest.raises(DatasetUnreadable, match=f"{file} cannot be read"):
        restaurants(folder)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("rating_final.csv", "userID,placeID\nU1,7\n", "rating_final.csv lacks the column rating"),
        ("userprofile.csv", "userID,budget\n", "ambience, birth_year, dress_preference, transport"),
        ("geoplaces2.csv", "", "geoplaces2.csv lacks the column name, placeID"),
        ("rating_final.csv", "userID,placeID,rating\nU1,7,good\n", "rating_final.csv .* line 2"),
        ("rating_final.csv", "userID,placeID,rating\nU9,7,1\n", "rating_final.csv .* line 2"),
        ("rating_final.csv", "userID,placeID,rating\nU1,7\n", "too many or too few"),
        ("chefmozcuisine.csv", 'placeID,Rcuisine\n7,"Thai', "chefmozcuisine.csv is broken at line"),
    ],
)
def test_a_broken_file_is_one_clear_error(folder, file, content, message):
    (folder / file).write_text(content)

    with pytest.raises(DatasetUnreadable, match=message):
        restaurants(folder)


def test_the_real_restaurants_are_read_whole():
    data = restaurants(REAL)

    assert (len(data.items), len(data.people), len(data.interactions)) == (130, 138, 1161 - 254)
    assert "El Rinc\u00f3n de San Francisco" in {item.title for item in data.items}
    assert {"religion", "smoker", "drink_level", "weight", "height"} <= set(data.sensitive[0])


def test_on_the_real_restaurants_history_beats_popularity():
    data = restaurants(REAL)
    segments = data.segments("budget")
    recipe = choose(data.interactions, data.items, segments).recipe

    ndcg = evaluate(data.interactions, data.items, segments, recipe=recipe).ndcg

    assert ndcg[Level.NONE] < ndcg[Level.SEGMENT] < ndcg[Level.BEHAVIORAL] < ndcg[Level.CONTEXTUAL]


def test_no_sensitive_attribute_is_anywhere_in_a_stored_model(tmp_path):
    data = restaurants(REAL)
    model = train(data.interactions, data.items, data.segments("budget", "age"))

    storage.save(model, tmp_path, "restaurants", "1")

    content = b"".join(path.read_bytes() for path in (tmp_path / "restaurants-1").iterdir()).lower()
    assert b"budget=medium|age=under-25" in content
    columns = {"religion", "smoker", "drink_level", "marital_status", "hijos", "height", "birth_year"}
    words = {
        "catholic",
        "christian",
        "mormon",
        "jewish",
        "abstemious",
        "drinker",
        "widow",
        "hunter-ostentatious",
    }
    assert {word for word in columns | words if word.encode() in content} == set()


def test_a_model_does_not_depend_on_sensitive_attributes(tmp_path):
    shutil.copytree(REAL, tmp_path / "without", copy_function=shutil.copyfile)
    profiles = (tmp_path / "without" / "userprofile.csv").read_text(encoding="latin-1")
    hidden = profiles.replace("Catholic", "?").replace("abstemious", "?").replace(",single,", ",?,")
    (tmp_path / "without" / "userprofile.csv").write_text(hidden, encoding="latin-1")

    digests = set()
    for folder in (REAL, tmp_path / "without"):
        data = restaurants(folder)
        model = train(data.interactions, data.items, data.segments("budget", "age"))
        digests.add(tuple(storage.save(model, tmp_path / folder.name, "r", "1").files.values()))

    assert len(digests) == 1
