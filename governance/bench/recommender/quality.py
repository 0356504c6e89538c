"""Rows of ``bench recommender``: every level of the bundled recommender, and other methods on the same split.

Each person's last fifth is held out by time; what they liked of it is relevant. All parameters come from a split of the
same kind inside the training part.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from common.levels import Level
from governance.bench.recommender import movielens, plot, rated, yardsticks
from governance.bench.recommender.movielens import Ratings
from governance.bench.report import Row
from personalization.recommender import training
from personalization.recommender.groups import forming
from personalization.recommender.histories import Histories
from personalization.recommender.interactions import Interaction, Interactions, Person
from personalization.recommender.model import Model
from personalization.recommender.recipe import Lists
from personalization.recommender.shaping.shapes import Shape
from personalization.recommender.validation import metrics, tuning
from personalization.recommender.validation.evaluation import (
    Case,
    Figures,
    Protocol,
    ask_about_new,
    cases,
    gains,
    listed,
    summarised,
)
from personalization.recommender.validation.split import NEW_ITEMS, split

_FOLDS = 5
_SESSION = 5
_STALE = 10
"""Of a contextual level: so many latest interactions are the session, which the stored window lacks."""
_DIVERSITY = 0.7
_LEFT = (1, 2, 3, 4)

_Lists = list[list[str]]


@dataclass(frozen=True)
class Asked:
    """What to measure: MovieLens from ``path`` (or fetched), or the folder ``dataset``."""

    path: Path | None = None
    dataset: Path | None = None
    lists: Path | None = None
    plot: Path | None = None
    seeds: Sequence[int] = (0, 1)


def run(asked: Asked, say: Callable[[str], Any]) -> list[Row]:
    """Measure everything. Raises movielens.DataNotFound."""
    if asked.dataset is not None:
        ratings = movielens.dataset(asked.dataset)
    elif asked.path is not None:
        ratings = movielens.movielens(asked.path)
    else:
        say(f"Fetching {movielens.PACKAGE} for MovieLens-100K.")
        ratings = movielens.fetched()
    bench = _Bench(ratings, asked.seeds, say)
    rows = bench.rows()
    if asked.plot is not None:
        asked.plot.write_text(plot.drawing(rows), encoding="utf-8")
    if asked.lists is not None:
        asked.lists.write_text(json.dumps(bench.exported), encoding="utf-8")
    return rows


class _Bench:
    """One run on one data set."""

    def __init__(self, ratings: Ratings, seeds: Sequence[int], say: Callable[[str], Any]) -> None:
        self._ratings, self._seeds, self._say = ratings, seeds, say
        held = split(ratings.interactions)
        self._training = np.asarray(held.training, dtype=np.intp)
        self._known: Interactions = ratings.interactions.rows(held.training)
        self._cases: list[Case] = cases(self._known, held.relevant)
        self._base: dict[Protocol, tuple[float, _Lists]] = {}
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
        for seed in self._seeds:
            self._without_the_person(seed)
        self._new_items()
        self._others()
        self._ratings_themselves()
        return self._rows

    def _named(self, what: str, seed: int) -> str:
        return what if seed == self._seeds[0] else f"{what}, seed {seed}"

    def _levels(self) -> None:
        self._level("none", Level.NONE)
        self._level("individual", Level.INDIVIDUAL)
        self._level("behavioral", Level.BEHAVIORAL)
        self._level(f"contextual, the last {_STALE} as session", Level.CONTEXTUAL, session=_STALE)
        self._level(f"behavioral, without these {_STALE}", Level.BEHAVIORAL, session=_STALE)
        self._level(f"individual, diversity {_DIVERSITY:g}", Level.INDIVIDUAL, shape=Shape(variety=_DIVERSITY))

    def _groups_of_people(self) -> None:
        if self._ratings.groups:
            self._level("segment, gender and age", Level.SEGMENT, segments=self._ratings.groups)
        grouped = forming.added(self._model, self._known, list(forming.Kind))
        for kind, what in ((forming.Kind.READABLE, "segment, readable"), (forming.Kind.TASTE, "taste")):
            people = grouped.people[kind]
            number = len(set(people.values()))
            self._level(f"{what}, {number} groups", Level.SEGMENT, segments=people, model=grouped.model)

    def _level(
        self,
        what: str,
        level: Level,
        *,
        session: int = 0,
        segments: Mapping[Person, str] | None = None,
        model: Model | None = None,
        shape: Shape | None = None,
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
                    shape=shape,
                )
                for case in self._cases
            ]
            self._add(what, protocol, lists)

    def _without_the_person(self, seed: int) -> None:
        """Measure visitors without a record, and people with few likes, by models trained without them."""
        models = self._folds(seed)
        for length in (_SESSION, 20):
            for protocol in Protocol:
                what = self._named(f"session, the last {length}", seed)
                self._visitors(what, models, protocol, partial(_latest, length))
        alone = [_events_alone(model) for model in models]
        for length in _LEFT:
            what = f"cold start, the last {length} likes"
            self._visitors(self._named(what, seed), models, Protocol.S, partial(_latest_likes, length))
            of_events = self._named(f"{what}, events alone", seed)
            self._visitors(of_events, alone, Protocol.S, partial(_latest_likes, length))

    def _visitors(
        self, what: str, models: Sequence[Model], protocol: Protocol, use: Callable[[Case], Sequence[Interaction]]
    ) -> None:
        self._say(f"{what}, {protocol}")
        lists = [
            listed(
                models[place],
                Level.CONTEXTUAL,
                session=use(case),
                segment=None if what.startswith("session") else self._ratings.groups.get(case.person),
                exclude=_seen(case) if protocol is Protocol.S else (),
            )
            for place, case in enumerate(self._cases)
        ]
        self._add(what, protocol, lists)

    def _folds(self, seed: int) -> list[Model]:
        """Train by the recipe that was chosen: the models at each place are without the people asked there.

        The seed decides who is left out together.
        """
        draw = np.random.default_rng(seed).permutation(len(self._cases)) % _FOLDS
        models = []
        for fold in range(_FOLDS):
            self._say(f"Training without the people of part {fold + 1} of {_FOLDS}.")
            left_out = {case.person for place, case in enumerate(self._cases) if draw[place] == fold}
            rows = [row for row, person in enumerate(self._known.person) if person not in left_out]
            recipe = self._model.parameters.recipe
            models.append(
                training.train(self._known.rows(rows), self._ratings.items, self._ratings.groups, recipe=recipe)
            )
        return [models[fold] for fold in draw]

    def _new_items(self) -> None:
        """Hide each fifth of the items from a training, and rank only those; then state the mean of all."""
        every: list[float] = []
        for fold in range(NEW_ITEMS):
            what = f"new items alone, part {fold + 1} of {NEW_ITEMS}"
            self._say(what)
            new = ask_about_new(self._model, self._known, self._cases, fold=fold)
            if new is not None and new.cases:
                found = gains(new.cases, new.lists)
                every += found
                self._of_new_items(what, found)
        if every:
            self._of_new_items("new items alone", every)

    def _of_new_items(self, what: str, found: Sequence[float]) -> None:
        low, high = metrics.interval(found)
        columns = {"ndcg_at_10": round(float(np.mean(found)), 4), "low": round(low, 4), "high": round(high, 4)}
        self._rows.append(Row(what, {"protocol": str(Protocol.S), "people": len(found), **columns}))

    def _ratings_themselves(self) -> None:
        found = rated.errors(self._ratings.interactions, self._ratings.stars, self._training)
        for name, (rmse, mae) in found.items():
            self._rows.append(Row(f"ratings by {name}", {"rmse": round(rmse, 3), "mae": round(mae, 3)}))

    def _others(self) -> None:
        inner = split(self._known)
        found = [
            (method, self._validated(method, self._known.rows(inner.training), inner.relevant))
            for method in yardsticks.methods(self._seeds[0])
        ]
        for method in yardsticks.best_of(found):
            for one, seed in yardsticks.seeded(method, self._seeds):
                what = self._named(f"{one.name}, {one.setting}", seed)
                self._say(what)
                lists = self._ranked(one, self._known, [(case.person, _seen(case)) for case in self._cases])
                self._add(what, Protocol.S, lists)

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
        if what == "none":
            self._base[protocol] = float(np.mean(gains(self._cases, lists))), lists
        base, usual = self._base[protocol]
        figures = summarised(self._model, self._cases, lists, base=base, usual=usual)
        self.exported["lists"][f"{what}, {protocol}"] = {
            str(case.person): some for case, some in zip(self._cases, lists, strict=True)
        }
        self._rows.append(Row(what, {"protocol": str(protocol), **_columns(figures)}))


def _events_alone(model: Model) -> Model:
    """Return the model that blends nothing: the weights of long histories for all."""
    recipe = replace(model.parameters.recipe, bands=model.parameters.recipe.bands[-1:], min_likes=1)
    return replace(model, parameters=replace(model.parameters, recipe=recipe))


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
        "serendipity": round(figures.serendipity, 3),
        "popularity_lift": round(figures.popularity_lift, 2),
    }


def _in_words(recipe: Any) -> str:
    return "; ".join(_part(spec) for spec in recipe.parts)


def _part(spec: Any) -> str:
    pace = "without fading" if spec.half_life is None else f"half-life {spec.half_life:g}"
    return f"{spec.kind}, {pace}" + (f", lambda {spec.regularisation:g}" if spec.regularisation else "")
