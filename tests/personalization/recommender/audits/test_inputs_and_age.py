"""Fake profiles, hostile numbers, recorded cases, and quality by the model's age."""

import math
from dataclasses import replace

import numpy as np
import pytest

from common.levels import Level
from personalization.recommender.audits import adversarial, ageing, regression
from personalization.recommender.audits.regression import Case, Touch
from personalization.recommender.interactions import Interactions
from tests.helpers import audited

WORLD = audited.world(600, each=5)
MODEL = WORLD.model()
PEOPLE = WORLD.population(MODEL)


def test_more_fake_profiles_promote_an_item_further() -> None:
    few, many = (adversarial.poison(MODEL, PEOPLE, share=share)[0] for share in (0.01, 0.1))

    assert (few.profiles, many.profiles) == (6, 60)
    assert few.before == many.before
    assert many.after > many.before
    assert many.after >= few.after
    assert many.rank_after < many.rank_before


def test_fake_profiles_are_only_in_the_poisoned_model() -> None:
    before = (PEOPLE.data.people, len(PEOPLE.data))

    adversarial.poison(MODEL, PEOPLE)

    assert (PEOPLE.data.people, len(PEOPLE.data)) == before


def test_a_sound_model_answers_hostile_input_soundly() -> None:
    found = adversarial.hostile(MODEL, PEOPLE)

    assert (found.unsound, found.asked) == (0, 151)


@pytest.mark.parametrize("weight", [1e9, 3e38])
def test_a_model_with_huge_weights_is_not_sound(weight: float) -> None:
    part = MODEL.parts[0]
    weights = part.weights.copy()
    weights[0, 0] = weight

    found = adversarial.hostile(audited.with_part(MODEL, replace(part, weights=weights)), PEOPLE)

    assert found.unsound >= 1
    assert math.isclose(found.largest_weight, weight * part.scale, rel_tol=1e-6)


def history(*items: str) -> tuple[Touch, ...]:
    return tuple(Touch(item) for item in items)


def test_a_case_holds_where_the_answer_is_as_recorded() -> None:
    case = Case(
        "jazz", Level.INDIVIDUAL, history("DE-00", "DE-01"), expected=("DE-02",), forbidden=("US-00",),
        level_used="individual", reasons=("DE-00",),
    )  # fmt: skip

    [found] = regression.replay(MODEL, [case])

    assert found.holds


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"expected": ("US-05",)}, "US-05 is not recommended"),
        ({"forbidden": ("DE-02",)}, "DE-02 is recommended"),
        ({"reasons": ("FR-00",)}, "FR-00 is no reason"),
        ({"level_used": "segment"}, "served at individual, not segment"),
    ],
)
def test_what_differs_from_the_record_is_named(change: dict[str, object], said: str) -> None:
    case = replace(Case("jazz", Level.INDIVIDUAL, history("DE-00", "DE-01")), **change)

    [found] = regression.replay(MODEL, [case])

    assert (found.holds, found.differences) == (False, (said,))


def test_a_case_of_a_segment_is_asked_at_its_level() -> None:
    case = Case("visitors", Level.SEGMENT, segment="region=US|age=adult", expected=("US-00",), level_used="segment")

    assert regression.replay(MODEL, [case])[0].holds


def fading(people: int = 200) -> Interactions:
    """Everybody likes things of one topic at first, and ever more of another one, month by month."""
    random = np.random.default_rng(1)
    rows = []
    for person in range(people):
        for month in range(6):
            share = 0 if month < 3 else 0.3 * (month - 2)
            topic = 1 if random.random() < share else 0
            number = int(random.integers(0, audited.A_TOPIC))
            rows.append((person, WORLD.items[topic * audited.A_TOPIC + number].id, (month + random.random()) * 2.592e6))
    return Interactions(
        person=[row[0] for row in rows],
        item=[row[1] for row in rows],
        weight=np.ones(len(rows)),
        time=np.array([row[2] for row in rows]),
    )


def test_quality_falls_with_the_age_of_a_model_where_taste_moves_on() -> None:
    found = ageing.audit(fading(), WORLD.items, MODEL, least=20)

    assert [month.age for month in found] == [1, 2]
    assert found[0].quality.value > found[1].quality.value


def test_quality_stays_where_taste_stays() -> None:
    found = ageing.audit(WORLD.interactions, WORLD.items, MODEL, least=20)

    assert len(found) == 2
    assert found[1].quality.high >= found[0].quality.low


def test_a_month_of_few_people_is_left_out() -> None:
    assert ageing.audit(WORLD.interactions, WORLD.items, MODEL, least=601) == ()


def test_too_short_a_time_is_no_curve() -> None:
    short = replace(WORLD.interactions, time=WORLD.interactions.time / 10)

    assert ageing.audit(short, WORLD.items, MODEL, least=20) == ()
