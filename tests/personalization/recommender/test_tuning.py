"""Choice of a recipe by validation, segments of taste, and the figures of an evaluation."""

import numpy as np
import pytest

from common.levels import Level
from governance.demo.datasets import demo_shop
from personalization.recommender.groups import taste
from personalization.recommender.histories import Histories
from personalization.recommender.interactions import Interactions, Item
from personalization.recommender.recipe import Kind, Lists
from personalization.recommender.training import plain, relisted, train
from personalization.recommender.validation import metrics, tuning
from personalization.recommender.validation import split as splitting
from personalization.recommender.validation.evaluation import Protocol, ask, evaluate, listed
from personalization.recommender.validation.split import split
from personalization.recommender.validation.tuning import choose

SHOP = demo_shop(people=200)
SEGMENTS = SHOP.segments("region")
DATA = Histories.of(SHOP.interactions, SHOP.items)


def interactions(people, *, liked=None):
    pairs = [(person, item) for person, some in people.items() for item in some]
    return Interactions(
        person=[person for person, _ in pairs],
        item=[item for _, item in pairs],
        weight=np.ones(len(pairs)),
        time=np.arange(len(pairs), dtype=np.float64),
        liked=None if liked is None else np.array(liked, dtype=np.bool_),
    )


def test_the_choice_is_never_below_a_plain_method_on_the_validation_data():
    chosen = choose(SHOP.interactions, SHOP.items, SEGMENTS)

    methods = {name for name in chosen.ndcg if name.startswith(("ease ", "cosine"))}
    assert len(methods) == 6
    assert chosen.ndcg["chosen"] >= max(chosen.ndcg[name] for name in methods)
    assert chosen.recipe.parts[0].kind in (Kind.EASE, Kind.COSINE)
    assert chosen.recipe.bands[-1].prior == 0.0


def test_segments_are_listed_in_a_way_that_is_allowed():
    for allowed in Lists:
        assert choose(SHOP.interactions, SHOP.items, SEGMENTS, lists=(allowed,)).recipe.lists is allowed


def test_the_choice_is_deterministic():
    assert choose(SHOP.interactions, SHOP.items, SEGMENTS) == choose(SHOP.interactions, SHOP.items, SEGMENTS)


def test_the_order_of_touches_is_chosen_where_it_predicts():
    draw = np.random.default_rng(3)
    names = [f"{number:02d}" for number in range(30)]
    # Everybody walks around a circle, from anywhere: what comes next follows from the latest touch alone.
    walks = {
        person: [names[(start + step) % 30] for step in range(10)]
        for person, start in enumerate(draw.integers(0, 30, 120))
    }

    chosen = choose(interactions(walks), [Item(name, name) for name in names], {})

    assert {Kind.NEAR, Kind.FORWARD} & {spec.kind for spec in chosen.recipe.parts} or chosen.recipe.parts[0].half_life
    assert chosen.ndcg["chosen"] > 0.9


def test_a_gain_by_chance_adds_no_part(monkeypatch):
    draw = np.random.default_rng(2)
    names = [f"{number:02d}" for number in range(30)]
    at_random = interactions({person: [names[place] for place in draw.permutation(30)[:10]] for person in range(80)})
    catalogue = [Item(name, name) for name in names]

    chosen = choose(at_random, catalogue, {})
    monkeypatch.setattr(tuning, "_STANDARD_ERRORS", 0.0)
    by_chance = choose(at_random, catalogue, {})

    assert (len(chosen.recipe.parts), len(by_chance.recipe.parts)) == (1, 3)


def test_a_choice_on_a_sample_is_that_of_its_people(monkeypatch):
    everybody = choose(SHOP.interactions, SHOP.items, SEGMENTS)
    monkeypatch.setattr(splitting, "PEOPLE", 100)
    monkeypatch.setattr(splitting, "TOUCHES_OF_AN_ITEM", 1)
    some = splitting.sample(SHOP.interactions, len(SHOP.items))

    chosen = choose(SHOP.interactions, SHOP.items, SEGMENTS)

    assert chosen == choose(some, SHOP.items, SEGMENTS)
    assert chosen.people < everybody.people


def test_too_few_people_to_ask_leave_the_plain_recipe():
    few = interactions({person: ["a", "b", "c"] for person in range(10)})

    chosen = choose(few, [Item(name, name) for name in "abc"], {})

    assert chosen.recipe == plain(3, 5_000)
    assert chosen.people == 10


def test_beyond_the_dense_limit_no_matrix_is_inverted():
    chosen = choose(SHOP.interactions, SHOP.items, SEGMENTS, dense_limit=50)

    assert chosen.recipe.parts[0].kind is Kind.TFIDF_COSINE
    assert not any(name.startswith("ease") for name in chosen.ndcg)


def test_every_group_of_taste_has_enough_people():
    model = train(SHOP.interactions, SHOP.items, SEGMENTS)

    groups = taste.clusters(model, DATA, at_least=30)

    sizes = np.unique(list(groups.values()), return_counts=True)[1]
    assert set(groups) == set(SHOP.interactions.person)
    assert len(sizes) == 200 // 30
    assert sizes.min() >= 30
    assert groups == taste.clusters(model, DATA, at_least=30)


