"""The parts of a recipe: what their weights are, how touches fade, and what is kept of a row."""

from dataclasses import replace

import numpy as np
import pytest

from personalization.recommender import diversity, factors
from personalization.recommender import weights as building
from personalization.recommender.histories import Histories
from personalization.recommender.interactions import Interaction, Interactions, InvalidInteractions, Item
from personalization.recommender.levels import BEHAVIORAL_WINDOW, permit
from personalization.recommender.model import highest
from personalization.recommender.parts import Part, Weighing
from personalization.recommender.recipe import Band, Kind, Recipe, Spec, of_one_part
from personalization.recommender.shaping import shapes
from personalization.recommender.shaping.shapes import Shape
from personalization.recommender.signals import Signals
from personalization.recommender.training import train
from personalization.recommender.weights import Builder
from tests.helpers.recommender import kept_weights, weights

ITEMS = tuple(Item(name, name.title(), (name[0],)) for name in "abcdef")
TALL = [Item(f"{number:04d}", "Thing") for number in range(40)]


def rows(*people, liked=None):
    """Build interactions of people who touched these items in this order."""
    pairs = [(person, item) for person, some in enumerate(people) for item in some]
    return Interactions(
        person=[person for person, _ in pairs],
        item=[item for _, item in pairs],
        weight=np.ones(len(pairs)),
        time=np.arange(len(pairs), dtype=np.float64),
        liked=None if liked is None else np.array(liked),
    )


def part(kind, interactions, *, items=ITEMS, **limits):
    data = Histories.of(interactions, items)
    return Builder(data, min_people=2, neighbours=100, **limits).build(Spec(kind, None, 1.0))


def full(one, items=ITEMS):
    matrix = one.out @ one.into
    for item in range(len(items)):
        np.add.at(matrix[item], one.neighbours[item], one.weights[item])
    return matrix


def random_rows(people=60, seed=1):
    draw = np.random.default_rng(seed)
    return rows(*[[TALL[place].id for place in draw.permutation(40)[:12]] for _ in range(people)])


def signals(positions, liked=None):
    size = len(positions)
    wanted = np.ones(size, dtype=np.bool_) if liked is None else np.array(liked)
    return Signals(np.array(positions, dtype=np.intp), np.ones(size), wanted, np.zeros(size, dtype=np.bool_))


def test_near_counts_steps_and_half_of_what_came_before():
    near = full(part(Kind.NEAR, rows("ab", "ab")))

    step = np.exp(-1 / 20)
    assert near[0, 1] == pytest.approx(2 * step / (2 + 10), rel=1e-5)
    assert near[1, 0] == pytest.approx(step / (2 + 10), rel=1e-5)


def test_forward_looks_at_what_came_after_only():
    forward = full(part(Kind.FORWARD, rows("abc", "abc")))

    assert forward[0, 2] == pytest.approx(2 * np.exp(-2 / 60) / (2 + 10), rel=1e-4)
    kept = kept_of(part(Kind.FORWARD, rows("abc", "abc"), dense_limit=0))
    assert kept[2, 0] == 0


def kept_of(one):
    matrix = np.zeros((len(one.out), len(one.out)))
    for item in range(len(matrix)):
        np.add.at(matrix[item], one.neighbours[item], one.weights[item])
    return matrix


def test_people_are_no_sequence_of_each_other():
    near = kept_of(part(Kind.NEAR, rows("ab", "ab", "cd", "cd"), dense_limit=0))

    assert near[0, 1] > 0
    assert not near[:2, 2:].any()


def test_ease_keeps_negative_weights():
    assert full(part(Kind.EASE, random_rows(), items=TALL), TALL).min() < 0


@pytest.mark.parametrize("kind", [Kind.NEAR, Kind.FORWARD, Kind.COSINE])
def test_blocks_without_a_dense_matrix_give_the_same_weights(kind):
    dense, blocks = (part(kind, random_rows(), items=TALL, dense_limit=limit) for limit in (5_000, 0))

    supported = kept_of(blocks) != 0
    assert supported.any()
    assert full(dense, TALL)[supported] == pytest.approx(kept_of(blocks)[supported], abs=1e-5)
    assert not blocks.out.any()


