"""Choice of a recipe by validation: every person's latest part is held out of what is given for training.

Plain EASE (or, beyond the size it can be computed for, cosines) and item-kNN are the first candidates; what is added to
the better of them must rank the held-out items higher, so the choice is never below them on the validation data.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personalization.recommender import content, training, weights
from personalization.recommender.histories import Histories
from personalization.recommender.interactions import Interactions, Item, Person
from personalization.recommender.model import Model, Parameters
from personalization.recommender.parts import Part
from personalization.recommender.recipe import Band, Kind, Lists, Recipe, Spec
from personalization.recommender.signals import Signals
from personalization.recommender.validation.metrics import ndcg_of_scores
from personalization.recommender.validation.split import NEW_ITEMS, Split, sample, split

_REGULARISATIONS = (20.0, 50.0, 100.0, 200.0, 500.0)
_PACES: Mapping[bool, tuple[float | None, ...]] = {True: (None, 100.0, 30.0), False: (3.0, 8.0, 30.0)}
_SHARES = (0.2, 0.4, 0.7, 1.0, 1.6, 2.5)
_RANK = 48
"""Directions of EASE that may be kept whole, instead of the strongest weights of a row alone."""
_PRIORS = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 3.0)
_CONTENT = (20, 60, 120)
"""Known items that a new one may take its weights from."""
_FOLDS = 4
_LENGTHS = (1, 2, 3, 4, 5, 10, 20)
_TIMES = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0)
_ROUNDS = 2
_LEAST_ASKED = 30
_SIGNIFICANT = 0.0005
"""A gain in nDCG below this is taken for chance."""
_WORTH_A_THIRD = 0.003
"""What a third part must gain: it makes a recommendation a third slower."""
_STANDARD_ERRORS = 2.0
"""So many standard errors of its mean a further part's gain must be."""
_CELLS = 3_000_000
"""So many scores (people x items) are compared at a time: the people asked are a sample in a large catalogue."""

_Options = Callable[[Band, Sequence[float]], Iterator[Band]]


@dataclass(frozen=True)
class Chosen:
    """Recipe, and the mean nDCG@10 on the validation data of each thing that was compared."""

    recipe: Recipe
    ndcg: Mapping[str, float]
    people: int


def choose(
    interactions: Interactions,
    items: Iterable[Item],
    segments: Mapping[Person, str],
    *,
    min_segment: int = 20,
    min_people: int = 2,
    neighbours: int = training.NEIGHBOURS,
    dense_limit: int = weights.DENSE_LIMIT,
    lists: Sequence[Lists] = tuple(Lists),
) -> Chosen:
    """Choose parts, their weights and half-lives, the least history, and how the segments' lists are made.

    With too few people to ask it is what ``train`` takes by itself. ``lists`` are the ways to make segments' lists that
    may be chosen.
    """
    catalogue = training.catalogue_of(items)
    some = sample(interactions, len(catalogue))
    held = split(some)
    data = Histories.of(some.rows(held.training), catalogue)
    asked = _Asked.of(held, data, catalogue)
    if len(asked.people) < _LEAST_ASKED:
        return Chosen(training.plain(len(catalogue), dense_limit), {}, len(asked.people))
    builder = weights.Builder(data, min_people=min_people, neighbours=neighbours, dense_limit=dense_limit)
    search = _Search(asked, builder, dense_limit)
    choices = search.parts()
    shares = tuple(choice.share for choice in choices)
    recipe = Recipe(tuple(choice.part.spec for choice in choices), (Band(None, shares),))
    rules = Parameters(min_segment, min_people, neighbours, training.DAMPING, recipe)
    model = training.assembled(data, catalogue, {}, rules, [choice.part for choice in choices])
    best, priors, figures = _lists(model, data, segments, asked, lists)
    bands, least = search.bands(choices, priors)
    recipe = replace(recipe, bands=bands, min_likes=least, lists=best, content=search.content(choices, catalogue))
    return Chosen(recipe, {**search.figures, **figures}, len(asked.people))


