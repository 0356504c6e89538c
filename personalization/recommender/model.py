"""Trained model and how it recommends: every answer says what it was computed from."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from common.levels import Level
from personalization.recommender import diversity as diverse
from personalization.recommender.answers import NOISE, Basis, Fallback, Personal, Recommendation, Served
from personalization.recommender.interactions import Interaction, Item, Touches, digest_of
from personalization.recommender.levels import Permitted, permit
from personalization.recommender.parts import Part, Weighing
from personalization.recommender.recipe import Recipe
from personalization.recommender.shaping import shapes
from personalization.recommender.shaping.shapes import Shape
from personalization.recommender.signals import Signals, Touched

MAX_COUNT = 100
_SPARE = 20
_ALLOWED = 64
Offered = Callable[[list[str]], Collection[str]]
"""Returns which of some items may be shown."""

_Positions = NDArray[np.intp]
_Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters of the training; see ``training.train``."""

    min_segment: int
    min_people: int
    neighbours: int
    damping: float
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class TrainedOn:
    """Size of the training data: distinct people, (person, item) pairs, items in the catalogue."""

    people: int
    pairs: int
    items: int


@dataclass(frozen=True, eq=False)
class Popularity:
    """The damped share, 0..1, of a group of ``people`` that liked each item, in the model's item order."""

    people: int
    scores: NDArray[np.float64]

    @cached_property
    def ranking(self) -> _Positions:
        """Return positions of the items with a score, best first; ties keep the items' order."""
        order = np.argsort(-self.scores, kind="stable")
        return order[self.scores[order] > 0]

    @cached_property
    def prior(self) -> NDArray[np.float64]:
        """Return the logarithm of the scores from 0 on, in units of its standard deviation."""
        logs = np.log(self.scores + 1 / max(self.people, 1))
        spread = float(logs.std())
        return (logs - logs.min()) / spread if spread else np.zeros_like(logs)