def test_a_builder_builds_each_part_as_if_it_were_alone():
    data, specs = Histories.of(random_rows(), TALL), [Spec(kind, None, 5.0) for kind in (*Kind, Kind.EASE)]
    one = Builder(data, min_people=2, neighbours=5)

    for spec in (*specs, replace(specs[0], regularisation=50.0), replace(specs[0], rank=4)):
        alone, shared = Builder(data, min_people=2, neighbours=5).build(spec), one.build(spec)
        for name in ("neighbours", "weights", "out", "into"):
            assert np.array_equal(getattr(alone, name), getattr(shared, name)), (spec, name)


def test_support_is_the_same_where_it_is_not_kept(monkeypatch):
    data = Histories.of(random_rows(), TALL)
    kept = Builder(data, min_people=6, neighbours=100).build(Spec(Kind.COSINE))
    monkeypatch.setattr(building, "_KEPT_LIMIT", 10)

    counted = Builder(data, min_people=6, neighbours=100).build(Spec(Kind.COSINE))

    assert np.array_equal(kept.weights, counted.weights)
    assert 0 < np.count_nonzero(kept.weights) < kept.weights.size


def test_ease_solves_its_equation():
    data = Histories.of(random_rows(), TALL)
    likes = data.likes.toarray()

    solved = full(Builder(data, min_people=2, neighbours=40).build(Spec(Kind.EASE, None, 20.0)), TALL)

    inverse = np.linalg.inv(likes.T @ likes + 20 * np.eye(len(TALL)))
    expected = np.eye(len(TALL)) - inverse / np.diag(inverse)
    supported = (data.touched.T @ data.touched).toarray() >= 2
    np.fill_diagonal(supported, False)
    assert solved[supported] == pytest.approx(expected[supported], abs=1e-5)


def test_cut_rows_lose_no_popularity():
    data = Histories.of(random_rows(), TALL)
    whole, cut = (
        Builder(data, min_people=2, neighbours=number).build(Spec(Kind.EASE, None, 20.0)) for number in (100, 5)
    )

    assert cut.weights.shape[1] == 5
    assert np.array_equal(cut.out, whole.out)
    assert np.array_equal(cut.into, whole.into)
    # A row's strongest remainders are kept, whatever their sign.
    least = np.abs(cut.weights).min(axis=1)
    assert all((np.abs(row) > bound).sum() <= 5 for row, bound in zip(whole.weights, least, strict=True))


@pytest.mark.parametrize("rank", [1, 3, 40])
def test_the_nearest_factors_are_those_of_the_singular_values(rank):
    matrix = np.random.default_rng(5).normal(size=(40, 40)).astype(np.float32) + np.outer(np.arange(40), np.ones(40))
    matrix = matrix.astype(np.float32)
    left, strengths, right = np.linalg.svd(matrix)
    strengths[rank:] = 0

    out, into = factors.nearest(matrix, rank)

    # The iteration is as near as the best of that rank, within 2 %.
    best = np.linalg.norm(matrix - (left * strengths) @ right)
    assert np.linalg.norm(matrix - out @ into) <= 1.02 * best + 1e-3
    assert (out.shape, into.shape) == ((40, rank), (rank, 40))
    assert all(np.array_equal(one, two) for one, two in zip((out, into), factors.nearest(matrix, rank), strict=True))


def test_factors_of_nothing_are_nothing():
    out, into = factors.nearest(np.zeros((5, 5), dtype=np.float32), 2)

    assert not (out @ into).any()
    assert np.isfinite(out).all()


def test_directions_kept_whole_are_of_supported_pairs_alone():
    # Two shops without a common customer, but for one person: no number of the part may reveal that person.
    shops = [*(TALL[:20],) * 20, *(TALL[20:],) * 20]
    draw = np.random.default_rng(2)
    people = [[shop[place].id for place in draw.permutation(20)[:8]] for shop in shops]
    both = [*people, [TALL[0].id, TALL[39].id]]

    alone, joined = (
        Builder(Histories.of(rows(*some), TALL), min_people=2, neighbours=8).build(Spec(Kind.EASE, None, 5.0, 12))
        for some in (people, both)
    )

    assert np.abs((alone.out @ alone.into)[:20, 20:]).max() < 1e-4
    assert np.abs((joined.out @ joined.into)[:20, 20:]).max() < 1e-4
    assert alone.weights.shape[1] == 2


def test_contributions_of_many_directions_sum_to_the_scores():
    recipe = Recipe((Spec(Kind.EASE, 30.0, 20.0, 6), Spec(Kind.NEAR, 3.0)), (Band(None, (0.7, 1.0)),))
    model = train(random_rows(), TALL, {}, recipe=recipe, neighbours=8)

    served = model.recommend("individual", history=[Interaction(item.id) for item in TALL[:9]], reasons=100)

    for one in served.recommendations:
        assert sum(reason.contribution for reason in (*one.because, *one.despite)) == pytest.approx(one.score, abs=1e-6)
    assert any(one.despite for one in served.recommendations)