def test_fewer_people_than_a_group_needs_make_no_group():
    model = train(SHOP.interactions, SHOP.items, SEGMENTS)

    assert taste.clusters(model, DATA, at_least=201) == {}


def test_lists_of_taste_are_served_as_a_segment():
    model = train(SHOP.interactions, SHOP.items, SEGMENTS)
    groups = taste.clusters(model, DATA, at_least=30)

    served = relisted(model, Histories.of(SHOP.interactions, model.items), groups, Lists.SCORES)

    answer = served.recommend("segment", segment="taste=000")
    assert answer.level_used is Level.SEGMENT
    assert answer.recommendations[0].people >= 30
    lists = {
        tuple(one.item.id for one in served.recommend("segment", segment=key).recommendations)
        for key in served.segments
    }
    assert len(lists) == len(served.segments)


def test_lists_of_scores_show_no_item_without_support():
    lone = interactions({person: ["a", "b"] for person in range(40)} | {99: ["a", "rare"]})
    model = train(lone, [Item(name, name) for name in ("a", "b", "rare")], dict.fromkeys(range(40), "all"))

    data = Histories.of(lone, model.items)

    served = relisted(model, data, dict.fromkeys(range(40), "all"), Lists.SCORES).recommend("segment", segment="all")

    assert {one.item.id for one in served.recommendations} == {"a", "b"}


def test_the_last_fifth_of_a_persons_items_is_held_out_whole():
    rows = interactions({1: ["a", "b", "a", "c", "d", "e", "e"], 2: ["a"]})

    held = split(rows)

    assert held.relevant == {1: ("e",)}
    assert [rows.item[row] for row in held.training] == ["a", "b", "a", "c", "d", "a"]


def test_only_what_was_liked_is_relevant():
    rows = interactions({1: list("abcdefghij")}, liked=[True] * 8 + [False, True])

    assert split(rows).relevant == {1: ("j",)}


def test_protocol_w_shows_again_what_the_level_may_not_know():
    evaluation = evaluate(SHOP.interactions, SHOP.items, SEGMENTS)

    strict, served = evaluation.levels[Protocol.S], evaluation.levels[Protocol.W]
    assert strict[Level.NONE].ndcg > served[Level.NONE].ndcg
    assert strict[Level.INDIVIDUAL].ndcg == served[Level.INDIVIDUAL].ndcg
    assert evaluation.ndcg[Level.NONE] == served[Level.NONE].ndcg


def test_strict_lists_are_those_without_what_a_person_knew():
    asked = ask(SHOP.interactions, SHOP.items, SEGMENTS)

    for level, lists in asked.lists[Protocol.S].items():
        for case, some in zip(asked.cases[::5], lists[::5], strict=True):
            again = listed(
                asked.model,
                level,
                history=case.history[:-2],
                session=case.history[-2:],
                segment=SEGMENTS.get(case.person),
                exclude={touch.item for touch in case.history},
            )
            assert some == again
    assert asked.lists[Protocol.S][Level.NONE] != asked.lists[Protocol.W][Level.NONE]


def test_every_level_has_its_figures_and_its_lift_over_none():
    evaluation = evaluate(SHOP.interactions, SHOP.items, SEGMENTS)

    for levels in evaluation.levels.values():
        assert set(levels) == set(Level)
        none, individual = levels[Level.NONE], levels[Level.INDIVIDUAL]
        assert none.lift == pytest.approx(0.0)
        assert individual.lift == pytest.approx(individual.ndcg / none.ndcg - 1)
        assert none.coverage < individual.coverage <= 1
        assert none.popularity_lift > individual.popularity_lift > 0
        assert none.novelty < individual.novelty
        for figures in levels.values():
            assert figures.interval[0] < figures.ndcg < figures.interval[1]
            assert 0 < figures.precision <= figures.recall <= 1
            assert 0 <= figures.diversity <= 1


def test_a_group_has_a_figure_from_the_least_segment_on():
    evaluation = evaluate(SHOP.interactions, SHOP.items, SEGMENTS)

    sizes = np.unique([SEGMENTS[person] for person in split(SHOP.interactions).relevant], return_counts=True)
    expected = {str(key) for key, size in zip(*sizes, strict=True) if size >= 20}
    assert set(evaluation.groups) == expected < set(SEGMENTS.values())
    assert all(one.interval[0] <= one.ndcg <= one.interval[1] for one in evaluation.groups.values())


def test_ndcg_of_lists_and_of_scores_agree():
    scores = np.array([[0.9, 0.1, 0.5, 0.3], [0.1, 0.2, 0.3, 0.4]])
    relevant = np.array([[False, False, True, True], [True, False, False, False]])

    by_scores = metrics.ndcg_of_scores(scores, relevant)

    by_lists = [metrics.ndcg([False, True, True, False], 2), metrics.ndcg([False, False, False, True], 1)]
    assert by_scores == pytest.approx(by_lists)
    assert by_lists[1] == pytest.approx(1 / np.log2(5))


def test_the_interval_of_a_mean_narrows_with_people():
    few, many = (metrics.interval([0.0, 1.0] * number) for number in (10, 1_000))

    assert few[0] < many[0] < 0.5 < many[1] < few[1]
    assert metrics.interval([]) == (0.0, 0.0)
