"""Reference model: the recipe of a model, trained on half of its people, so that the other half are strangers to it."""

from dataclasses import dataclass, replace

from personalization.recommender import training, weights
from personalization.recommender.audits.people import Numbers, Population
from personalization.recommender.histories import Histories
from personalization.recommender.model import Model, TrainedOn

LEAST_PEOPLE = 60


@dataclass(frozen=True, eq=False)
class Reference:
    """The model, and the numbers of its members and of the strangers."""

    model: Model
    members: Numbers
    strangers: Numbers


def of(model: Model, people: Population, *, seed: int = 0) -> Reference | None:
    """Train the reference; None with too few people to say anything."""
    if len(people.able()) < LEAST_PEOPLE:
        return None
    members, strangers = people.halves(seed=seed)
    trained = retrained(model, people.only(members))
    able = people.lengths >= people.lengths[people.able()].min()
    return Reference(trained, members[able[members]], strangers[able[strangers]])


def retrained(model: Model, data: Histories) -> Model:
    """Train the model's recipe with its parameters on other histories over the same items; without segments."""
    rules = model.parameters
    parts = tuple(
        training.scaled(
            weights.build(
                spec, data, min_people=rules.min_people, neighbours=rules.neighbours, dense_limit=weights.DENSE_LIMIT
            ),
            data,
        )
        for spec in rules.recipe.parts
    )
    touched = data.touched
    popular = training.popularity(touched, min_people=rules.min_people, damping=rules.damping, prior=None)
    size = TrainedOn(people=len(data.people), pairs=int(touched.nnz), items=data.items)
    return replace(model, popularity=popular, segments={}, parts=parts, trained_on=size)
