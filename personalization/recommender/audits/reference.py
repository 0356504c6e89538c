"""References: the recipe of a model, trained without some of its people, so that these are strangers to it.

Where people and items are few, ten references leave out a tenth of the people each: all are strangers once, and each
reference knows nearly as many people as the model, so its figures are those of the model. Where ten trainings would
cost too much, one reference is trained on half of the people. It remembers each of them better than the model does,
which is an upper bound, and a close one where there are many people.
"""

from dataclasses import dataclass

import numpy as np

from personalization.recommender import training
from personalization.recommender.audits.people import Numbers, Population
from personalization.recommender.histories import Histories
from personalization.recommender.model import Model

LEAST_PEOPLE = 60
FOLDS = 10
MOST_FOLDED_PEOPLE, MOST_FOLDED_ITEMS = 5_000, 1_000


@dataclass(frozen=True, eq=False)
class Reference:
    """The model, and the numbers of its members and of the strangers who are asked about."""

    model: Model
    members: Numbers
    strangers: Numbers


def of(model: Model, people: Population, *, seed: int = 0) -> tuple[Reference, ...]:
    """Train the references; none with too few people to say anything."""
    if len(people.able()) < LEAST_PEOPLE:
        return ()
    is_folded = len(people.data.people) <= MOST_FOLDED_PEOPLE and people.data.items <= MOST_FOLDED_ITEMS
    parts = people.parts(FOLDS, seed=seed) if is_folded else people.parts(2, seed=seed)[:1]
    random = np.random.default_rng(seed)
    return tuple(_without(part, model, people, random) for part in parts)


def _without(left_out: Numbers, model: Model, people: Population, random: np.random.Generator) -> Reference:
    """Train on all but some people; as many of those trained on are asked about."""
    known, able = np.setdiff1d(np.arange(len(people.data.people)), left_out), people.able()
    members, strangers = np.intersect1d(known, able), np.intersect1d(left_out, able)
    asked = random.choice(members, min(len(members), len(strangers)), replace=False)
    return Reference(retrained(model, people.only(known)), np.sort(asked), strangers)


def retrained(model: Model, data: Histories) -> Model:
    """Train the model's recipe with its parameters on other histories over the same items; without segments."""
    return training.of_histories(data, model.items, {}, model.parameters)
