"""Other people's methods on the same split: full matrices, each with parameters from the validation data alone."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

_EASE = (100.0, 200.0, 500.0)
_USERS = (30, 80)
_ALS = ((64, 30.0, 5.0), (64, 10.0, 2.0), (32, 30.0, 10.0))
_ROUNDS = 15

Scores = NDArray[Any]


@dataclass(frozen=True)
class Method:
    """Method with one setting: from the matrix of likes (people x items) to everybody's scores."""

    name: str
    setting: str
    scores: Callable[[Any], Scores]


def methods(seed: int = 0) -> Iterator[Method]:
    """Yield every method with each of its settings."""
    for value in _EASE:
        yield Method("EASE", f"lambda {value:g}", partial(_ease, regularisation=value))
    yield Method("item-kNN", "cosine", _item_knn)
    for number in _USERS:
        yield Method("user-kNN", f"{number} people", partial(_user_knn, number=number))
    for factors, penalty, alpha in _ALS:
        setting = f"{factors} factors, penalty {penalty:g}, alpha {alpha:g}"
        yield Method("ALS", setting, partial(_als, factors=factors, penalty=penalty, alpha=alpha, seed=seed))
    yield Method("popularity", "likes", _popularity)


def _ease(likes: Any, regularisation: float) -> Scores:
    gram = (likes.T @ likes).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += regularisation
    precision = np.linalg.inv(gram)
    weights = -precision / np.diag(precision)
    np.fill_diagonal(weights, 0.0)
    scores: Scores = likes @ weights
    return scores


def _item_knn(likes: Any) -> Scores:
    similar = _cosine(likes.T)
    np.fill_diagonal(similar, 0.0)
    scores: Scores = likes @ similar
    return scores


def _user_knn(likes: Any, number: int) -> Scores:
    similar = _cosine(likes)
    np.fill_diagonal(similar, 0.0)
    if number < similar.shape[1]:
        least = np.partition(similar, -number, axis=1)[:, [-number]]
        similar[similar < least] = 0.0
    scores: Scores = np.asarray(similar @ likes.toarray())
    return scores


def _cosine(rows: Any) -> NDArray[np.float64]:
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    unit = sparse.diags_array(1 / np.where(lengths > 0, lengths, 1.0)) @ rows
    similar: NDArray[np.float64] = (unit @ unit.T).toarray()
    return similar


def _als(likes: Any, factors: int, penalty: float, alpha: float, seed: int) -> Scores:
    """Factorise implicit feedback by alternating least squares (Hu, Koren & Volinsky 2008)."""
    random = np.random.default_rng(seed)
    items = random.normal(0, 0.1, (likes.shape[1], factors))
    by_person, by_item = sparse.csr_matrix(likes), sparse.csr_matrix(likes.T)
    for _ in range(_ROUNDS):
        people = _solved(by_person, items, penalty, alpha)
        items = _solved(by_item, people, penalty, alpha)
    scores: Scores = people @ items.T
    return scores


def _solved(rows: Any, other: NDArray[np.float64], penalty: float, alpha: float) -> NDArray[np.float64]:
    base = other.T @ other + penalty * np.eye(other.shape[1])
    found = np.zeros((rows.shape[0], other.shape[1]))
    for row in range(rows.shape[0]):
        some = other[rows.indices[rows.indptr[row] : rows.indptr[row + 1]]]
        found[row] = np.linalg.solve(base + alpha * (some.T @ some), (1 + alpha) * some.sum(axis=0))
    return found


def _popularity(likes: Any) -> Scores:
    counts = np.asarray(likes.sum(axis=0), dtype=np.float64).ravel()
    return np.tile(counts, (likes.shape[0], 1))


def best_of(found: Sequence[tuple[Method, float]]) -> list[Method]:
    """Return of each method the setting with the highest figure."""
    best: dict[str, tuple[Method, float]] = {}
    for method, figure in found:
        if method.name not in best or figure > best[method.name][1]:
            best[method.name] = (method, figure)
    return [method for method, _ in best.values()]
