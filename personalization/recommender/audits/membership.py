"""Membership inference: can a model's scores say whether a person was trained on?

The attacker knows what a person did and may ask the model. Of each person some items are left out, and the statistic is
how far above the others the model scores them: a model that remembers people scores what they did high. Members are
compared with strangers (Yeom et al. 2018; Carlini et al. 2022):

- ``attack`` on the model itself, where there are people who were not trained on (newcomers, or a control group);
- the same attack on *references* (``reference``): the model's own recipe trained without some of the people, who are
  the control group. It needs no data of people who did not agree, and finds a recipe that leaks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personalization.recommender.audits import intervals
from personalization.recommender.audits.intervals import Estimate
from personalization.recommender.audits.people import Numbers, Population
from personalization.recommender.audits.reference import Reference
from personalization.recommender.model import Model
from personalization.recommender.parts import Weighing
from personalization.recommender.signals import Signals

SAMPLE = 2_000
LEAST = 50
"""With fewer people on a side an interval is so wide that it says nothing."""
BUCKETS = 20
_LEFT_OUT = 5


@dataclass(frozen=True, slots=True)
class Attack:
    """How well members are told from strangers.

    ``advantage`` is the true less the false positive rate at a threshold that other people set: 0 is guessing, 1 is
    certainty. ``caught`` is the true positive rate where one stranger in a hundred is taken for a member: it shows the
    few whom a model remembers well. ``inside`` and ``outside`` are the distributions of the statistic, for a plot.
    """

    members: int
    strangers: int
    auc: Estimate
    advantage: Estimate
    caught: float
    edges: tuple[float, ...]
    inside: tuple[float, ...]
    outside: tuple[float, ...]


def statistics(model: Model, people: Population, numbers: Numbers, *, seed: int = 0) -> NDArray[np.float64]:
    """Return for each person the mean standardised score of items of theirs that the model was not shown."""
    random = np.random.default_rng(seed)
    return np.array([_of_person(model, people.signals(number), random) for number in numbers])


def _of_person(model: Model, signals: Signals, random: np.random.Generator) -> float:
    left_out = random.permutation(len(signals))[: max(1, min(_LEFT_OUT, len(signals) // 3))]
    rest = np.setdiff1d(np.arange(len(signals)), left_out)
    shown = Signals(signals.positions[rest], signals.strengths[rest], signals.liked[rest], signals.in_session[rest])
    band = model.parameters.recipe.band(len(shown))
    scores = Weighing(model.parts, band.weights, shown).scores
    others = np.delete(scores, signals.positions)
    spread = float(others.std()) if len(others) else 0.0
    above = scores[signals.positions[left_out]] - (others.mean() if len(others) else 0.0)
    return float(np.mean(above) / spread) if spread else 0.0


def of(model: Model, people: Population, members: Numbers, outside: Population, strangers: Numbers) -> Attack:
    """Attack a model with samples of its members and of people it was not trained on."""
    inside = statistics(model, people, people.sample(SAMPLE, among=members))
    return attack(inside, statistics(model, outside, outside.sample(SAMPLE, among=strangers)))


def of_references(references: Sequence[Reference], people: Population) -> Attack:
    """Attack the references; what they say of their members and of their strangers counts together."""
    most = SAMPLE // len(references)

    def asked(each: Reference, some: Numbers, seed: int) -> NDArray[np.float64]:
        return statistics(each.model, people, people.sample(most, among=some), seed=seed)

    inside = [asked(each, each.members, seed) for seed, each in enumerate(references)]
    outside = [asked(each, each.strangers, seed) for seed, each in enumerate(references)]
    return attack(np.concatenate(inside), np.concatenate(outside))


def attack(inside: NDArray[np.float64], outside: NDArray[np.float64], *, seed: int = 0) -> Attack:
    """Tell members from strangers by a statistic that members have more of."""
    hits, alarms = _by_threshold(inside, outside, seed)
    edges = np.quantile(np.concatenate([inside, outside]), [0.005, 0.995])
    bins = np.linspace(edges[0], edges[1] if edges[1] > edges[0] else edges[0] + 1, BUCKETS + 1)
    shares = [np.histogram(np.clip(some, bins[0], bins[-1]), bins)[0] / max(len(some), 1) for some in (inside, outside)]
    return Attack(
        members=len(inside),
        strangers=len(outside),
        auc=intervals.auc(inside, outside),
        advantage=intervals.difference_of_shares(hits, alarms),
        caught=float((inside > np.quantile(outside, 0.99)).mean()),
        edges=tuple(float(edge) for edge in bins),
        inside=tuple(float(share) for share in shares[0]),
        outside=tuple(float(share) for share in shares[1]),
    )


def _by_threshold(
    inside: NDArray[np.float64], outside: NDArray[np.float64], seed: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return who is taken for a member, by the threshold that tells the other half of the people apart best.

    A threshold that is chosen and measured on the same people flatters the attack, most of all where they are few.
    """
    random = np.random.default_rng(seed)
    own, other = random.random(len(inside)) < 0.5, random.random(len(outside)) < 0.5
    hits, alarms = np.zeros(len(inside), bool), np.zeros(len(outside), bool)
    for half in (True, False):
        threshold = _best_threshold(inside[own != half], outside[other != half])
        hits[own == half] = inside[own == half] > threshold
        alarms[other == half] = outside[other == half] > threshold
    return hits, alarms


def _best_threshold(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
    tried = np.quantile(np.concatenate([inside, outside]), np.linspace(0.01, 0.99, 99))
    gains = [(inside > one).mean() - (outside > one).mean() for one in tried]
    return float(tried[int(np.argmax(gains))])
