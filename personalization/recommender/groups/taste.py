"""Segments of taste: groups of people whom the model scores alike, each of at least k, and the lists of groups."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from personalization.recommender.histories import Histories
from personalization.recommender.interactions import Person
from personalization.recommender.model import Model, Popularity
from personalization.recommender.parts import Weighing

_DIMENSIONS = 16
_ROUNDS = 12
_MOST = 40
"""More groups than this would make the file large, and what they are called alike."""
_AT_A_TIME = 4_000


def lists(model: Model, data: Histories, found: Mapping[str, Sequence[int]]) -> dict[str, Popularity]:
    """Return for each group the mean of its people's standardised scores, from 0 on.

    Items without support have the score 0, so they are on no list.
    """
    known = model.popularity.scores > 0
    result = {}
    for key, some in found.items():
        total = np.zeros(data.items)
        for start in range(0, len(some), _AT_A_TIME):
            total += standardised(model, data, some[start : start + _AT_A_TIME]).sum(axis=0)
        mean = total / len(some)
        lowest = float(mean[known].min()) if known.any() else 0.0
        result[key] = Popularity(len(some), np.where(known, mean - lowest + 1e-6, 0.0))
    return result


def standardised(model: Model, data: Histories, people: Iterable[int]) -> NDArray[np.float32]:
    """Return (people x items) everybody's scores, of mean 0 and standard deviation 1."""
    starts = data.starts()
    rows = list(people)
    table = np.zeros((len(rows), data.items), dtype=np.float32)
    for row, number in enumerate(rows):
        signals = data.signals(number, starts)
        scores = Weighing(model.parts, model.parameters.recipe.band(len(signals)).weights, signals).scores
        spread = scores.std()
        table[row] = (scores - scores.mean()) / (spread or 1.0)
    return table


def clusters(model: Model, data: Histories, *, at_least: int) -> dict[Person, str]:
    """Group the people by balanced k-means on the strongest dimensions of their scores; the same input, the same."""
    if len(data.people) < at_least:
        return {}
    points = _projected(model, data)
    number = min(len(data.people) // at_least, _MOST)
    centres = _first_centres(points, number)
    for _ in range(_ROUNDS):
        group = _balanced(points, centres, at_least)
        centres = np.vstack([points[group == one].mean(axis=0) for one in range(number)])
    return {person: f"taste={group[place]:03d}" for place, person in enumerate(data.people)}


def _projected(model: Model, data: Histories) -> NDArray[np.float64]:
    """Project everybody on the main axes of a sample of people."""
    sample = np.unique(np.linspace(0, len(data.people) - 1, min(2_000, len(data.people))).astype(np.intp))
    scores = standardised(model, data, sample)
    _, _, axes = np.linalg.svd(scores - scores.mean(axis=0), full_matrices=False)
    main = axes[:_DIMENSIONS].T
    chunks = [
        standardised(model, data, range(start, min(start + _AT_A_TIME, len(data.people)))) @ main
        for start in range(0, len(data.people), _AT_A_TIME)
    ]
    return np.vstack(chunks).astype(np.float64)


def _first_centres(points: NDArray[np.float64], number: int) -> NDArray[np.float64]:
    """Draw centres by k-means++ (Arthur & Vassilvitskii 2007) with a fixed seed."""
    random = np.random.default_rng(0)
    chosen = [int(random.integers(len(points)))]
    nearest = ((points - points[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < number:
        total = nearest.sum()
        share = nearest / total if total else np.full(len(points), 1 / len(points))
        chosen.append(int(random.choice(len(points), p=share)))
        nearest = np.minimum(nearest, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    return points[chosen]


def _balanced(points: NDArray[np.float64], centres: NDArray[np.float64], at_least: int) -> NDArray[np.intp]:
    """Give everybody their nearest centre, then fill the smallest groups at the least cost from those with spare."""
    squares = (points**2).sum(axis=1)[:, np.newaxis] - 2 * points @ centres.T + (centres**2).sum(axis=1)
    distance = np.maximum(squares, 0.0)
    group: NDArray[np.intp] = distance.argmin(axis=1)
    sizes = np.bincount(group, minlength=len(centres))
    while sizes.min() < at_least:
        poor = int(sizes.argmin())
        spare = np.flatnonzero(sizes[group] > at_least)
        cost = distance[spare, poor] - distance[spare, group[spare]]
        moved = spare[int(cost.argmin())]
        sizes[group[moved]] -= 1
        sizes[poor] += 1
        group[moved] = poor
    return group