def test_a_score_that_is_rounding_alone_is_no_relation():
    model = train(random_rows(), TALL, {}, recipe=of_one_part(Spec(Kind.EASE, None, 20.0), min_likes=1))
    noise = np.full((1, 40), 1e-8, dtype=np.float32)
    part = replace(model.parts[0], weights=np.zeros_like(model.parts[0].weights), out=noise.T * 1e8, into=-noise)
    part.into[0, 30:] *= -1

    served = replace(model, parts=(part,)).recommend("individual", history=[Interaction("0003")])

    assert served.level_used == "none"
    assert served.fallback == "nothing_related"


def test_a_rank_below_one_is_refused():
    with pytest.raises(ValueError, match="rank"):
        Spec(Kind.EASE, rank=0)


def test_an_older_touch_counts_half_after_a_half_life():
    made = train(random_rows(), TALL, {}).parts[0]
    fading = made.at_pace(2.0)

    rows_counted, counts = fading.counted(signals([1, 2, 3]))

    assert rows_counted.tolist() == [0, 1, 2]
    assert counts / counts[-1] == pytest.approx([0.5, 2**-0.5, 1.0])


def test_touches_of_four_half_lives_ago_are_left_out():
    fading = train(random_rows(), TALL, {}).parts[0].at_pace(2.0)

    assert len(fading.counted(signals(list(range(30))))[0]) == 8


def test_a_part_of_likes_counts_likes_only():
    made = train(random_rows(), TALL, {}).parts[0]

    assert made.counted(signals([1, 2, 3], [True, False, True]))[0].tolist() == [0, 2]


def test_contributions_of_several_parts_sum_to_the_scores():
    recipe = Recipe((Spec(Kind.EASE, 30.0, 20.0), Spec(Kind.NEAR, 3.0)), (Band(None, (0.7, 1.0)),))
    model = train(random_rows(), TALL, {}, recipe=recipe, neighbours=7)
    person = signals([3, 9, 11, 20], [True, False, True, True])

    weighing = Weighing(model.parts, (0.7, 1.0), person)
    chosen = np.array([1, 5, 30])

    assert weighing.contributions(chosen).sum(axis=1) == pytest.approx(weighing.scores[chosen], abs=1e-6)


def test_the_weights_of_a_part_are_the_scores_of_single_items():
    model = train(random_rows(), TALL, {}, neighbours=6)

    scores = model.parts[0].scores(signals([7]))

    assert scores == pytest.approx(model.parts[0].scale * weights(model)[7], abs=1e-6)
    assert np.count_nonzero(kept_weights(model)[7]) <= 6


@pytest.mark.parametrize(
    "spoil",
    [
        {"neighbours": np.full((6, 2), 6, dtype=np.int32)},
        {"neighbours": np.full((6, 2), -1, dtype=np.int32)},
        {"weights": np.full((6, 2), np.nan, dtype=np.float32)},
        {"weights": np.zeros((5, 2), dtype=np.float32)},
        {"into": np.zeros((1, 5), dtype=np.float32)},
        {"into": np.zeros((2, 6), dtype=np.float32)},
        {"out": np.zeros((5, 1), dtype=np.float32)},
        {"scale": float("inf")},
    ],
)
def test_a_part_that_does_not_fit_is_refused(spoil):
    fitting = {
        "spec": Spec(Kind.EASE),
        "scale": 1.0,
        "neighbours": np.zeros((6, 2), dtype=np.int32),
        "weights": np.zeros((6, 2), dtype=np.float32),
        "out": np.zeros((6, 1), dtype=np.float32),
        "into": np.zeros((1, 6), dtype=np.float32),
    }
    Part(**fitting)

    with pytest.raises(ValueError, match=r"part|neighbour"):
        Part(**{**fitting, **spoil})


@pytest.mark.parametrize(
    "bands", [(), (Band(3, (1.0,)),), (Band(None, (1.0,)), Band(None, (1.0,))), (Band(None, (1.0, 2.0)),)]
)
def test_bands_that_leave_a_person_without_weights_are_refused(bands):
    with pytest.raises(ValueError, match="band"):
        Recipe((Spec(Kind.EASE),), bands)


