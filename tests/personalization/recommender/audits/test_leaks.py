"""Membership inference, weights of single people, segments told apart by two versions, probing."""

from dataclasses import replace

import numpy as np
import pytest

from governance.demo.datasets import Dataset, demo_shop
from personalization.recommender.audits import adversarial, membership, reference, singling_out
from personalization.recommender.audits.people import Population
from personalization.recommender.training import train
from tests.helpers import audited

WORLD = audited.world(600, each=5)
MODEL = WORLD.model()
PEOPLE = WORLD.population(MODEL)


def attacked(model: audited.Model, people: Population) -> membership.Attack:
    return membership.of_references(reference.of(model, people), people)


def test_a_model_of_many_people_does_not_tell_members_from_strangers() -> None:
    found = attacked(MODEL, PEOPLE)

    assert found.advantage.high < 0.2
    assert found.auc.low < 0.5 < found.auc.high
    assert (found.members, found.strangers) == (600, 600)
    assert np.isclose(sum(found.inside), 1.0)


def test_a_recipe_that_remembers_people_is_found() -> None:
    """120 people and 120 items: EASE with little regularisation knows each of them."""
    shop = demo_shop(people=120)
    model = train(shop.interactions, shop.items, {})

    found = attacked(model, Population.of(shop.interactions, model, {}, {}))

    assert found.advantage.low > 0.1
    assert found.auc.low > 0.55


def test_a_model_that_remembers_its_members_is_found_by_people_it_was_not_trained_on() -> None:
    shop = demo_shop(people=240)
    rows = [row for row, person in enumerate(shop.interactions.person) if int(person) < 120]
    model = train(shop.interactions.rows(rows), shop.items, {})
    everybody = Population.of(shop.interactions, model, {}, {})
    inside = np.array([number for number in everybody.able() if int(everybody.data.people[number]) < 120])
    outside = np.setdiff1d(everybody.able(), inside)

    found = membership.of(model, everybody, inside, everybody, outside)

    assert found.auc.low > 0.55


def test_too_few_people_are_no_reference() -> None:
    few = audited.world(40)

    assert reference.of(few.model(), few.population(few.model())) == ()


def test_strangers_leave_no_trace_in_the_reference() -> None:
    found = reference.of(MODEL, PEOPLE)[0]
    again = reference.retrained(MODEL, PEOPLE.only(np.setdiff1d(np.arange(600), found.strangers)))

    assert not set(found.members) & set(found.strangers)
    assert np.array_equal(found.model.parts[0].weights, again.parts[0].weights)
    assert not np.array_equal(found.model.parts[0].weights, MODEL.parts[0].weights)


def test_each_person_is_a_stranger_to_one_reference_and_asked_about_as_often_as_a_member() -> None:
    found = reference.of(MODEL, PEOPLE)

    assert len(found) == reference.FOLDS
    assert sorted(np.concatenate([each.strangers for each in found])) == list(range(600))
    assert all(len(each.members) == len(each.strangers) == 60 for each in found)


def test_one_reference_of_half_of_the_people_is_made_where_ten_cost_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "MOST_FOLDED_PEOPLE", 599)

    [found] = reference.of(MODEL, PEOPLE)

    assert (len(found.members), len(found.strangers)) == (300, 300)


def test_support_of_more_people_lets_a_model_of_few_give_less_away() -> None:
    shop = demo_shop(people=280)

    advantage, gain = zip(*(_given_away(shop, support) for support in (2, 5)), strict=True)

    assert advantage[0] > 0.25 > advantage[1]
    assert gain[0] > gain[1]


def _given_away(shop: Dataset, support: int) -> tuple[float, float]:
    model = train(shop.interactions, shop.items, {}, min_people=support)
    people = Population.of(shop.interactions, model, {}, {})
    references = reference.of(model, people)
    found = membership.of_references(references, people)
    return found.advantage.high, adversarial.probe(references, people).gain.high


def test_a_sound_model_has_no_weight_of_a_single_person() -> None:
    total, lone = singling_out.lone_weights(MODEL, PEOPLE)

    assert (total > 300, lone) == (True, 0)


def test_a_planted_weight_of_a_single_person_is_found() -> None:
    assert singling_out.lone_weights(audited.leaking(MODEL), PEOPLE)[1] == 1


def test_two_versions_that_differ_by_one_person_give_that_person_away() -> None:
    with_all, without = WORLD.model(), WORLD.model(599)

    [found] = singling_out.differenced(without, with_all)

    assert (found.segment, found.items) == (WORLD.segments[599], 5)
    assert singling_out.differenced(with_all, without) == (found,)


def test_versions_that_differ_by_more_people_do_not() -> None:
    assert singling_out.differenced(WORLD.model(540), WORLD.model()) == ()
    assert singling_out.differenced(MODEL, MODEL) == ()


def test_small_segments_and_people_alone_in_the_register_are_counted() -> None:
    small = replace(MODEL, segments={**MODEL.segments, "region=IS|age=adult": replace(MODEL.popularity, people=7)})
    register = {"region=DE|age=adult": 3, "region=IS|age=adult": 1}

    found = singling_out.audit(small, PEOPLE, least=20, before=None, register=register)

    assert (found.segments, found.smallest, found.below, found.unique) == (len(small.segments), 7, 1, 0.25)


def test_probing_learns_no_more_of_members_than_of_strangers_where_there_are_many() -> None:
    found = adversarial.probe(reference.of(MODEL, PEOPLE), PEOPLE)

    assert found.gain.low <= 0.0 <= found.gain.high


def test_probing_a_model_of_few_people_gives_them_away() -> None:
    shop = demo_shop(people=120)
    model = train(shop.interactions, shop.items, {})
    people = Population.of(shop.interactions, model, {}, {})

    found = adversarial.probe(reference.of(model, people), people)

    assert found.gain.low > 0.1
    assert found.members > found.strangers