@dataclass(frozen=True, eq=False)
class Model:
    """Trained scores and weights, without any person in them.

    ``parts`` follow the specifications of ``parameters.recipe``. ``segments`` holds groups of at least
    ``parameters.min_segment`` people only.
    """

    items: tuple[Item, ...]
    popularity: Popularity
    segments: Mapping[str, Popularity]
    parts: tuple[Part, ...]
    trained_on: TrainedOn
    parameters: Parameters

    def __post_init__(self) -> None:
        size = len(self.items)
        if len(self._positions) != size:
            raise ValueError("Two items of a model have the same id.")
        groups = [self.popularity, *self.segments.values()]
        sizes = {len(group.scores) for group in groups} | {len(part.out) for part in self.parts}
        if sizes != {size}:
            raise ValueError("Scores and weights of a model must cover exactly its items.")
        if not all(np.isfinite(group.scores).all() and (group.scores >= 0).all() for group in groups):
            raise ValueError("Every score of a model must be a finite number from 0 on.")
        if tuple(part.spec for part in self.parts) != self.parameters.recipe.parts:
            raise ValueError("The parts of a model must be those of its recipe.")

    def recommend(
        self,
        level: Level | str,
        *,
        history: Iterable[Interaction] | Touches = (),
        session: Iterable[Interaction] = (),
        segment: str | None = None,
        group: str | None = None,
        count: int = 10,
        exclude_seen: bool = True,
        exclude: Collection[str] = frozenset(),
        among: Collection[str] | None = None,
        exclude_categories: Collection[str] = frozenset(),
        reasons: int = 3,
        shape: Shape | None = None,
        offered: Offered | None = None,
    ) -> Served:
        """Recommend up to ``count`` (1..100) items, using no more of the person than ``level`` allows.

        ``group`` is another segment, whose list is served instead of that of ``segment`` where it is stored; the prior
        of short histories stays that of ``segment``. ``exclude_seen`` leaves out items of the person's that the level
        may look at, so at ``none`` and ``segment`` it changes nothing. Items in ``exclude`` are not recommended; with
        ``among``, only items in it are. Items of ``exclude_categories`` are neither recommended nor used as a reason.
        Items this model does not know are ignored. ``reasons`` bounds
        ``because`` and ``despite``, >= 1. ``shape``: what a personal list is made for besides relevance. ``offered`` is
        asked with the ids of the best items, and of a few more where not all of them are on offer: only those it
        returns make the list, and only they are explained.

        Raises ValueError for an unknown level or a ``count`` or ``reasons`` out of range.
        """
        if not 1 <= count <= MAX_COUNT:
            raise ValueError("count must be from 1 to 100.")
        if reasons < 1:
            raise ValueError("reasons must be at least 1.")
        permitted = permit(level, history=history, session=session, segment=segment, group=group)
        allowed = self._outside(exclude_categories)
        touched = self._touched(permitted)
        signals = Signals.of(touched, allowed)
        candidates = allowed if among is None else allowed & self._among(among)
        candidates = candidates & ~self._among(exclude) if exclude else candidates
        candidates = _without(candidates, touched) if exclude_seen else candidates
        wish = _Wish(count, reasons, shape or Shape(), offered)
        if not permitted.level.includes(Level.BEHAVIORAL):
            return self._general(permitted, candidates, wish)
        if len(signals) < self.parameters.recipe.min_likes:
            general = self._general(permitted, candidates, wish)
            return replace(general, fallback=Fallback.TOO_LITTLE_HISTORY)
        personal = self._related(signals, self._group(permitted), candidates, wish)
        if len(personal) == count:
            return Served(permitted.level, None, personal)
        general = self._general(permitted, candidates, wish)
        if not personal:
            return replace(general, fallback=Fallback.NOTHING_RELATED)
        return Served(permitted.level, None, _filled(personal, general.recommendations, count), general.segment)

    def scores(self, history: Iterable[Interaction], items: Sequence[str]) -> list[float]:
        """Return what a person's items say for each of some items; 0 for one that the model does not know."""
        signals = Signals.of(self._named(history, in_session=False), self._outside(()))
        if not len(signals):
            return [0.0] * len(items)
        scores = Weighing(self.parts, self.parameters.recipe.band(len(signals)).weights, signals).scores
        return [float(scores[place]) if (place := self._positions.get(item)) is not None else 0.0 for item in items]

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {item.id: position for position, item in enumerate(self.items)}

    @cached_property
    def _positions_by_category(self) -> dict[str, list[int]]:
        positions: dict[str, list[int]] = {}
        for position, item in enumerate(self.items):
            for category in item.categories:
                positions.setdefault(category, []).append(position)
        return positions

    def _outside(self, categories: Collection[str]) -> _Flags:
        """Return which items are of none of the categories; to be read only."""
        key = frozenset(categories)
        found = self._allowed.get(key)
        if found is None:
            found = np.ones(len(self.items), dtype=np.bool_)
            for category in key:
                found[self._positions_by_category.get(category, [])] = False
            if len(self._allowed) >= _ALLOWED:
                self._allowed.clear()
            self._allowed[key] = found
        return found

    @cached_property
    def _allowed(self) -> dict[frozenset[str], _Flags]:
        """Return what ``_outside`` has found: what is hidden is the same for many people."""
        return {}

    def _among(self, items: Collection[str]) -> _Flags:
        chosen = np.zeros(len(self.items), dtype=np.bool_)
        chosen[[self._positions[item] for item in items if item in self._positions]] = True
        return chosen

    def _touched(self, permitted: Permitted) -> Touched:
        """Return what was touched of the items that the model knows, oldest first."""
        history, session = permitted.history, permitted.session
        found = self._found(history) if isinstance(history, Touches) else self._named(history, in_session=False)
        if not session:
            return found
        now = self._named(session, in_session=True)
        return Touched(*(np.concatenate(columns) for columns in zip(found, now, strict=True)))

    def _named(self, touches: Iterable[Interaction], *, in_session: bool) -> Touched:
        find = self._positions.get
        known = [
            (position, weight, is_liked)
            for item, weight, _, is_liked in touches
            if (position := find(item)) is not None
        ]
        positions, weights, liked = zip(*known, strict=True) if known else ((), (), ())
        return Touched(
            np.array(positions, dtype=np.intp),
            np.array(weights, dtype=np.float64),
            np.array(liked, dtype=np.bool_),
            np.full(len(known), in_session),
        )

    def _found(self, touches: Touches) -> Touched:
        known, order = self._digests
        places = np.searchsorted(known, touches.items)
        np.minimum(places, len(known) - 1, out=places)
        is_known = known[places] == touches.items
        positions = order[places[is_known]]
        return Touched(
            positions,
            touches.weights[is_known],
            np.ones(len(positions), dtype=np.bool_),
            np.zeros(len(positions), dtype=np.bool_),
        )

    @cached_property
    def _digests(self) -> tuple[NDArray[np.uint64], _Positions]:
        """Return the digests of the items in ascending order, and which item each is of."""
        digests = np.array([digest_of(item.id) for item in self.items], dtype=np.uint64)
        order = np.argsort(digests)
        return digests[order], order

    def id_of(self, digest: int) -> str | None:
        """Return the id of the item that a digest stands for."""
        known, order = self._digests
        place = int(np.searchsorted(known, np.uint64(digest)))
        is_known = place < len(known) and int(known[place]) == digest
        return self.items[order[place]].id if is_known else None

    def _group(self, permitted: Permitted) -> Popularity:
        """Return the person's segment if the level may look at it and it is stored, else everybody."""
        return self.popularity if permitted.segment is None else self.segments.get(permitted.segment, self.popularity)

    def kinds_of(self, key: str) -> list[str]:
        """Return the kinds of items that a segment's list holds more of than the catalogue does, two at most."""
        first = [self.items[position] for position in self.segments[key].ranking[:_SPARE].tolist()]
        here = Counter(kind for item in first for kind in item.categories)
        share = {kind: len(positions) / len(self.items) for kind, positions in self._positions_by_category.items()}
        surplus = {kind: number - share[kind] * len(first) for kind, number in here.items()}
        return [kind for kind in sorted(surplus, key=lambda kind: (-surplus[kind], kind)) if surplus[kind] > 0][:2]

    def _general(self, permitted: Permitted, candidates: _Flags, wish: "_Wish") -> Served:
        """Serve from the person's segment if it is stored, else from everybody."""
        key = next((key for key in (permitted.group, permitted.segment) if key in self.segments), None)
        if key is not None:
            chosen = self._most_popular(self.segments[key], Basis.SEGMENT, candidates, wish)
            return Served(Level.SEGMENT, None, chosen, key)
        fallback = None if permitted.level is Level.NONE else Fallback.SEGMENT_NOT_AVAILABLE
        chosen = self._most_popular(self.popularity, Basis.POPULAR, candidates, wish)
        return Served(Level.NONE, fallback, chosen)

    def _most_popular(
        self, group: Popularity, basis: Basis, candidates: _Flags, wish: "_Wish"
    ) -> tuple[Recommendation, ...]:
        best = self._offered(group.ranking[candidates[group.ranking]][: wish.pool], wish)
        return tuple(
            Recommendation(self.items[position], float(group.scores[position]), basis, people=group.people)
            for position in best
        )

    def _related(self, signals: Signals, group: Popularity, candidates: _Flags, wish: "_Wish") -> Personal:
        """Score every candidate as the sum of what each of the person's items says for it or against it."""
        band = self.parameters.recipe.band(len(signals))
        weighing = Weighing(self.parts, band.weights, signals)
        prior = band.prior * group.prior if band.prior else self._without_prior
        related = ((weighing.scores > NOISE) & candidates).nonzero()[0]
        scores = weighing.scores[related] + prior[related]
        chosen = self._chosen(related, scores, signals, wish)
        best = self._offered(related[chosen], wish)
        tried: Collection[int] = frozenset()
        if wish.shape.has_shares:
            best, tried = self._arranged(best, weighing.scores[best] + prior[best], wish)
        return Personal(self.items, best, signals, weighing.contributions(best), prior[best], wish.reasons, tried=tried)

    def _chosen(self, related: _Positions, scores: NDArray[np.float64], signals: Signals, wish: "_Wish") -> _Positions:
        """Return which of the related items make the list, in its order."""
        shape = wish.shape
        if not shape.has_objectives:
            return highest(scores, wish.pool)
        pool = highest(scores, max(wish.pool, shapes.POOL))
        at = related[pool]
        given = shapes.Candidates(scores[pool], self._categories[at], self._shares[at], self._novelty[at])
        own = (self._shares[signals.positions] * signals.strengths[:, np.newaxis]).sum(axis=0)
        return pool[shapes.order(shape, given, own / (own.sum() or 1.0), wish.pool)]

    def _arranged(
        self, best: _Positions, scores: NDArray[np.float64], wish: "_Wish"
    ) -> tuple[_Positions, Collection[int]]:
        """Return the items of a list with what is tried out and small creators, and the places of the former."""
        items = [self.items[position].id for position in best.tolist()]
        people = self.popularity.scores[best] * self.popularity.people
        listed, drawn = shapes.arranged(wish.shape, items, scores, people, wish.count)
        return best[listed], {place for place, number in enumerate(listed) if number in drawn}

    def _offered(self, best: _Positions, wish: "_Wish") -> _Positions:
        """Return those of the best that make the list."""
        if wish.offered is None:
            return best[: wish.kept]
        ids = [self.items[position].id for position in best.tolist()]
        first = ids[: wish.kept]
        known = wish.offered(first)
        if len(known) == len(first):
            return best[: wish.kept]
        known = {*known, *wish.offered(ids[wish.kept :])}
        kept = [place for place, item in enumerate(ids) if item in known]
        return best[kept[: wish.kept]]

    @cached_property
    def _without_prior(self) -> NDArray[np.float64]:
        return np.zeros(len(self.items))

    @cached_property
    def _categories(self) -> NDArray[np.float32]:
        return diverse.vectors([item.categories for item in self.items])

    @cached_property
    def _shares(self) -> NDArray[np.float64]:
        """Return in each row which part of an item is of which kind."""
        held: NDArray[np.float64] = (self._categories > 0).astype(np.float64)
        held /= np.maximum(held.sum(axis=1, keepdims=True), 1.0)
        return held

    @cached_property
    def _novelty(self) -> NDArray[np.float64]:
        """Return how few people chose each item: 0 for the most popular, 1 for the least."""
        ranks: NDArray[np.float64] = np.argsort(np.argsort(-self.popularity.scores, kind="stable")).astype(np.float64)
        return ranks / max(len(self.items) - 1, 1)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a personal list is asked to be."""

    count: int
    reasons: int
    shape: Shape
    offered: Offered | None

    @property
    def kept(self) -> int:
        """Return how many are kept of those on offer: shares of places are filled from further down."""
        return self.count + shapes.POOL if self.shape.has_shares else self.count

    @property
    def pool(self) -> int:
        """Return how many of the best are looked at: some of them may not be on offer."""
        return self.kept if self.offered is None else self.kept + _SPARE


def _without(candidates: _Flags, touched: Touched) -> _Flags:
    left = candidates.copy()
    left[touched.positions] = False
    return left


def highest(scores: NDArray[np.float64], count: int) -> _Positions:
    """Return where the highest scores are, best first; ties keep their order.

    Only few of many scores are sorted, which is quick as long as they are not mostly equal.
    """
    if len(scores) <= count:
        return np.argsort(-scores, kind="stable")
    least = np.partition(scores, len(scores) - count)[len(scores) - count]
    among: _Positions = (scores >= least).nonzero()[0]
    return among[(-scores[among]).argsort(kind="stable")[:count]]


def _filled(
    personal: Sequence[Recommendation], general: Sequence[Recommendation], count: int
) -> tuple[Recommendation, ...]:
    chosen = {recommendation.item.id for recommendation in personal}
    others = [recommendation for recommendation in general if recommendation.item.id not in chosen]
    return tuple([*personal, *others][:count])
