"""Adversarial inputs: fake profiles that promote an item, probing for what others did, and hostile numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from common.levels import Level
from personalization.recommender.audits import intervals
from personalization.recommender.audits.intervals import Estimate
from personalization.recommender.audits.people import Numbers, Population, interactions
from personalization.recommender.audits.reference import Reference, retrained
from personalization.recommender.histories import Histories
from personalization.recommender.interactions import Interaction
from personalization.recommender.model import Model
from personalization.recommender.parts import Weighing
from personalization.recommender.signals import Signals
from personalization.recommender.validation import metrics

FAKE_SHARE = 0.01
POISONED_ON = 4_000
_TARGETS = 3
_FILLERS = 20
_VICTIMS = 400
_KNOWN = 3
_HUGE = (1e-300, 1.0, 1e300)
_LARGEST_WEIGHT = 1e6
_ASKED_HOSTILELY = 50


@dataclass(frozen=True, slots=True)
class Promoted:
    """What fake profiles brought about for one little known item: its exposure before and after.

    ``before`` and ``after`` are the shares of real people with the item among their ten; ``rank_before`` and
    ``rank_after`` the median rank, from 1.
    """

    profiles: int
    before: float
    after: float
    rank_before: int
    rank_after: int


@dataclass(frozen=True, slots=True)
class Probing:
    """Share of a victim's unknown items among the ten that an impostor with some of their items gets.

    ``gain`` is that share for people the model was trained on less the share for strangers, with its interval: what
    the model gives away about a person, beyond what is likely of anyone with such taste.
    """

    victims: int
    members: float
    strangers: float
    gain: Estimate


@dataclass(frozen=True, slots=True)
class Hostile:
    """Answers to hostile input: how many were asked, and how many were no sound answer."""

    asked: int
    unsound: int
    largest_weight: float


def poison(model: Model, people: Population, *, share: float = FAKE_SHARE, seed: int = 0) -> tuple[Promoted, ...]:
    """Train the recipe with and without fake profiles that hold a target item and popular ones (bandwagon attack)."""
    some = people.sample(POISONED_ON)
    real = people.only(some)
    profiles = max(1, math.ceil(share * len(some)))
    clean = retrained(model, real)
    judges = people.sample(500, among=some)
    random = np.random.default_rng(seed)
    return tuple(
        _promoted(model, clean, people, real, judges, target, profiles, random) for target in _targets(real, random)
    )


def _targets(data: Histories, random: np.random.Generator) -> list[int]:
    """Draw items of the less popular half that people do know."""
    counts = np.bincount(data.position, minlength=data.items)
    known = np.flatnonzero(counts >= 2)
    little = known[counts[known] <= np.median(counts[known])] if len(known) else known
    return [int(one) for one in random.permutation(little)[:_TARGETS]]


def _promoted(
    model: Model,
    clean: Model,
    people: Population,
    real: Histories,
    judges: Numbers,
    target: int,
    profiles: int,
    random: np.random.Generator,
) -> Promoted:
    poisoned = retrained(model, _with_fakes(real, target, profiles, random))
    before, after = (_ranks(one, people, judges, target) for one in (clean, poisoned))
    return Promoted(
        profiles=profiles,
        before=float((before <= metrics.RANKS).mean()),
        after=float((after <= metrics.RANKS).mean()),
        rank_before=int(np.median(before)),
        rank_after=int(np.median(after)),
    )


def _with_fakes(data: Histories, target: int, profiles: int, random: np.random.Generator) -> Histories:
    popular = np.argsort(-np.bincount(data.position, minlength=data.items), kind="stable")
    popular = popular[popular != target][: 2 * _FILLERS]
    fillers = min(_FILLERS, len(popular))
    rows = [np.append(random.choice(popular, fillers, replace=False), target) for _ in range(profiles)]
    numbers = np.repeat(np.arange(profiles) + len(data.people), fillers + 1)
    names = tuple(range(-profiles, 0))
    return Histories(
        [*data.people, *names],
        data.items,
        np.concatenate([data.number, numbers]),
        np.concatenate([data.position, *rows]),
        np.concatenate([data.strength, np.ones(len(numbers))]),
        np.concatenate([data.liked, np.ones(len(numbers), dtype=np.bool_)]),
    )


def _ranks(model: Model, people: Population, judges: Numbers, target: int) -> NDArray[np.intp]:
    """Return the rank of the target for each judge; those who know it are left out."""
    ranks = []
    for number in judges:
        signals = people.signals(number)
        if target in signals.positions:
            continue
        scores = _scores(model, signals)
        scores[signals.positions] = -np.inf
        ranks.append(1 + int((scores > scores[target]).sum()) + int((scores == scores[target]).sum() - 1) // 2)
    return np.array(ranks or [len(model.items)], dtype=np.intp)


def _scores(model: Model, signals: Signals) -> NDArray[np.float64]:
    band = model.parameters.recipe.band(len(signals))
    scores = Weighing(model.parts, band.weights, signals).scores
    return scores + band.prior * model.popularity.prior if band.prior else scores


def probe(references: Sequence[Reference], people: Population) -> Probing:
    """Ask as an impostor who knows the rarest items of a victim, for members and for strangers of the references."""
    counts = np.bincount(people.data.position, minlength=people.data.items)
    most = _VICTIMS // len(references)

    def learnt(each: Reference, some: Numbers) -> list[float]:
        victims = people.sample(most, among=some[people.lengths[some] > _KNOWN])
        return [_learnt(each.model, people.signals(number), counts) for number in victims]

    members = np.array([share for each in references for share in learnt(each, each.members)])
    strangers = np.array([share for each in references for share in learnt(each, each.strangers)])
    gain = intervals.difference(members, strangers)
    return Probing(len(members) + len(strangers), float(members.mean()), float(strangers.mean()), gain)


def _learnt(model: Model, victim: Signals, counts: NDArray[np.intp]) -> float:
    known = np.sort(np.argsort(counts[victim.positions], kind="stable")[:_KNOWN])
    shown = Signals(victim.positions[known], victim.strengths[known], victim.liked[known], victim.in_session[known])
    scores = _scores(model, shown)
    scores[shown.positions] = -np.inf
    listed = np.argsort(-scores, kind="stable")[: metrics.RANKS]
    rest = np.setdiff1d(victim.positions, shown.positions)
    return float(np.isin(rest, listed).sum() / min(len(rest), metrics.RANKS))


def hostile(model: Model, people: Population) -> Hostile:
    """Ask with weights as small and as large as numbers go, with repeats and with unknown items."""
    asked_of = people.sample(_ASKED_HOSTILELY)
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is what this looks for
        answers = [_is_sound(model, people.signals(number), weight) for number in asked_of for weight in _HUGE]
    largest = max((float(np.abs(part.weights).max(initial=0.0)) * part.scale for part in model.parts), default=0.0)
    unsound = sum(not sound for sound in answers) + (not math.isfinite(largest) or largest > _LARGEST_WEIGHT)
    return Hostile(len(answers) + 1, unsound, largest)


def _is_sound(model: Model, signals: Signals, weight: float) -> bool:
    """Return whether scores are finite, reasons are of the asker's own items, and nothing unknown is shown."""
    given = interactions(model, signals, len(signals))
    extreme = [Interaction(one.item, weight, one.time, one.liked) for one in given]
    history = [*extreme, *given, Interaction("no such item", weight, 0.0)]
    served = model.recommend(Level.INDIVIDUAL, history=history, count=metrics.RANKS)
    own = {one.item for one in history}
    return all(
        math.isfinite(one.score)
        and one.item.id not in own
        and all(reason.item in own and math.isfinite(reason.contribution) for reason in (*one.because, *one.despite))
        for one in served.recommendations
    )
