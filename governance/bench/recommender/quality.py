"""Rows of ``bench recommender``: every level of the bundled recommender, and other methods on the same split.

Each person's last fifth is held out by time; what they liked of it is relevant. All parameters come from a split of the
same kind inside the training part.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from common.levels import Level
from governance.bench.recommender import movielens, yardsticks
from governance.bench.recommender.movielens import Ratings
from governance.bench.report import Row
from personalization.recommender import training
from personalization.recommender.histories import Histories
from personalization.recommender.interactions import Interaction, Interactions, Person
from personalization.recommender.model import Model
from personalization.recommender.recipe import Lists
from personalization.recommender.validation import metrics, tuning
from personalization.recommender.validation.evaluation import Case, Figures, Protocol, cases, gains, listed, summarised
from personalization.recommender.validation.split import split

_FOLDS = 5
_SESSION = 5
_STALE = 10
"""Of a contextual level: so many latest interactions are the session, which the stored window lacks."""
_TASTE = 50
_DIVERSITY = 0.7
_LEFT = (1, 2, 3, 4)

_Lists = list[list[str]]


@dataclass(frozen=True)
class Asked:
    """What to measure: MovieLens from ``path`` (or fetched), or the folder ``dataset``."""

    path: Path | None = None
    dataset: Path | None = None
    lists: Path | None = None
    seed: int = 0


def run(asked: Asked, say: Callable[[str], Any]) -> list[Row]:
    """Measure everything. Raises movielens.DataNotFound."""
    if asked.dataset is not None:
        ratings = movielens.dataset(asked.dataset)
    elif asked.path is not None:
        ratings = movielens.movielens(asked.path)
    else:
        say(f"Fetching {movielens.PACKAGE} for MovieLens-100K.")
        ratings = movielens.fetched()
    bench = _Bench(ratings, asked.seed, say)
    rows = bench.rows()
    if asked.lists is not None:
        asked.lists.write_text(json.dumps(bench.exported), encoding="utf-8")
    return rows


class _Bench:
    """One run on one data set."""

    def __init__(self, ratings: Ratings, seed: int, say: Callable[[str], Any]) -> None:
        self._ratings, self._seed, self._say = ratings, seed, say
        held = split(ratings.interactions)
        self._known: Interactions = ratings.interactions.rows(held.training)
        self._cases: list[Case] = cases(self._known, held.relevant)
        self._base: dict[Protocol, float] = {}
        self._rows: list[Row] = []
        self.exported: dict[str, Any] = {
            "relevant": {str(case.person): sorted(case.relevant) for case in self._cases},
            "lists": {},
        }

    def rows(self) -> list[Row]:
        self._say("Choosing parts and weights by validation.")
        # Segments are counted, as in the training that is served; rows of other segments are named by theirs.
        chosen = tuning.choose(self._known, self._ratings.items, self._ratings.groups, lists=(Lists.COUNTS,))
        self._say(f"Chosen: {_in_words(chosen.recipe)}.")
        self._model = training.train(self._known, self._ratings.items, self._ratings.groups, recipe=chosen.recipe)
        self._levels()
        self._groups_of_people()
        self._without_the_person()
        self._others()
        return self._rows

    def _levels(self) -> None:
        self._level("none", Level.NONE)
        self._level("individual", Level.INDIVIDUAL)
        self._level("behavioral", Level.BEHAVIORAL)
        self._level(f"contextual, the last {_STALE} as session", Level.CONTEXTUAL, session=_STALE)
        self._level(f"behavioral, without these {_STALE}", Level.BEHAVIORAL, session=_STALE)
        self._level(f"individual, diversity {_DIVERSITY:g}", Level.INDIVIDUAL, diversity=_DIVERSITY)

    def _groups_of_people(self) -> None:
        if self._ratings.groups:
            self._level("segment, gender and age", Level.SEGMENT, segments=self._ratings.groups)
            readable = self._ratings.readable_segments(self._known)
            self._level(
                "segment, readable",
                Level.SEGMENT,
                segments=readable,
                model=training.regrouped(self._model, self._known, readable, Lists.SCORES),
            )
        taste = training.taste_segments(self._model, self._known, at_least=_TASTE)
        grouped = training.regrouped(self._model, self._known, taste, Lists.SCORES)
        self._level(f"taste, {len(set(taste.values()))} groups", Level.SEGMENT, segments=taste, model=grouped)

    def _level(
        self,
        what: str,
        level: Level,
        *,
        session: int = 0,
        segments: Mapping[Person, str] | None = None,
        model: Model | None = None,
        diversity: float = 0.0,
    ) -> None:
        self._say(what)
        model = model or self._model
        given = segments if segments is not None else self._ratings.groups
        for protocol in Protocol:
            lists = [
                listed(
                    model,
                    level,
                    history=case.history[: len(case.history) - session],
                    session=case.history[len(case.history) - session :],
                    segment=given.get(case.person),
                    exclude=_seen(case) if protocol is Protocol.S else (),
                    diversity=diversity,
                )
                for case in self._cases
            ]
            self._add(what, protocol, lists)

    def _without_the_person(self) -> None:
        """Measure visitors without a record, and people with few likes, by models trained without them."""
        models = self._folds()
        for length in (_SESSION, 20):
            for protocol in Protocol:
                self._visitors(f"session, the last {length}", models, protocol, partial(_latest, length))
        for length in _LEFT:
            self._visitors(
                f"cold start, the last {length} likes",
                models,
                Protocol.S,
                partial(_latest_likes, length),
            )

    def _visitors(
        self, what: str, models: Sequence[Model], protocol: Protocol, use: Callable[[Case], Sequence[Interaction]]
    ) -> None:
        self._say(f"{what}, {protocol}")
        lists = [
            listed(
                models[self._fold(place)],
                Level.CONTEXTUAL,
                session=use(case),
                segment=None if what.startswith("session") else self._ratings.groups.get(case.person),
                exclude=_seen(case) if protocol is Protocol.S else (),
            )
            for place, case in enumerate(self._cases)
        ]
        self._add(what, protocol, lists)

    def _folds(self) -> list[Model]:
        """Train without each fifth of the people, by the recipe that was chosen."""
        models = []
        for fold in range(_FOLDS):
            self._say(f"Training without the people of part {fold + 1} of {_FOLDS}.")
            left_out = {case.person for place, case in enumerate(self._cases) if self._fold(place) == fold}
            rows = [row for row, person in enumerate(self._known.person) if person not in left_out]
            recipe = self._model.parameters.recipe
            models.append(
                training.train(self._known.rows(rows), self._ratings.items, self._ratings.groups, recipe=recipe)
            )
        return models

    def _fold(self, place: int) -> int:
        return (place + self._seed) % _FOLDS

    def _others(self) -> None:
        inner = split(self._known)
        found = [
            (method, self._validated(method, self._known.rows(inner.training), inner.relevant))
            for method in yardsticks.methods(self._seed)
        ]
        for method in yardsticks.best_of(found):
            self._say(f"{method.name}, {method.setting}")
            lists = self._ranked(method, self._known, [(case.person, _seen(case)) for case in self._cases])
            self._add(f"{method.name}, {method.setting}", Protocol.S, lists)

    def _validated(
        self, method: yardsticks.Method, known: Interactions, relevant: Mapping[Person, Sequence[str]]
    ) -> float:
        asked = cases(known, relevant)
        lists = self._ranked(method, known, [(case.person, _seen(case)) for case in asked])
        return float(np.mean(gains(asked, lists) or [0.0]))

    def _ranked(
        self, method: yardsticks.Method, known: Interactions, asked: Sequence[tuple[Person, frozenset[str]]]
    ) -> _Lists:
        data = Histories.of(known, self._model.items)
        scores = method.scores(data.likes)
        numbers = {person: number for number, person in enumerate(data.people)}
        places = {item.id: place for place, item in enumerate(self._model.items)}
        lists = []
        for person, seen in asked:
            row = scores[numbers[person]].astype(np.float64, copy=True)
            row[[places[item] for item in seen if item in places]] = -np.inf
            best = np.argsort(-row, kind="stable")[: metrics.RANKS]
            lists.append([self._model.items[place].id for place in best if np.isfinite(row[place])])
        return lists

    def _add(self, what: str, protocol: Protocol, lists: _Lists) -> None:
        figures = summarised(self._model, self._cases, lists, base=self._base.get(protocol))
        if what == "none":
            self._base[protocol] = figures.ndcg
        self.exported["lists"][f"{what}, {protocol}"] = {
            str(case.person): some for case, some in zip(self._cases, lists, strict=True)
        }
        self._rows.append(Row(what, {"protocol": str(protocol), **_columns(figures)}))


def _seen(case: Case) -> frozenset[str]:
    return frozenset(touch.item for touch in case.history)


def _latest(number: int, case: Case) -> Sequence[Interaction]:
    return case.history[-number:]


def _latest_likes(number: int, case: Case) -> Sequence[Interaction]:
    return [touch for touch in case.history if touch.liked][-number:]


def _columns(figures: Figures) -> dict[str, float | str | None]:
    return {
        "ndcg_at_10": round(figures.ndcg, 4),
        "low": round(figures.interval[0], 4),
        "high": round(figures.interval[1], 4),
        "lift_over_none": None if figures.lift is None else round(figures.lift, 2),
        "precision": round(figures.precision, 3),
        "recall": round(figures.recall, 3),
        "coverage": round(figures.coverage, 3),
        "diversity": round(figures.diversity, 3),
        "novelty": round(figures.novelty, 2),
        "popularity_lift": round(figures.popularity_lift, 2),
    }


def _in_words(recipe: Any) -> str:
    return "; ".join(_part(spec) for spec in recipe.parts)


def _part(spec: Any) -> str:
    pace = "without fading" if spec.half_life is None else f"half-life {spec.half_life:g}"
    return f"{spec.kind}, {pace}" + (f", lambda {spec.regularisation:g}" if spec.regularisation else "")
