"""Error of predicted ratings on those that came after the training part of each person: RMSE and MAE.

The recommender ranks and predicts no rating. What is judged is the rating that its score speaks for: how people and
items are rated (damped biases), and a line through the score of the highest level. The line of each half of the people
is fitted on the other half. The same without the score stands beside it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personalization.recommender.interactions import Interactions
from personalization.recommender.validation.evaluation import Asked, Case
from personalization.recommender.validation.split import split

LOWEST, HIGHEST = 1, 5
_DAMPING = 10.0
_ROUNDS = 3
_Numbers = NDArray[np.float64]
_Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class RatingErrors:
    """RMSE and MAE on ``ratings`` of ``people``; ``biases``: both without the score."""

    ratings: int
    people: int
    rmse: float
    mae: float
    biases: tuple[float, float]


def measure(ratings: Interactions, touches: Interactions, asked: Asked, *, least: int) -> RatingErrors | None:
    """Return the errors on ratings of the people asked, None where fewer than ``least`` people have one to predict.

    A rating's value is its weight. Of several of one item the last counts. To be predicted is what the person rated
    from the moment on at which their held-out part begins, but for items of the training part: of these the model
    knows. Biases are of what was rated before it.
    """
    if not len(ratings):
        return None
    ratings = _latest(ratings)
    begins = _held_out_from(touches)
    is_before = (
        ratings.time < np.array([begins.get(who, np.inf) for who in ratings.people.values])[ratings.people.codes]
    )
    rows, scores, owner = _to_predict(ratings, ~is_before, asked)
    if len(np.unique(owner)) < least or not is_before.any():
        return None
    stars = ratings.weight
    who, what = ratings.people.codes.astype(np.intp), ratings.items.codes.astype(np.intp)
    expected = biases(who, what, stars, np.flatnonzero(is_before))[rows]
    with_score = expected + _fitted(scores, stars[rows] - expected, owner % 2 == 0)
    rmse, mae = error(with_score, stars[rows])
    return RatingErrors(len(rows), len(np.unique(owner)), rmse, mae, error(expected, stars[rows]))


def biases(people: _Codes, items: _Codes, stars: _Numbers, known: _Codes) -> _Numbers:
    """Return of each row the mean of the ``known`` rows with damped biases of its person and item (Koren 2010, 2.1)."""
    mean = float(stars[known].mean())
    who, what, left = people[known], items[known], stars[known] - mean
    of_person, of_item = np.zeros(people.max() + 1), np.zeros(items.max() + 1)
    for _ in range(_ROUNDS):  # each from what the others leave over
        of_item = _damped(what, left - of_person[who], len(of_item))
        of_person = _damped(who, left - of_item[what], len(of_person))
    return mean + of_person[people] + of_item[items]


def error(predicted: _Numbers, stars: _Numbers) -> tuple[float, float]:
    """Return RMSE and MAE."""
    difference = np.clip(predicted, LOWEST, HIGHEST) - stars
    return float(np.sqrt((difference**2).mean())), float(np.abs(difference).mean())


def _damped(codes: _Codes, left: _Numbers, number: int) -> _Numbers:
    found: _Numbers = np.bincount(codes, left, number) / (np.bincount(codes, minlength=number) + _DAMPING)
    return found


def _latest(ratings: Interactions) -> Interactions:
    """Return the last rating of each item by a person."""
    order = np.argsort(ratings.time, kind="stable")[::-1]
    pairs = ratings.people.codes[order].astype(np.int64) * len(ratings.items.values) + ratings.items.codes[order]
    return ratings.rows(np.sort(order[np.unique(pairs, return_index=True)[1]]))


def _held_out_from(touches: Interactions) -> dict[object, float]:
    """Return of each person with a held-out part when it begins."""
    codes, times = touches.people.codes, touches.time
    held = np.ones(len(touches), dtype=np.bool_)
    held[split(touches).training] = False
    first = np.full(len(touches.people.values), np.inf)
    np.minimum.at(first, codes[held], times[held])
    return {touches.people.values[code]: float(first[code]) for code in np.flatnonzero(np.isfinite(first)).tolist()}


def _to_predict(ratings: Interactions, later: NDArray[np.bool_], asked: Asked) -> tuple[_Codes, _Numbers, _Codes]:
    """Return the rows to predict, the model's score of each, and the place of its person among those asked."""
    rows: dict[object, list[int]] = {}
    for row in np.flatnonzero(later).tolist():
        rows.setdefault(ratings.person[row], []).append(row)
    found: list[tuple[int, float, int]] = []
    for place, case in enumerate(asked.cases):
        found += [(row, score, place) for row, score in _scored(ratings, rows.get(case.person, []), case, asked)]
    chosen = np.array(found, dtype=np.float64).reshape(-1, 3)
    return chosen[:, 0].astype(np.intp), chosen[:, 1], chosen[:, 2].astype(np.intp)


def _scored(ratings: Interactions, rows: list[int], case: Case, asked: Asked) -> list[tuple[int, float]]:
    known = {touch.item for touch in case.history}
    wanted = [row for row in rows if ratings.item[row] not in known]
    if not wanted:
        return []
    scores = asked.model.scores(case.history, [ratings.item[row] for row in wanted])
    return list(zip(wanted, scores, strict=True))


def _fitted(scores: _Numbers, left: _Numbers, half: NDArray[np.bool_]) -> _Numbers:
    """Return what a line through the scores says of each half, fitted on the other one."""
    found = np.zeros(len(scores))
    for rows in (half, ~half):
        given, wanted = scores[~rows], left[~rows]
        if not len(given) or not given.std():
            continue
        middle = given.mean()
        slope = float(((given - middle) * wanted).mean() / given.var())
        found[rows] = wanted.mean() + slope * (scores[rows] - middle)
    return found
