"""Quality and exposure per group: planted disadvantage is found, chance is not, small groups are not named."""

from dataclasses import replace

import numpy as np
import pytest

from personalization.recommender.audits import fairness, intervals
from personalization.recommender.audits.people import Population, ask
from tests.helpers import audited

WORLD = audited.world(600, each=5)
MODEL = WORLD.model()
PEOPLE = WORLD.population(MODEL)


def with_attribute(name: str, values: list[str]) -> Population:
    return replace(PEOPLE, attributes={**PEOPLE.attributes, name: values})


def test_a_model_that_serves_all_alike_has_no_proven_disadvantage() -> None:
    found = fairness.audit(MODEL, PEOPLE, least=20)

    assert found.worst is not None
    assert found.worst.at_most >= 0.95
    assert {len(one.group) for one in found.slices} == {1, 2}
    assert found.too_small == 0


def test_the_region_that_a_planted_model_serves_badly_is_the_worst_slice() -> None:
    found = fairness.audit(audited.biased(MODEL), PEOPLE, least=20)

    assert found.worst is not None
    assert found.worst.group["region"] == "US"
    assert found.worst.at_most < 0.8
    assert found.impact is not None
    assert found.impact.value == 0.0
    own = {one.group["region"]: one.own_taste for one in found.slices if one.group.keys() == {"region"}}
    assert own["US"] == 0.0
    assert own["DE"] == pytest.approx(own["FR"], abs=0.1)


def test_a_disadvantage_of_one_intersection_is_found() -> None:
    """Seniors of one region are put where their topic is not known: neither attribute alone is as bad."""
    lost = {
        number
        for number, person in enumerate(PEOPLE.data.people)
        if WORLD.attributes["region"][person] == "FR" and WORLD.attributes["age_band"][person] == "senior"  # type: ignore[index]
    }
    data = PEOPLE.data
    moved = np.isin(data.number, list(lost))
    shifted = replace(data, position=np.where(moved & (np.arange(len(data)) % 2 == 0), 0, data.position))
    found = fairness.audit(MODEL, replace(PEOPLE, data=shifted), least=20)

    assert found.worst is not None
    assert found.worst.group == {"region": "FR", "age_band": "senior"}


def test_groups_below_k_are_neither_judged_nor_named() -> None:
    values = ["rare" if number < 15 else "common" for number in range(len(PEOPLE.data.people))]

    found = fairness.audit(MODEL, with_attribute("kind", values), least=20)

    assert not [one for one in found.slices if "rare" in one.group.values()]
    assert min(one.people for one in found.slices) >= 20
    assert found.too_small > 0


def test_a_group_that_leaves_fewer_than_k_others_is_not_named_either() -> None:
    """The figures of the few others would be the difference to everybody."""
    values = ["rare" if number < 15 else "common" for number in range(len(PEOPLE.data.people))]

    found = fairness.audit(MODEL, with_attribute("kind", values), least=20)

    assert {"kind": "common"} not in [one.group for one in found.slices]


def test_random_groups_are_no_finding() -> None:
    """Sixty slices of chance: the interval of all together stays above four fifths."""
    random = np.random.default_rng(5)
    values = [str(one) for one in random.integers(0, 8, len(PEOPLE.data.people))]

    found = fairness.audit(MODEL, with_attribute("chance", values), least=20)

    assert len(found.slices) > 30
    assert found.worst is not None
    assert found.worst.at_most > 0.8


def test_figures_of_a_slice_are_those_of_its_people() -> None:
    found = fairness.audit(MODEL, PEOPLE, least=20)
    numbers = PEOPLE.sample()
    lists = ask(MODEL, PEOPLE, numbers)
    rows = np.array(PEOPLE.attributes["region"], dtype=object)[numbers] == "DE"

    [one] = [each for each in found.slices if each.group == {"region": "DE"}]

    assert one.quality.value == pytest.approx(lists.ndcg[rows].mean())
    assert one.reached.value == pytest.approx(lists.hit[rows].mean())
    assert one.impact_ratio.value == pytest.approx(lists.hit[rows].mean() / lists.hit[~rows].mean())
    assert one.quality.low < one.quality.value < one.quality.high


def test_intervals_hold_what_they_promise() -> None:
    """Of 300 samples of 100 from a known mean the 95 % interval covers it in 90 to 99 of 100."""
    random = np.random.default_rng(11)
    hits = 0
    for seed in range(300):
        values = random.exponential(1.0, 100)
        estimate, _ = intervals.mean(values, intervals.draws(100, seed=seed))
        hits += estimate.low <= 1.0 <= estimate.high

    assert 0.9 * 300 <= hits <= 0.99 * 300


def test_an_attack_on_equal_groups_is_guessing() -> None:
    random = np.random.default_rng(2)
    covered = 0
    for _ in range(200):
        found = intervals.auc(random.normal(size=80), random.normal(size=120))
        covered += found.low <= 0.5 <= found.high

    assert covered >= 0.9 * 200


def test_the_area_counts_pairs_and_ties_by_half() -> None:
    assert intervals.auc(np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.0])).value == pytest.approx((2 + 1.5 + 1) / 6)