def _lists(
    model: Model, data: Histories, segments: Mapping[Person, str], asked: "_Asked", ways: Sequence[Lists]
) -> tuple[Lists, NDArray[np.float32], dict[str, float]]:
    """Compare ways to make the lists of segments; return the best, and what it expects of everybody."""
    figures, priors = {}, {}
    for lists in ways:
        groups = training.relisted(model, data, segments, lists)
        given = [groups.segments.get(segments.get(person, ""), groups.popularity) for person in asked.people]
        figures[lists] = asked.ndcg(np.array([group.scores for group in given]))
        priors[lists] = np.array([group.prior for group in given], dtype=np.float32)
    best = max(ways, key=lambda one: figures[one])
    return best, priors[best], {f"segments by {lists}": figure for lists, figure in figures.items()}


@dataclass(frozen=True, eq=False)
class _Asked:
    """Some of the people with something held out: their signals, and (people x items) what is relevant and what not."""

    people: Sequence[Person]
    numbers: NDArray[np.intp]
    signals: Sequence[Signals]
    relevant: NDArray[np.bool_]
    seen: NDArray[np.bool_]

    @classmethod
    def of(cls, held: Split, data: Histories, catalogue: Sequence[Item]) -> "_Asked":
        columns = {item.id: column for column, item in enumerate(catalogue)}
        numbers = {person: number for number, person in enumerate(data.people)}
        able = [
            person
            for person in held.relevant
            if person in numbers and not columns.keys().isdisjoint(held.relevant[person])
        ]
        able.sort(key=lambda person: numbers[person])
        most = max(1, _CELLS // max(len(catalogue), 1))
        people = [able[place] for place in np.unique(np.linspace(0, len(able) - 1, min(most, len(able))).astype(int))]
        relevant = np.zeros((len(people), len(catalogue)), dtype=np.bool_)
        seen = np.zeros_like(relevant)
        starts = data.starts()
        signals = [data.signals(numbers[person], starts) for person in people]
        for row, person in enumerate(people):
            relevant[row, [columns[item] for item in held.relevant[person] if item in columns]] = True
            seen[row, signals[row].positions] = True
        return cls(people, np.array([numbers[person] for person in people], dtype=np.intp), signals, relevant, seen)

    def scores(self, part: Part) -> NDArray[np.float32]:
        return np.array([part.scores(signals) for signals in self.signals], dtype=np.float32)

    def gains(self, scores: NDArray[Any]) -> NDArray[np.float64]:
        """Return everybody's nDCG@10."""
        return ndcg_of_scores(np.where(self.seen, -np.inf, scores), self.relevant)

    def ndcg(self, scores: NDArray[Any]) -> float:
        return float(self.gains(scores).mean())


@dataclass(frozen=True, eq=False)
class _Candidate:
    """Weights between items, with everybody's scores by them at each pace that is tried."""

    paces: Mapping[float | None, tuple[Part, NDArray[np.float32]]]


@dataclass(frozen=True, eq=False)
class _Choice:
    """Candidate with the pace and the share that it is taken at."""

    candidate: _Candidate
    pace: float | None
    share: float

    @property
    def part(self) -> Part:
        return self.candidate.paces[self.pace][0]

    @property
    def scores(self) -> NDArray[np.float32]:
        return np.float32(self.share) * self.candidate.paces[self.pace][1]


class _Search:
    """Greedy search among candidate parts, each scored once for everybody asked."""

    def __init__(self, asked: _Asked, builder: weights.Builder, dense_limit: int) -> None:
        self._asked, self._builder, self._dense_limit = asked, builder, dense_limit
        self._data = builder.data
        self.figures: dict[str, float] = {}

    def parts(self) -> list[_Choice]:
        """Return what ranks best together: the best plain method, and what adds to it."""
        sequences = [self._paced(self._builder.build(Spec(kind)), False) for kind in (Kind.NEAR, Kind.FORWARD)]
        found = [self._greedy(self._paced(base, True), sequences) for base in self._bases()]
        choices, self.figures["chosen"] = max(found, key=lambda one: one[1])
        return choices

    def _bases(self) -> list[Part]:
        """Return the best plain method, and the same with more directions of its weights kept whole."""
        plain = self._best_plain()
        if plain.spec.kind is not Kind.EASE or self._data.items <= _RANK:
            return [plain]
        return [plain, self._builder.build(replace(plain.spec, rank=_RANK))]

    def _greedy(self, base: _Candidate, left: list[_Candidate]) -> tuple[list[_Choice], float]:
        """Add one candidate after the other, as long as that ranks better."""
        choices = [_Choice(base, None, 1.0)]
        reached = self._asked.ndcg(choices[0].scores)
        while left:
            options = [[*choices, choice] for candidate in left for choice in _options(candidate)]
            better, ndcg = self._best_of(options)
            if ndcg < reached + (_SIGNIFICANT if len(choices) < 2 else _WORTH_A_THIRD):
                break
            if not self._is_beyond_chance(choices, better):
                break
            choices, reached = better, ndcg
            left = [candidate for candidate in left if candidate is not better[-1].candidate]
            choices, reached = self._refined(choices, reached)
        return choices, reached

    def _is_beyond_chance(self, choices: list[_Choice], better: list[_Choice]) -> bool:
        """Return whether the people asked agree on the gain: a further part costs time in every answer."""
        gains = self._gains(better) - self._gains(choices)
        return bool(gains.mean() > _STANDARD_ERRORS * gains.std() / math.sqrt(len(gains)))

    def _gains(self, choices: list[_Choice]) -> NDArray[np.float64]:
        return self._asked.gains(np.sum([choice.scores for choice in choices], axis=0))

    def _refined(self, choices: list[_Choice], reached: float) -> tuple[list[_Choice], float]:
        """Try every other pace and share of one part after the other."""
        for place, one in enumerate(choices):
            options = [[*choices[:place], new, *choices[place + 1 :]] for new in _options(one.candidate)]
            better, ndcg = self._best_of(options)
            if ndcg >= reached + _SIGNIFICANT:
                choices, reached = better, ndcg
        return choices, reached

    def _best_of(self, options: list[list[_Choice]]) -> tuple[list[_Choice], float]:
        figures = [float(self._gains(option).mean()) for option in options]
        best = int(np.argmax(figures))
        return options[best], figures[best]

    def _best_plain(self) -> Part:
        figures = {}
        for spec in self._plain():
            part = self._builder.build(spec)
            name = f"{spec.kind} {spec.regularisation:g}" if spec.kind is Kind.EASE else str(spec.kind)
            self.figures[name] = self._asked.ndcg(self._asked.scores(part))
            figures[name] = part
        return figures[max(figures, key=lambda name: self.figures[name])]

    def _plain(self) -> list[Spec]:
        if self._data.items > self._dense_limit:
            return [Spec(Kind.TFIDF_COSINE)]
        return [Spec(Kind.COSINE), *(Spec(Kind.EASE, None, one) for one in _REGULARISATIONS)]

    def _paced(self, part: Part, likes_only: bool) -> _Candidate:
        parts = [training.scaled(part.at_pace(pace), self._data) for pace in _PACES[likes_only]]
        return _Candidate({part.spec.half_life: (part, self._asked.scores(part)) for part in parts})

    def bands(self, choices: Sequence[_Choice], priors: NDArray[np.float32]) -> tuple[tuple[Band, ...], int]:
        """Return the weights by length of history, and from how many likes on they beat the segment's list."""
        shares = tuple(choice.share for choice in choices)
        alone = self._asked.ndcg(priors)
        bands, least = [], None
        folds = self._folds(choices)
        for length in _LENGTHS:
            band, ndcg = self._band(length, shares, self._unknown(folds, length), priors)
            self.figures[f"last {length}"] = ndcg
            bands.append(band)
            if least is None and ndcg >= alone:
                least = length
        self.figures["prior"] = alone
        return (*bands, Band(None, shares)), least or _LENGTHS[-1]

    def content(self, choices: Sequence[_Choice], catalogue: Sequence[Item]) -> int:
        """Return from how many known items a new one takes its weights; 0 where its content says nothing."""
        hidden = np.arange(0, len(catalogue), NEW_ITEMS)
        rest = self._data.without_items(hidden)
        rows = np.flatnonzero(self._asked.relevant[:, hidden].any(axis=1))
        known = np.bincount(rest.position, minlength=len(catalogue)) > 0
        found = content.vectors(catalogue)
        if not len(rows) or not known.any() or not found.nnz:
            return 0
        scores = self._of_rest(choices, rest, rows)
        relevant, seen = self._asked.relevant[np.ix_(rows, hidden)], self._asked.seen[np.ix_(rows, hidden)]
        figures = {0: float(ndcg_of_scores(np.where(seen, -np.inf, np.zeros(seen.shape)), relevant).mean())}
        for number in _CONTENT:
            adopted = (content.likeness(found, known, number) @ scores.T).T[:, hidden]
            figures[number] = float(ndcg_of_scores(np.where(seen, -np.inf, adopted), relevant).mean())
            self.figures[f"new items by {number}"] = figures[number]
        return max(figures, key=lambda number: figures[number])

    def _of_rest(self, choices: Sequence[_Choice], rest: Histories, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the scores of people who know nothing of the hidden items, by weights that do not know them either."""
        starts = rest.starts()
        scores = np.zeros((len(rows), rest.items), dtype=np.float32)
        for choice, part in zip(choices, self._rebuilt(choices, rest), strict=True):
            for place, number in enumerate(self._asked.numbers[rows]):
                scores[place] += np.float32(choice.share) * part.scores(rest.signals(number, starts))
        return scores

    def _folds(self, choices: Sequence[_Choice]) -> list[tuple[NDArray[np.intp], list[Part]]]:
        """Return some of the people asked, and the parts as they are when these are not trained on.

        Weights that were trained on a person remember what they did next to what: a short history would seem to say
        more of them than it does of a newcomer.
        """
        places = np.arange(len(self._asked.people))
        number = _FOLDS if len(places) > len(self._data.people) / _FOLDS else 1
        folds = []
        for fold in range(number):
            some = places[fold::number]
            rest = self._data.without(self._asked.numbers[some])
            folds.append((some, self._rebuilt(choices, rest)))
        return folds

    def _rebuilt(self, choices: Sequence[_Choice], data: Histories) -> list[Part]:
        builder = self._builder.of(data)
        return [training.scaled(builder.build(choice.part.spec), data) for choice in choices]

    def _unknown(self, folds: Sequence[tuple[NDArray[np.intp], list[Part]]], length: int) -> list[NDArray[np.float32]]:
        """Return by part everybody's scores from their latest likes, by weights not trained on them."""
        found = [np.zeros(self._asked.relevant.shape, dtype=np.float32) for _ in folds[0][1]]
        for some, parts in folds:
            for scores, part in zip(found, parts, strict=True):
                for place in some:
                    scores[place] = part.scores(self._asked.signals[place].latest_likes(length))
        return found

    def _band(
        self,
        length: int,
        shares: Sequence[float],
        scores: Sequence[NDArray[np.float32]],
        priors: NDArray[np.float32],
    ) -> tuple[Band, float]:
        """Start from the shares of long histories, and change them as long as that ranks better.

        The prior and the first part are tried together, as they say much of the same; then every other part.
        """
        best, blended = Band(length, tuple(shares)), self._blends(scores, priors)
        reached = blended(best)
        steps: list[_Options] = [_with_prior, *(partial(_with_share, place) for place in range(1, len(shares)))]
        for _ in range(_ROUNDS):
            before = best
            for options in steps:
                tried = [(blended(band), band) for band in options(best, shares)]
                ndcg, band = max(tried, key=lambda one: one[0])
                if ndcg >= reached + _SIGNIFICANT:
                    best, reached = band, ndcg
            if best == before:
                break
        return best, reached

    def _blends(self, scores: Sequence[NDArray[np.float32]], priors: NDArray[np.float32]) -> Callable[[Band], float]:
        """Return what decides how well a band ranks: bands of the same proportions rank alike, and are asked once."""
        known: dict[tuple[float, ...], float] = {}

        def blended(band: Band) -> float:
            shares = np.array([*band.weights, band.prior], dtype=np.float32)
            shares /= shares.sum() or 1.0
            key = tuple(shares.round(6).tolist())
            if key not in known:
                blend = shares[-1] * priors
                for share, some in zip(shares, scores, strict=False):
                    blend += share * some
                known[key] = self._asked.ndcg(blend)
            return known[key]

        return blended


def _with_prior(band: Band, shares: Sequence[float]) -> Iterator[Band]:
    for prior in _PRIORS:
        for other in _with_share(0, band, shares):
            yield replace(other, prior=prior)


def _with_share(place: int, band: Band, shares: Sequence[float]) -> Iterator[Band]:
    for times in _TIMES:
        weights = (*band.weights[:place], shares[place] * times, *band.weights[place + 1 :])
        yield replace(band, weights=weights)


def _options(candidate: _Candidate) -> Iterator[_Choice]:
    for pace in candidate.paces:
        for share in _SHARES:
            yield _Choice(candidate, pace, share)
