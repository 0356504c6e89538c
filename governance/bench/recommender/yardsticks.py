"""Other people's methods on the same split: full matrices, each with parameters from the validation data alone."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

_EASE = (100.0, 200.0, 500.0)
_USERS = (30, 80)
_ALS = ((64, 30.0, 5.0), (64, 10.0, 2.0), (32, 30.0, 10.0))
_ROUNDS = 15
_AUTOENCODERS = ((200, 0.5), (200, 0.8))
"""Hidden units, and the share of a person's likes that is left out of what is read."""
_EPOCHS, _BATCH, _STEP, _DECAY = 100, 100, 1e-3, 1e-3

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
    for units, dropped in _AUTOENCODERS:
        setting = f"{units} units, {dropped:.0%} dropped"
        yield Method("autoencoder", setting, partial(_autoencoder, units=units, dropped=dropped, seed=seed))
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


def _autoencoder(likes: Any, units: int, dropped: float, seed: int) -> Scores:
    """Train a denoising autoencoder with a multinomial likelihood: the neural yardstick.

    Mult-DAE of Liang et al. 2018 with one hidden layer of tanh, trained by Adam (Kingma & Ba 2015).
    """
    random = np.random.default_rng(seed)
    rows = (likes > 0).astype(np.float32).toarray()
    people, items = rows.shape
    parameters = [
        random.normal(0, (2 / (items + units)) ** 0.5, (items, units)).astype(np.float32),
        np.zeros(units, dtype=np.float32),
        random.normal(0, (2 / (items + units)) ** 0.5, (units, items)).astype(np.float32),
        np.zeros(items, dtype=np.float32),
    ]
    moments = [(np.zeros_like(one), np.zeros_like(one)) for one in parameters]
    step = 0
    for _ in range(_EPOCHS):
        order = random.permutation(people)
        for start in range(0, people, _BATCH):
            step += 1
            batch = rows[order[start : start + _BATCH]]
            read = _unit(batch * (random.random(batch.shape) >= dropped))
            for one, slope, (first, second) in zip(parameters, _slopes(parameters, read, batch), moments, strict=True):
                slope += _DECAY * one
                first += 0.1 * (slope - first)
                second += 0.001 * (slope**2 - second)
                one -= _STEP * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    scores: Scores = np.tanh(_unit(rows) @ parameters[0] + parameters[1]) @ parameters[2] + parameters[3]
    return scores


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return unit


def _slopes(
    parameters: Sequence[NDArray[np.float32]], read: NDArray[np.float32], wanted: NDArray[np.float32]
) -> list[NDArray[np.float32]]:
    """Return how the loss, -sum of wanted * log softmax over people, changes with each parameter."""
    into, shift, out, base = parameters
    hidden = np.tanh(read @ into + shift)
    scores = hidden @ out + base
    likely = np.exp(scores - scores.max(axis=1, keepdims=True))
    likely /= likely.sum(axis=1, keepdims=True)
    error = (likely * wanted.sum(axis=1, keepdims=True) - wanted) / len(read)
    inside = (error @ out.T) * (1 - hidden**2)
    return [read.T @ inside, inside.sum(axis=0), hidden.T @ error, error.sum(axis=0)]


def _popularity(likes: Any) -> Scores:
    counts = np.asarray(likes.sum(axis=0), dtype=np.float64).ravel()
    return np.tile(counts, (likes.shape[0], 1))


def seeded(method: Method, seeds: Sequence[int]) -> Iterator[tuple[Method, int]]:
    """Yield the method with each seed, or once where chance has no part in it."""
    scores = method.scores
    if not (isinstance(scores, partial) and "seed" in scores.keywords):
        yield method, seeds[0]
        return
    for seed in seeds:
        yield replace(method, scores=partial(scores, seed=seed)), seed


def best_of(found: Sequence[tuple[Method, float]]) -> list[Method]:
    """Return of each method the setting with the highest figure."""
    best: dict[str, tuple[Method, float]] = {}
    for method, figure in found:
        if method.name not in best or figure > best[method.name][1]:
            best[method.name] = (method, figure)
    return [method for method, _ in best.values()]
