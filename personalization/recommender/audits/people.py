"""People whom an audit asks a model about, with the groups they belong to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from common.levels import Level
from personalization.recommender.histories import Histories
from personalization.recommender.interactions import Interaction, Interactions, Person
from personalization.recommender.model import Model
from personalization.recommender.signals import Signals
from personalization.recommender.validation import metrics
from personalization.recommender.validation.split import TRAINED_ON

SAMPLE = 4_000
"""At most so many people are asked: the interval of a mean is then two hundredths of a standard deviation wide."""
_LEAST_ITEMS = 3

Numbers = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Population:
    """Histories over a model's items; ``attributes`` maps a name to the value of each person, in their order.

    An empty value is not known: the person is in no group of that attribute.
    """

    data: Histories
    attributes: Mapping[str, Sequence[str]]
    segments: Mapping[Person, str]

    @classmethod
    def of(
        cls,
        interactions: Interactions,
        model: Model,
        attributes: Mapping[str, Mapping[Person, str]],
        segments: Mapping[Person, str],
    ) -> "Population":
        data = Histories.of(interactions, model.items)
        values = {name: [given.get(person, "") for person in data.people] for name, given in attributes.items()}
        return cls(data, values, segments)

    @cached_property
    def starts(self) -> Numbers:
        return self.data.starts()

    @cached_property
    def lengths(self) -> Numbers:
        return np.diff(self.starts)

    def signals(self, number: int) -> Signals:
        return self.data.signals(number, self.starts)

    def able(self) -> Numbers:
        """Return the people with enough items to hold some out."""
        return np.flatnonzero(self.lengths >= _LEAST_ITEMS)

    def sample(self, most: int = SAMPLE, *, among: Numbers | None = None) -> Numbers:
        """Return at most so many of the people, evenly over all of them."""
        numbers = self.able() if among is None else among
        places = np.unique(np.linspace(0, len(numbers) - 1, min(most, len(numbers))).astype(np.intp))
        return numbers[places] if len(numbers) else numbers

    def parts(self, number: int, *, seed: int) -> list[Numbers]:
        """Divide the people by chance into parts of equal size."""
        order = np.random.default_rng(seed).permutation(len(self.data.people))
        return [np.sort(order[part::number]) for part in range(number)]

    def only(self, numbers: Numbers) -> Histories:
        """Return the histories as if the others had done nothing."""
        others = np.ones(len(self.data.people), dtype=np.bool_)
        others[numbers] = False
        return self.data.without(np.flatnonzero(others))


@dataclass(frozen=True, eq=False)
class Lists:
    """Lists of ten (positions, -1 where there is none) of the people asked, and how they did."""

    numbers: Numbers
    shown: NDArray[np.intp]
    ndcg: NDArray[np.float64]
    hit: NDArray[np.bool_]
    personal: NDArray[np.bool_]


def kept(length: int) -> int:
    """Return how many of a person's items are known; the latest fifth, at least one, is held out."""
    return min(max(int(TRAINED_ON * length), 1), length - 1)


def ask(model: Model, people: Population, numbers: Numbers, *, level: Level = Level.INDIVIDUAL) -> Lists:
    """Ask a model for the lists of people by their earlier items, and compare with what they liked later."""
    shown = np.full((len(numbers), metrics.RANKS), -1, dtype=np.intp)
    ndcg, hit, personal = np.zeros(len(numbers)), np.zeros(len(numbers), bool), np.zeros(len(numbers), bool)
    places = {item.id: place for place, item in enumerate(model.items)}
    for row, number in enumerate(numbers):
        signals = people.signals(number)
        known = kept(len(signals))
        served = model.recommend(
            level,
            history=interactions(model, signals, known),
            segment=people.segments.get(people.data.people[number]),
            count=metrics.RANKS,
            reasons=1,
        )
        positions = [places[one.item.id] for one in served.recommendations]
        later = set(signals.positions[known:][signals.liked[known:]].tolist())
        hits = [position in later for position in positions]
        shown[row, : len(positions)] = positions
        ndcg[row] = metrics.ndcg(hits, len(later)) if later else 0.0
        hit[row], personal[row] = any(hits), served.level_used.includes(Level.BEHAVIORAL)
    return Lists(numbers, shown, ndcg, hit, personal)


def interactions(model: Model, signals: Signals, known: int) -> list[Interaction]:
    """Return the first ``known`` of a person's items as a caller would send them."""
    return [
        Interaction(model.items[position].id, max(float(strength), 1e-6), float(place), bool(liked))
        for place, (position, strength, liked) in enumerate(
            zip(signals.positions[:known], signals.strengths[:known], signals.liked[:known], strict=True)
        )
    ]
