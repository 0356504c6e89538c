"""Prediction of ratings: mean, biases and item neighbours on what they leave over; RMSE and MAE on held-out ratings."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from personalization.recommender.interactions import Interactions
from personalization.recommender.validation.ratings import biases as biases_of
from personalization.recommender.validation.ratings import error

_NEIGHBOURS = 60
_SUPPORT = 25.0

_Numbers = NDArray[np.float64]


def errors(interactions: Interactions, ratings: _Numbers, training: NDArray[np.intp]) -> dict[str, tuple[float, float]]:
    """Return RMSE and MAE of each way to predict the ratings that are not in ``training``."""
    people, items = _numbered(interactions.person), _numbered(interactions.item)
    held = np.setdiff1d(np.arange(len(ratings)), training)
    mean = float(ratings[training].mean())
    biases = biases_of(people, items, ratings, training)
    left = sparse.csr_matrix(
        (ratings[training] - biases[training], (people[training], items[training])),
        shape=(people.max() + 1, items.max() + 1),
    )
    near = biases + _by_neighbours(left, people, items)
    found: Mapping[str, _Numbers] = {
        "mean": np.full(len(ratings), mean),
        "biases": biases,
        "biases and item neighbours": near,
    }
    return {name: error(some[held], ratings[held]) for name, some in found.items()}


def _numbered(values: object) -> NDArray[np.intp]:
    numbers: NDArray[np.intp] = np.unique(np.asarray(values), return_inverse=True)[1].astype(np.intp)
    return numbers


def _by_neighbours(left: sparse.csr_matrix, people: NDArray[np.intp], items: NDArray[np.intp]) -> _Numbers:
    """Return what the person's other items say of each item (Sarwar et al. 2001), damped by how few people say so."""
    rated = (left != 0).astype(np.float64)
    squares = left.multiply(left)
    both = (rated.T @ rated).toarray()
    lengths = np.sqrt((squares.T @ rated).toarray() * (rated.T @ squares).toarray())
    alike = (left.T @ left).toarray() / np.where(lengths > 0, lengths, 1.0) * both / (both + _SUPPORT)
    np.fill_diagonal(alike, 0.0)
    if len(alike) > _NEIGHBOURS:
        least = np.partition(np.abs(alike), -_NEIGHBOURS, axis=1)[:, [-_NEIGHBOURS]]
        alike[np.abs(alike) < least] = 0.0
    weighed = np.asarray(left @ alike.T)
    weights = np.asarray(rated @ np.abs(alike).T)
    said: _Numbers = (weighed / (weights + 1.0))[people, items]
    return said
