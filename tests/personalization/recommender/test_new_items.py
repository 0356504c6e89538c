"""New items: scored by what they are like, with exact reasons, and measured as if they were new."""

from dataclasses import replace

import numpy as np
import pytest

from personalization.recommender import content
from personalization.recommender.audits.people import Population
from personalization.recommender.audits.singling_out import lone_weights
from personalization.recommender.interactions import Interaction, Interactions, Item
from personalization.recommender.recipe import Kind, Recipe, Spec, of_one_part
from personalization.recommender.training import train
from personalization.recommender.validation.evaluation import Protocol, evaluate
from personalization.recommender.validation.tuning import choose

KINDS = ("garden", "kitchen")
ITEMS = [Item(f"{number:02d}", f"Thing {number}", (KINDS[number % 2],), KINDS[number % 2] * 2) for number in range(40)]
NEW = [
    Item("new-garden", "Spade", ("garden",)),
    Item("new-kitchen", "Pan", ("kitchen",)),
    Item("odd", "Odd", ("other",)),
]
RECIPE = replace(of_one_part(Spec(Kind.EASE, None, 5.0), min_likes=1), content=10)


def world(people=120, seed=2):
    """People who like things of one kind."""
    draw = np.random.default_rng(seed)
    rows = [(who, f"{2 * place + who % 2:02d}") for who in range(people) for place in draw.permutation(20)[:8]]
    return Interactions([who for who, _ in rows], [item for _, item in rows], np.ones(len(rows)), np.arange(len(rows)))


def likes(*numbers):
    return [Interaction(f"{number:02d}") for number in numbers]


def test_items_are_alike_by_categories_and_words():
    items = [Item("a", "x", ("k",), "red round"), Item("b", "y", ("k",), "red round"), Item("c", "z", ("m",), "blue")]

    found = content.vectors([*items, Item("d", "w", ("m",), "blue")])
    alike = content.likeness(found, np.array([False, True, True, True]), 2).toarray()

    assert alike[0] == pytest.approx([0, 1, 0, 0])
    assert not alike[1:].any()


def test_an_item_that_is_like_nothing_takes_nothing():
    found = content.vectors([Item("a", "x", ("k",)), Item("b", "y", ("m",)), Item("c", "z")])

    assert content.likeness(found, np.array([False, True, True]), 2).nnz == 0


@pytest.mark.parametrize("spec", [Spec(Kind.EASE, None, 5.0), Spec(Kind.EASE, None, 5.0, 6), Spec(Kind.NEAR, 3.0)])
def test_a_new_item_is_recommended_to_who_likes_its_kind(spec):
    recipe = replace(of_one_part(spec, min_likes=1), content=10)
    model = train(world(), [*ITEMS, *NEW], {}, recipe=recipe)
    names = {item.id for item in NEW}

    served = model.recommend("individual", history=likes(0, 2, 4, 6), among=names, reasons=100)

    first = served.recommendations[0]
    assert first.item.id == "new-garden"
    assert {one.item.id for one in served.recommendations}.isdisjoint({"odd"})
    assert sum(one.contribution for one in (*first.because, *first.despite)) == pytest.approx(first.score, abs=1e-5)
    assert {one.item for one in first.because} <= {"00", "02", "04", "06"}


def test_what_a_person_did_with_a_new_item_counts_too():
    model = train(world(), [*ITEMS, *NEW], {}, recipe=RECIPE)

    served = model.recommend("individual", history=[Interaction("new-kitchen")])

    assert served.recommendations[0].because[0].item == "new-kitchen"
    assert all(one.item.categories == ("kitchen",) for one in served.recommendations)


def test_weights_of_known_items_do_not_change():
    with_new, without = (train(world(), ITEMS, {}, recipe=recipe) for recipe in (RECIPE, replace(RECIPE, content=0)))

    history = likes(1, 3, 8)
    assert with_new.recommend("individual", history=history) == without.recommend("individual", history=history)


def test_weights_of_new_items_are_no_weights_of_single_people():
    model = train(world(), [*ITEMS, *NEW], {}, recipe=RECIPE)
    people = Population.of(world(), model, {}, {})

    assert lone_weights(model, people)[1] == 0


def test_how_many_known_items_a_new_one_takes_from_is_chosen():
    chosen = choose(world(), ITEMS, {})

    figures = {name: figure for name, figure in chosen.ndcg.items() if name.startswith("new items by ")}
    assert chosen.recipe.content in (20, 60, 120)
    assert figures[f"new items by {chosen.recipe.content}"] == max(figures.values())
    assert choose(world(), [Item(item.id, "") for item in ITEMS], {}).recipe.content == 0


def test_a_version_says_how_well_new_items_are_ranked():
    by_kind = evaluate(world(), ITEMS, {}, recipe=RECIPE).new_items
    blind = evaluate(world(), ITEMS, {}, recipe=replace(RECIPE, content=0)).new_items

    assert blind is None
    assert by_kind.people >= 20
    assert by_kind.interval[0] <= by_kind.ndcg <= by_kind.interval[1]
    # Half of the new items are of the person's kind: by chance the first hit would stand at the second place or later.
    assert by_kind.ndcg > 0.5


def test_serendipity_counts_hits_that_everybody_else_is_not_shown():
    evaluation = evaluate(world(), ITEMS, {}, recipe=RECIPE)

    for levels in evaluation.levels.values():
        assert levels["none"].serendipity == 0.0
        assert 0 < levels["individual"].serendipity <= levels["individual"].precision
    assert evaluation.levels[Protocol.S]["individual"].serendipity > 0


def test_a_recipe_takes_from_no_negative_number_of_items():
    with pytest.raises(ValueError, match="content"):
        Recipe(RECIPE.parts, RECIPE.bands, content=-1)
