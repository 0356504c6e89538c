"""Trained model and how it recommends: every answer says what it was computed from."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.levels import Level
from personalization.recommender.interactions import Interaction, Item
from personalization.recommender.levels import Permitted, permit

MIN_LIKES = 5
"""Below this many distinct known items a person is better served by popularity (cold start)."""
MAX_COUNT = 100

_Positions = NDArray[np.intp]
_Flags = NDArray[np.bool_]


class Basis(StrEnum):
    """Basis of a recommendation: what it was computed from."""

    POPULAR = "popular"
    SEGMENT = "segment"
    HISTORY = "history"
    SESSION = "session"


class Fallback(StrEnum):
    """Reason why less was used than the level allows."""

    TOO_LITTLE_HISTORY = "too_little_history"
    NOTHING_RELATED = "nothing_related"
    SEGMENT_NOT_AVAILABLE = "segment_not_available"


class Method(StrEnum):
    """Method by which the weights between items were computed."""

    EASE = "ease"
    TFIDF_COSINE = "tfidf_cosine"


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters of the training; see ``training.train``."""

    method: Method
    min_segment: int
    min_people: int
    neighbours: int
    regularisation: float
    damping: float


@dataclass(frozen=True, slots=True)
class TrainedOn:
    """Size of the training data: distinct people, (person, item) pairs, items in the catalogue."""

    people: int
    pairs: int
    items: int


@dataclass(frozen=True, eq=False)
class Popularity:
    """The damped share, 0..1, of a group of ``people`` that touched each item, in the model's item order."""

    people: int
    scores: NDArray[np.float64]

    @cached_property
    def ranking(self) -> _Positions:
        """Return positions of the items with a score, best first; ties keep the items' order."""
        order = np.argsort(-self.scores, kind="stable")
        return order[self.scores[order] > 0]


