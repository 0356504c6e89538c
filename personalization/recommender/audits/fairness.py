"""Fairness: how well groups of people are served by a model, and which slice of them worst.

A slice is a group of one attribute, or an intersection of two. Slices with fewer than ``least`` people asked are
neither judged nor named. Each slice is compared with everybody else who was asked:

- ``quality``: nDCG@10 of what they liked later; ``reached``: share with at least one hit among ten. The ratio of
  ``reached`` to that of the others is the disparate impact ratio of the four-fifths rule. Slices by length of history
  are not judged by it: who did less later has less to be hit.
- ``own_taste``: of the places of their lists, weighted by rank, the share that goes to items the slice likes more than
  others do, over the share that these items have among its likes. 1: shown as much as liked.

The intervals of ratios hold for all slices together, so that the worst of many is not taken for a finding by chance.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from common.levels import Level
from personalization.recommender.audits import intervals
from personalization.recommender.audits.intervals import Estimate
from personalization.recommender.audits.people import Lists, Numbers, Population, ask
from personalization.recommender.model import Model
from personalization.recommender.validation import metrics

HISTORY, SHORT, MIDDLE, LONG = "history", "short", "middle", "long"
_LIKED_MORE = 1.25
_DISCOUNTS = 1 / np.log2(np.arange(2, metrics.RANKS + 2))


@dataclass(frozen=True, slots=True)
class Slice:
    """Figures of one slice."""

    group: Mapping[str, str]
    people: int
    quality: Estimate
    reached: Estimate
    personal: float
    own_taste: float | None
    quality_ratio: Estimate
    impact_ratio: Estimate

    @property
    def at_most(self) -> float:
        """Return the upper end of the worse of the ratios that the slice is judged by."""
        if HISTORY in self.group:
            return self.quality_ratio.high
        return min(self.quality_ratio.high, self.impact_ratio.high)


@dataclass(frozen=True, slots=True)
class Fairness:
    """Figures of everybody asked, of the slices, and how many slices were too small to be judged."""

    people: int
    quality: Estimate
    reached: Estimate
    slices: Sequence[Slice]
    too_small: int

    @property
    def worst(self) -> Slice | None:
        """Return the slice whose disadvantage is the best proven: the lowest upper end of its ratios."""
        return min(self.slices, key=lambda one: one.at_most, default=None)

    @property
    def impact(self) -> Estimate | None:
        """Return the lowest disparate impact ratio among groups of one attribute."""
        single = [one.impact_ratio for one in self.slices if len(one.group) == 1 and HISTORY not in one.group]
        return min(single, key=lambda ratio: ratio.value, default=None)


def audit(model: Model, people: Population, *, least: int, level: Level = Level.INDIVIDUAL, seed: int = 0) -> Fairness:
    """Ask the model about a sample of the people and compare the slices; none of fewer than ``least`` is returned."""
    numbers = people.sample()
    lists = ask(model, people, numbers, level=level)
    drawn = intervals.draws(len(numbers), seed=seed)
    found = list(_slices(people, numbers))
    judged = [(group, rows) for group, rows in found if least <= rows.sum() <= len(numbers) - least]
    likes = _Likes(people)
    slices = [_figures(group, rows, lists, drawn, len(judged), likes) for group, rows in judged]
    quality, reached = (intervals.mean(values, drawn)[0] for values in (lists.ndcg, lists.hit.astype(np.float64)))
    too_small = sum(bool(rows.sum() < least) for _group, rows in found)
    return Fairness(len(numbers), quality, reached, slices, too_small)


def _slices(people: Population, numbers: Numbers) -> Iterator[tuple[dict[str, str], NDArray[np.bool_]]]:
    """Yield every group and every intersection of two, with who of the people asked is in it."""
    values = {name: np.array(given, dtype=object)[numbers] for name, given in people.attributes.items()}
    values[HISTORY] = _history(people.lengths[numbers])
    names = [name for name in values if len({*values[name]} - {""}) > 1]
    for name in names:
        for value in sorted({*values[name]} - {""}):
            yield {name: value}, values[name] == value
    for first, second in combinations(names, 2):
        pairs = sorted({pair for pair in zip(values[first], values[second], strict=True) if all(pair)})
        for one, other in pairs:
            yield {first: one, second: other}, (values[first] == one) & (values[second] == other)


def _history(lengths: Numbers) -> NDArray[np.object_]:
    """Return for each person whether theirs is among the shortest, the middle or the longest third of histories."""
    low, high = np.percentile(lengths, [100 / 3, 200 / 3]) if len(lengths) else (0, 0)
    return np.where(lengths <= low, SHORT, np.where(lengths <= high, MIDDLE, LONG)).astype(object)


class _Likes:
    """What slices like more than all people do."""

    def __init__(self, people: Population) -> None:
        self._people = people
        self._likes = people.data.likes > 0
        self._all = np.asarray(self._likes.sum(axis=0), dtype=np.float64).ravel()

    def own_taste(self, numbers: Numbers, shown: NDArray[np.intp]) -> float | None:
        likes = np.asarray(self._likes[numbers].sum(axis=0), dtype=np.float64).ravel()
        if not likes.sum():
            return None
        share = likes / likes.sum()
        own = share > _LIKED_MORE * self._all / self._all.sum()
        liked = float(share[own].sum())
        weights = np.where(shown >= 0, _DISCOUNTS[: shown.shape[1]], 0.0)
        given = float((weights * own[np.maximum(shown, 0)]).sum() / max(weights.sum(), 1e-12))
        return given / liked if liked else None


def _figures(
    group: Mapping[str, str],
    rows: NDArray[np.bool_],
    lists: Lists,
    drawn: NDArray[np.float32],
    tried: int,
    likes: _Likes,
) -> Slice:
    means, ratios = [], []
    for values in (lists.ndcg, lists.hit.astype(np.float64)):
        own, own_draws = intervals.mean(values[rows], drawn[:, rows])
        others, other_draws = intervals.mean(values[~rows], drawn[:, ~rows])
        means.append(own)
        # Two ratios a slice: quality and impact.
        ratios.append(intervals.ratio(own, others, own_draws, other_draws, tried=2 * tried))
    return Slice(
        group=group,
        people=int(rows.sum()),
        quality=means[0],
        reached=means[1],
        personal=float(lists.personal[rows].mean()),
        own_taste=likes.own_taste(lists.numbers[rows], lists.shown[rows]),
        quality_ratio=ratios[0],
        impact_ratio=ratios[1],
    )
