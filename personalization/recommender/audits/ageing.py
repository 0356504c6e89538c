"""Quality by the model's age: trained once on what lay before a day, tested month by month on what came after it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personalization.recommender import training
from personalization.recommender.audits import intervals
from personalization.recommender.audits.intervals import Estimate
from personalization.recommender.interactions import Interaction, Interactions, Item, Person
from personalization.recommender.model import Model
from personalization.recommender.validation import metrics

MONTH_S = 30 * 86_400.0
MOST_MONTHS = 12
PEOPLE = 20_000
"""At most so many people are trained on and asked: a sample, evenly over all of them."""
PEOPLE_A_MONTH = 1_000
_LEAST_SHARE = 0.5  # of the touches lies before the day


@dataclass(frozen=True, slots=True)
class Month:
    """nDCG@10 of the people who came back in the month ``age`` after the training, from 1."""

    age: int
    people: int
    quality: Estimate


def audit(
    interactions: Interactions, items: Sequence[Item], model: Model, *, least: int, seed: int = 0
) -> tuple[Month, ...]:
    """Return the curve; empty where the data does not reach two months past a day with half of it before.

    A month with fewer than ``least`` people is left out.
    """
    interactions = _sampled(interactions)
    cut = _cut(interactions.time)
    if cut is None:
        return ()
    known = interactions.rows(np.flatnonzero(interactions.time < cut).tolist())
    trained = training.train(
        known,
        items,
        {},
        recipe=model.parameters.recipe,
        min_people=model.parameters.min_people,
        neighbours=model.parameters.neighbours,
        damping=model.parameters.damping,
    )
    people = _People(interactions)
    months = int(min(MOST_MONTHS, (interactions.time.max() - cut) // MONTH_S))
    found = [_month(trained, people, cut, age, seed) for age in range(1, months + 1)]
    return tuple(month for month in found if month.people >= least)


def _sampled(interactions: Interactions) -> Interactions:
    everybody = list(dict.fromkeys(interactions.person))
    if len(everybody) <= PEOPLE:
        return interactions
    some = {everybody[place] for place in np.linspace(0, len(everybody) - 1, PEOPLE).astype(int)}
    return interactions.rows([row for row, person in enumerate(interactions.person) if person in some])


def _cut(time: NDArray[np.float64]) -> float | None:
    """Return the day that leaves the most whole months after it, with half of the touches before it."""
    if not len(time):
        return None
    middle, newest = float(np.quantile(time, _LEAST_SHARE)), float(time.max())
    months = min(MOST_MONTHS, int((newest - middle) // MONTH_S))
    return newest - months * MONTH_S if months >= 2 else None


class _People:
    """Rows of each person, oldest first."""

    def __init__(self, interactions: Interactions) -> None:
        self.data = interactions
        self.rows: dict[Person, list[int]] = {}
        for row in np.argsort(interactions.time, kind="stable").tolist():
            self.rows.setdefault(interactions.person[row], []).append(row)

    def asked(self, start: float, end: float) -> list[tuple[list[Interaction], set[str]]]:
        """Return of people with something before and something new within: their history, and what is new."""
        time, item = self.data.time, self.data.item
        found = []
        for rows in self.rows.values():
            if time[rows[-1]] < start or time[rows[0]] >= start:
                continue
            before = [row for row in rows if time[row] < start]
            known = {item[row] for row in before}
            new = {item[row] for row in rows if start <= time[row] < end and self._is_liked(row)} - known
            if new:
                found.append(([self._touch(row) for row in before], new))
        places = np.unique(np.linspace(0, len(found) - 1, min(len(found), PEOPLE_A_MONTH)).astype(int))
        return [found[place] for place in places] if found else []

    def _is_liked(self, row: int) -> bool:
        return self.data.liked is None or bool(self.data.liked[row])

    def _touch(self, row: int) -> Interaction:
        data = self.data
        return Interaction(data.item[row], float(data.weight[row]), float(data.time[row]), self._is_liked(row))


def _month(model: Model, people: _People, cut: float, age: int, seed: int) -> Month:
    start = cut + (age - 1) * MONTH_S
    ndcg = []
    for history, new in people.asked(start, start + MONTH_S):
        served = model.recommend("individual", history=history, count=metrics.RANKS, reasons=1)
        ndcg.append(metrics.ndcg([one.item.id in new for one in served.recommendations], len(new)))
    values = np.array(ndcg)
    return Month(age, len(ndcg), intervals.mean(values, intervals.draws(len(ndcg), seed=seed))[0])
