"""A small world for audits: people with a taste for one topic, a sound model of them, and planted faults."""

from dataclasses import dataclass, replace

import numpy as np

from personalization.recommender.audits.people import Population
from personalization.recommender.interactions import Interactions, Item
from personalization.recommender.model import Model
from personalization.recommender.parts import Part
from personalization.recommender.recipe import Kind, Spec, of_one_part
from personalization.recommender.training import train

TOPICS = {"DE": 0, "FR": 1, "US": 2}
A_TOPIC = 12
_LIKELY = 1 / np.arange(1, A_TOPIC + 1)
RECIPE = of_one_part(Spec(Kind.COSINE), min_likes=1)


@dataclass(frozen=True, eq=False)
class World:
    items: tuple[Item, ...]
    interactions: Interactions
    attributes: dict[str, dict[int, str]]
    segments: dict[int, str]

    def model(self, people: int | None = None) -> Model:
        """A sound model of the first people."""
        rows = [row for row, person in enumerate(self.interactions.person) if people is None or person < people]
        return train(self.interactions.rows(rows), self.items, self.segments, recipe=RECIPE)

    def population(self, model: Model) -> Population:
        return Population.of(self.interactions, model, self.attributes, self.segments)


def world(people: int = 600, *, each: int = 7, seed: int = 3, first: int = 0) -> World:
    """Each region likes the items of one topic; who of its people likes which of them is chance."""
    random = np.random.default_rng(seed)
    items = tuple(
        Item(f"{region}-{number:02d}", f"{region} {number}", (region,))
        for region in TOPICS
        for number in range(A_TOPIC)
    )
    regions = {first + person: list(TOPICS)[person % len(TOPICS)] for person in range(people)}
    ages = {person: "adult" if random.random() < 0.6 else "senior" for person in regions}
    rows = [
        (person, items[TOPICS[region] * A_TOPIC + place].id, random.random() * 150 * 86_400)
        for person, region in regions.items()
        for place in random.choice(A_TOPIC, each, replace=False, p=_LIKELY / _LIKELY.sum())
    ]
    return World(
        items,
        Interactions(
            person=[row[0] for row in rows],
            item=[row[1] for row in rows],
            weight=np.ones(len(rows)),
            time=np.array([row[2] for row in rows]),
        ),
        {"region": dict(regions), "age_band": ages},
        {person: f"region={region}|age={ages[person]}" for person, region in regions.items()},
    )


def biased(model: Model, region: str = "US") -> Model:
    """The model without what it knows of one region's taste: its people get what others like."""
    own = np.array([item.id.startswith(region) for item in model.items])
    weights = np.where(own[model.parts[0].neighbours], np.float32(0), model.parts[0].weights)
    into = np.where(own, np.float32(0), model.parts[0].into)
    return with_part(model, replace(model.parts[0], weights=weights, into=into))


def leaking(model: Model) -> Model:
    """The model with a weight between two items that no two people touched both of."""
    part = model.parts[0]
    neighbours, weights = part.neighbours.copy(), part.weights.copy()
    place = [item.id for item in model.items].index("US-00")
    row = [item.id for item in model.items].index("DE-00")
    neighbours[row, -1], weights[row, -1] = place, 9.0
    return with_part(model, replace(part, neighbours=neighbours, weights=weights))


def with_part(model: Model, part: Part) -> Model:
    return replace(model, parts=(part, *model.parts[1:]))