@dataclass(frozen=True, slots=True)
class Because:
    """Item of the person's own that a recommendation rests on.

    ``contribution`` is its exact part of the score, ``share`` the same as a fraction of the score (0..1].
    """

    item: str
    share: float
    contribution: float
    source: Basis


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One recommended item. Scores compare only within one basis.

    ``people`` is the size of the group a popular or segment recommendation was counted in; ``because`` the
    person's own items behind one from history or session. Exactly one of them is set.
    """

    item: Item
    score: float
    basis: Basis
    because: tuple[Because, ...] = ()
    people: int | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """An answer: the level whose scores were really used, and why if that is less than was allowed.

    At a personal level the list may end with popular items when too few are related to the person's own.
    """

    level_used: Level
    fallback: Fallback | None
    recommendations: tuple[Recommendation, ...]


@dataclass(frozen=True, eq=False)
class Model:
    """Trained scores and weights, without any person in them.

    ``item_weights`` is a sparse (items x items) CSR matrix, non-negative, zero diagonal: row = an item the
    person touched, column = the item it speaks for. ``segments`` holds groups of at least
    ``parameters.min_segment`` people only.
    """

    items: tuple[Item, ...]
    popularity: Popularity
    segments: Mapping[str, Popularity]
    item_weights: Any  # scipy.sparse.csr_matrix; scipy carries no types
    trained_on: TrainedOn
    parameters: Parameters

    def __post_init__(self) -> None:
        size = len(self.items)
        if len(self._positions) != size:
            raise ValueError("Two items of a model have the same id.")
        groups = [self.popularity, *self.segments.values()]
        if self.item_weights.shape != (size, size) or any(group.scores.shape != (size,) for group in groups):
            raise ValueError("Scores and weights of a model must cover exactly its items.")

    def recommend(
        self,
        level: Level | str,
        *,
        history: Iterable[Interaction] = (),
        session: Iterable[Interaction] = (),
        segment: str | None = None,
        count: int = 10,
        exclude_seen: bool = True,
        exclude_categories: Collection[str] = frozenset(),
        reasons: int = 3,
    ) -> Served:
        """Recommend up to ``count`` (1..100) items, using no more of the person than ``level`` allows.

        ``exclude_seen`` leaves out items of the person's that the level may look at, so at ``none`` and
        ``segment`` it changes nothing. Items of ``exclude_categories`` are neither recommended nor used as
        a reason. Items this model does not know are ignored. ``reasons`` bounds ``because``, >= 1.

        Raises ValueError for an unknown level or a ``count`` or ``reasons`` out of range.
        """
        if not 1 <= count <= MAX_COUNT:
            raise ValueError("count must be from 1 to 100.")
        if reasons < 1:
            raise ValueError("reasons must be at least 1.")
        permitted = permit(level, history=history, session=session, segment=segment)
        allowed = self._outside(exclude_categories)
        signals = _Signals.of(permitted, self._positions, allowed)
        candidates = self._unseen(permitted, allowed) if exclude_seen else allowed
        general = self._general(permitted, candidates, count)
        if not permitted.level.includes(Level.BEHAVIORAL):
            return general
        if len(signals.positions) < MIN_LIKES:
            return Served(general.level_used, Fallback.TOO_LITTLE_HISTORY, general.recommendations)
        personal = self._related(signals, candidates, count, reasons)
        if not personal:
            return Served(general.level_used, Fallback.NOTHING_RELATED, general.recommendations)
        return Served(permitted.level, None, _filled(personal, general.recommendations, count))

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
        allowed = np.ones(len(self.items), dtype=np.bool_)
        for category in categories:
            allowed[self._positions_by_category.get(category, [])] = False
        return allowed

    def _unseen(self, permitted: Permitted, allowed: _Flags) -> _Flags:
        touched = (interaction.item for interaction in (*permitted.history, *permitted.session))
        unseen = allowed.copy()
        unseen[[self._positions[item] for item in touched if item in self._positions]] = False
        return unseen

    def _general(self, permitted: Permitted, candidates: _Flags, count: int) -> Served:
        """Serve from the person's segment if it is stored, else from everybody."""
        group = self.segments.get(permitted.segment) if permitted.segment is not None else None
        if group is not None:
            chosen = self._most_popular(group, Basis.SEGMENT, candidates, count)
            return Served(Level.SEGMENT, None, chosen)
        fallback = None if permitted.level is Level.NONE else Fallback.SEGMENT_NOT_AVAILABLE
        chosen = self._most_popular(self.popularity, Basis.POPULAR, candidates, count)
        return Served(Level.NONE, fallback, chosen)

    def _most_popular(
        self, group: Popularity, basis: Basis, candidates: _Flags, count: int
    ) -> tuple[Recommendation, ...]:
        best = group.ranking[candidates[group.ranking]][:count]
        return tuple(
            Recommendation(self.items[position], float(group.scores[position]), basis, people=group.people)
            for position in best
        )

    def _related(self, signals: "_Signals", candidates: _Flags, count: int, reasons: int) -> list[Recommendation]:
        """Score every candidate as the sum of what each of the person's items says for it."""
        rows = self.item_weights[signals.positions]
        scores = np.where(candidates, rows.T @ signals.strengths, 0.0)
        related = np.flatnonzero(scores > 0)
        best = related[np.argsort(-scores[related], kind="stable")[:count]]
        contributions = rows[:, best].toarray() * signals.strengths[:, np.newaxis]
        return [
            self._explained(position, signals, contributions[:, column], reasons)
            for column, position in enumerate(best)
        ]

    def _explained(
        self, position: int, signals: "_Signals", contributions: NDArray[np.float64], reasons: int
    ) -> Recommendation:
        score = float(contributions.sum())
        strongest = np.argsort(-contributions, kind="stable")[:reasons]
        because = tuple(
            Because(
                item=self.items[signals.positions[row]].id,
                share=float(contributions[row]) / score,
                contribution=float(contributions[row]),
                source=Basis.SESSION if signals.in_session[row] else Basis.HISTORY,
            )
            for row in strongest
            if contributions[row] > 0
        )
        from_session = float(contributions[signals.in_session].sum())
        basis = Basis.SESSION if from_session > score / 2 else Basis.HISTORY
        return Recommendation(self.items[position], score, basis, because=because)


@dataclass(frozen=True, eq=False)
class _Signals:
    """Distinct items of a person that may be used: position, strength 0..1, whether of this session."""

    positions: _Positions
    strengths: NDArray[np.float64]
    in_session: _Flags

    @classmethod
    def of(cls, permitted: Permitted, positions: Mapping[str, int], allowed: _Flags) -> "_Signals":
        weights: dict[int, float] = {}
        session: set[int] = set()
        for interactions, of_session in ((permitted.history, False), (permitted.session, True)):
            for interaction in interactions:
                position = positions.get(interaction.item)
                if position is None or not allowed[position]:
                    continue
                # The strongest counts once: reloading a page is not a stronger wish. Training does the same.
                weights[position] = max(weights.get(position, 0.0), interaction.weight)
                if of_session:
                    session.add(position)
        strengths = np.fromiter(weights.values(), dtype=np.float64, count=len(weights))
        return cls(
            positions=np.fromiter(weights, dtype=np.intp, count=len(weights)),
            strengths=strengths / strengths.max() if len(strengths) else strengths,
            in_session=np.fromiter((position in session for position in weights), dtype=np.bool_),
        )


def _filled(
    personal: list[Recommendation], general: tuple[Recommendation, ...], count: int
) -> tuple[Recommendation, ...]:
    chosen = {recommendation.item.id for recommendation in personal}
    others = [recommendation for recommendation in general if recommendation.item.id not in chosen]
    return tuple([*personal, *others][:count])