def test_the_band_of_a_person_is_the_first_that_reaches():
    recipe = Recipe((Spec(Kind.EASE),), (Band(2, (3.0,)), Band(5, (2.0,)), Band(None, (1.0,))))

    assert [recipe.band(likes).weights[0] for likes in (1, 2, 3, 5, 6)] == [3.0, 3.0, 2.0, 2.0, 1.0]


def test_a_short_history_is_blended_with_what_is_popular():
    recipe = of_one_part(Spec(Kind.EASE, None, 20.0), min_likes=1)
    blended = Recipe(recipe.parts, (Band(1, (1.0,), 2.0), Band(None, (1.0,))), 1)
    model, plain = (train(random_rows(), TALL, {}, recipe=one) for one in (blended, recipe))

    few, many = [Interaction("0003")], [Interaction("0003"), Interaction("0009")]

    assert all(one.prior > 0 for one in model.recommend("individual", history=few, count=3).recommendations)
    assert model.recommend("individual", history=many) == plain.recommend("individual", history=many)
    for one in model.recommend("individual", history=few).recommendations:
        total = sum(reason.contribution for reason in (*one.because, *one.despite)) + one.prior
        assert total == pytest.approx(one.score, abs=1e-6)


def test_the_window_holds_a_hundred_touches_and_a_hundred_likes():
    history = [Interaction(str(number), time=number, liked=number % 2 == 0) for number in range(400)]

    kept = permit("behavioral", history=history, session=(), segment=None).history

    assert sum(touch.liked for touch in kept) == BEHAVIORAL_WINDOW
    assert {touch.item for touch in history[-BEHAVIORAL_WINDOW:]} <= {touch.item for touch in kept}
    assert [touch.item for touch in kept if not touch.liked] == [str(number) for number in range(301, 400, 2)]


def test_likes_must_be_as_long_as_the_other_columns():
    assert rows("ab", liked=[True, False]).rows([1]).liked.tolist() == [False]

    with pytest.raises(InvalidInteractions):
        rows("ab", liked=[True])


def test_the_highest_scores_come_first_and_ties_in_order():
    scores = np.array([1.0, 5.0, 3.0, 5.0, 3.0, 3.0])

    assert highest(scores, 4).tolist() == [1, 3, 2, 4]
    assert highest(scores, 10).tolist() == [1, 3, 2, 4, 5, 0]
    assert highest(np.zeros(0), 3).tolist() == []


def test_diversity_prefers_another_category():
    vectors = diversity.vectors([("x",), ("x",), ("y",), ()])
    scores = np.array([1.0, 0.9, 0.5, 0.0])

    def order(variety: float, number: int) -> list[int]:
        given = shapes.Candidates(scores[:number], vectors[:number], np.zeros((number, 1)), np.zeros(number))
        return shapes.order(shapes.Shape(variety=variety), given, np.zeros(1), 3).tolist()

    assert order(0.0, 3) == [0, 1, 2]
    assert order(0.5, 3)[:2] == [0, 2]
    assert order(0.5, 0) == []


def test_the_diversity_of_a_list_is_the_mean_distance_of_its_pairs():
    vectors = diversity.vectors([("x",), ("x",), ("y",)])

    assert diversity.intra_list(vectors) == pytest.approx(2 / 3)
    assert diversity.intra_list(vectors[:1]) == 0.0


def test_a_diverse_list_keeps_exact_reasons():
    model = train(random_rows(), [Item(item.id, item.title, (item.id[-1],)) for item in TALL], {})
    history = [Interaction(item.id) for item in TALL[:6]]

    plain = model.recommend("individual", history=history, reasons=100)
    diverse = model.recommend("individual", history=history, reasons=100, shape=Shape(variety=0.6))

    assert [one.item for one in plain.recommendations] != [one.item for one in diverse.recommendations]
    known = {one.item: one.score for one in model.recommend("individual", history=history, count=100).recommendations}
    assert all(one.score == pytest.approx(known[one.item]) for one in diverse.recommendations)


def test_excluded_items_are_not_recommended_at_any_level():
    model = train(random_rows(), TALL, {})
    history = [Interaction(item.id) for item in TALL[:6]]

    for level in ("none", "individual"):
        asked = {"history": history, "count": 100}
        left_out = {model.recommend(level, **asked).recommendations[0].item.id, "unknown"}
        given = {one.item.id for one in model.recommend(level, **asked, exclude=left_out).recommendations}
        assert given
        assert left_out.isdisjoint(given)
