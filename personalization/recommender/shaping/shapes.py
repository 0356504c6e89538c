"""Shapes of personal lists: weights of objectives and shares of places, all 0 as shipped.

A shape changes which items make a list and in which order. It changes no score and no reason: what is said of an item
is still the exact sum of what speaks for it.
"""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

POOL = 50
"""So many of the best are looked at."""
_SMOOTHING = 0.01

_Positions = NDArray[np.intp]
_Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Known:
    """What is known of some items: which are of small creators, and which may be tried out."""

    small: Collection[str] = frozenset()
    may_be_tried: Collection[str] = frozenset()


def _nothing_known(_items: list[str]) -> Known:
    return Known()


@dataclass(frozen=True)
class Shape:
    """What a list is made for. The weights 0..1 of the objectives are what relevance loses; together at most 1.

    ``variety``: items of different kinds. ``novelty``: items that few people know. ``balance``: the kinds in the
    proportions of the person's own history. ``tried``: the share of places for items that are tried out, drawn with
    ``seed``. ``small``: the least share of places for items of small creators, as far as there are any among the best.
    ``known`` is asked about items once a list, and only where shares need it.
    """

    variety: float = 0.0
    novelty: float = 0.0
    balance: float = 0.0
    tried: float = 0.0
    small: float = 0.0
    seed: int = 0
    known: Callable[[list[str]], Known] = field(default=_nothing_known, compare=False)

    def __post_init__(self) -> None:
        weights, shares = (self.variety, self.novelty, self.balance), (self.tried, self.small)
        if not all(0 <= number <= 1 for number in (*weights, *shares)) or sum(weights) > 1:
            raise ValueError("Weights and shares of a shape are from 0 to 1, and the weights together at most 1.")

    @property
    def has_objectives(self) -> bool:
        return bool(self.variety or self.novelty or self.balance)

    @property
    def has_shares(self) -> bool:
        return bool(self.tried or self.small)


@dataclass(frozen=True, eq=False)
class Candidates:
    """Best items of a list before it is shaped: rows of equal length.

    ``kinds`` has unit rows, ``shares`` rows that sum to 1 (or to 0 without a kind); ``novelty`` is from 0 to 1.
    """

    scores: _Scores
    kinds: NDArray[np.float32]
    shares: NDArray[np.float64]
    novelty: _Scores


def order(shape: Shape, given: Candidates, own: _Scores, count: int) -> _Positions:
    """Choose one item after the other by relevance and the other objectives; ``own``: kinds of the person's history.

    Variety is maximal marginal relevance (Carbonell & Goldstein 1998), balance the calibration of Steck (2018): the
    divergence of the list's kinds from the person's, with a hundredth of the person's mixed in.
    """
    number = len(given.scores)
    relevance = 1 - shape.variety - shape.novelty - shape.balance
    alone = relevance * _scaled(given.scores) + shape.novelty * given.novelty
    alike = given.kinds @ given.kinds.T
    penalty, held, chosen = np.zeros(number), np.zeros_like(own), np.zeros(0, dtype=np.intp)
    for place in range(min(count, number)):
        worth = alone - shape.variety * penalty / max(place, 1)
        if shape.balance:
            worth = worth - shape.balance * _divergence(own, (held + given.shares) / (place + 1))
        worth[chosen] = -np.inf
        best = int(np.argmax(worth))
        chosen = np.append(chosen, best)
        penalty += alike[best]
        held = held + given.shares[best]
    return chosen


def _scaled(scores: _Scores) -> _Scores:
    spread = float(scores.max() - scores.min()) if len(scores) else 0.0
    return (scores - scores.min()) / spread if spread else np.ones_like(scores)


def _divergence(own: _Scores, listed: NDArray[np.float64]) -> _Scores:
    """Return the Kullback-Leibler divergence of each row from the person's own kinds; 0 without any of these."""
    held = own > 0
    if not held.any():
        return np.zeros(len(listed))
    mixed = (1 - _SMOOTHING) * listed[:, held] + _SMOOTHING * own[held]
    divergence: _Scores = (own[held] * np.log(own[held] / mixed)).sum(axis=1)
    return divergence


def arranged(
    shape: Shape, items: Sequence[str], scores: _Scores, people: _Scores, count: int
) -> tuple[list[int], set[int]]:
    """Return which of the items, best first, make a list of ``count``, and which of those are tried out.

    ``people``: how many touched each item. Small creators get their places first, then what is tried out takes the last
    place of each equal part of the list.
    """
    known = shape.known(list(items))
    listed = _with_small(shape, items, known, count)
    random = np.random.default_rng(shape.seed)
    slots = min(int(shape.tried * count + random.random()), count - 1) if shape.tried else 0
    drawn = _drawn(items, scores, people, known, {*listed}, random)[:slots]
    return _placed(listed, drawn, {number for number in listed if items[number] in known.small}, shape, count)


def _with_small(shape: Shape, items: Sequence[str], known: Known, count: int) -> list[int]:
    """Return the best, the last of them exchanged for the best of small creators where these are too few."""
    wanted = math.ceil(shape.small * min(count, len(items)))
    numbers = range(len(items))
    small = [number for number in numbers if items[number] in known.small][:wanted]
    others = [number for number in numbers if number not in set(small)]
    return sorted([*small, *others[: count - len(small)]])


def _drawn(
    items: Sequence[str], scores: _Scores, people: _Scores, known: Known, listed: set[int], random: np.random.Generator
) -> list[int]:
    """Return what may be tried out, by Thompson sampling: a draw around each score, wider for what few people know."""
    free = [number for number in range(len(items)) if number not in listed and items[number] in known.may_be_tried]
    if not free:
        return []
    spread = float(scores.std()) or 1.0
    draws = scores[free] + spread * random.standard_normal(len(free)) / np.sqrt(1 + people[free])
    return [free[place] for place in np.argsort(-draws, kind="stable").tolist()]


def _placed(
    listed: list[int], drawn: list[int], small: set[int], shape: Shape, count: int
) -> tuple[list[int], set[int]]:
    """Put what is tried out at the end of equal parts, in the place of what matters least."""
    least, kept, gone = math.ceil(shape.small * min(count, len(listed))), len(small), set[int]()
    for number in reversed(listed):
        if len(gone) < len(drawn) and (number not in small or kept > least):
            gone.add(number)
            kept -= number in small
    drawn = drawn[: len(gone)]
    listed = [number for number in listed if number not in gone]
    part = (len(listed) + len(drawn)) / max(len(drawn), 1)
    for place, number in enumerate(drawn, start=1):
        listed.insert(round(place * part) - 1, number)
    return listed, set(drawn)
